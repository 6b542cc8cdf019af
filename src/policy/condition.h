// Condition: one operator with one condition key of a statement, compiled. Private to the room.
//
// How a condition is decided, with V the request's values of the key and P the policy's:
// - no prefix: some V matches some P; negated operators: no V matches any P;
// - ForAnyValue: some V passes; ForAllValues: every V passes; where a V passes if it matches some P
//   or, negated, none;
// - the key is absent: with IfExists true; ForAllValues true; ForAnyValue false; else negated
//   operators true, others false;
// - a P whose variable has no value matches nothing, and a negated operator then does not hold
//   either.
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for
// multivalued context keys".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "json/json.h"
#include "policy/cidr.h"
#include "policy/context.h"
#include "policy/pattern.h"

namespace keyturn::policy {

struct Condition {
  enum class Type : std::uint8_t {
    kString,
    kStringIgnoreCase,
    kStringLike,
    kNumeric,
    kDate,
    kBool,
    kBinary,
    kIpAddress,
    kArn,
    kNull,
  };
  enum class Relation : std::uint8_t { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  enum class Set : std::uint8_t { kNone, kForAnyValue, kForAllValues };
  // Operand: by type; Text where the string has variables, Expanded for ARNs without them.
  using Operand = std::variant<Pattern, Text, Expanded, double, TimePoint, bool, Bytes, Cidr>;

  std::string label;  // "StringLike kms:ViaService", for explanations
  Type type = Type::kString;
  Relation relation = Relation::kEqual;
  bool negated = false;
  bool if_exists = false;
  Set set = Set::kNone;
  ConditionKey key;
  std::vector<Operand> operands;

  // ParseOperator reads "ForAnyValue:StringNotEqualsIfExists" and the like; nullopt: unknown.
  static std::optional<Condition> ParseOperator(std::string_view text);
  // AddOperand reads one value of the policy; kMalformed, with the reason, when it does not fit.
  Status AddOperand(const json::Value& value, bool variables);

  bool Holds(Answers& answers) const;

 private:
  enum class Outcome { kNo, kYes, kUnresolved };
  Outcome MatchesAny(Answers& answers, std::string_view value) const;
  Outcome Matches(const Operand& operand, Answers& answers, std::string_view value) const;
  bool Compares(int order) const;
};

}  // namespace keyturn::policy
