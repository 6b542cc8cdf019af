#include "policy/condition.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/check.h"

namespace keyturn::policy {
namespace {

using Type = Condition::Type;
using Relation = Condition::Relation;

struct Named {
  std::string_view name;
  Type type;
  Relation relation = Relation::kEqual;
  bool negated = false;
};

// Equals and Like are the same for ARNs.
constexpr Named kOperators[] = {
    {"StringEquals", Type::kString},
    {"StringNotEquals", Type::kString, Relation::kEqual, true},
    {"StringEqualsIgnoreCase", Type::kStringIgnoreCase},
    {"StringNotEqualsIgnoreCase", Type::kStringIgnoreCase, Relation::kEqual, true},
    {"StringLike", Type::kStringLike},
    {"StringNotLike", Type::kStringLike, Relation::kEqual, true},
    {"NumericEquals", Type::kNumeric},
    {"NumericNotEquals", Type::kNumeric, Relation::kEqual, true},
    {"NumericLessThan", Type::kNumeric, Relation::kLess},
    {"NumericLessThanEquals", Type::kNumeric, Relation::kLessEqual},
    {"NumericGreaterThan", Type::kNumeric, Relation::kGreater},
    {"NumericGreaterThanEquals", Type::kNumeric, Relation::kGreaterEqual},
    {"DateEquals", Type::kDate},
    {"DateNotEquals", Type::kDate, Relation::kEqual, true},
    {"DateLessThan", Type::kDate, Relation::kLess},
    {"DateLessThanEquals", Type::kDate, Relation::kLessEqual},
    {"DateGreaterThan", Type::kDate, Relation::kGreater},
    {"DateGreaterThanEquals", Type::kDate, Relation::kGreaterEqual},
    {"Bool", Type::kBool},
    {"BinaryEquals", Type::kBinary},
    {"IpAddress", Type::kIpAddress},
    {"NotIpAddress", Type::kIpAddress, Relation::kEqual, true},
    {"ArnEquals", Type::kArn},
    {"ArnLike", Type::kArn},
    {"ArnNotEquals", Type::kArn, Relation::kEqual, true},
    {"ArnNotLike", Type::kArn, Relation::kEqual, true},
    {"Null", Type::kNull},
};

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

// ParseDate reads a date of ISO 8601 or seconds since 1970.
std::optional<TimePoint> ParseDate(std::string_view text) {
  if (const auto instant = ParseIso8601(text)) return instant;
  std::int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the end of the year 9999
  if (error != std::errc() || rest != end || seconds < 0 || seconds > kSecondsMax) {
    return std::nullopt;
  }
  return FromEpochMillis(seconds * 1000);
}

std::optional<bool> ParseBool(std::string_view text) {
  if (EqualsFolded(text, "true")) return true;
  if (EqualsFolded(text, "false")) return false;
  return std::nullopt;
}

// ToOperand gives the error branch a reason.
template <typename T>
Result<Condition::Operand> ToOperand(std::optional<T> value, const char* what) {
  if (!value) return Fail(ErrorCode::kMalformed, what);
  return Condition::Operand(std::move(*value));
}

Result<Condition::Operand> StringOperand(std::string_view text, Type type, bool variables) {
  KT_ASSIGN(Text parsed, Text::Parse(text, variables, type == Type::kStringLike));
  if (!parsed.is_plain()) return Condition::Operand(std::move(parsed));
  const Case letters = type == Type::kStringIgnoreCase ? Case::kInsensitive : Case::kSensitive;
  return Condition::Operand(type == Type::kStringLike ? Pattern::Make(text, letters)
                                                      : Pattern::Exactly(text, letters));
}

Result<Condition::Operand> ArnOperand(std::string_view text, bool variables) {
  if (text == "*") return Condition::Operand(Pattern::Make(text, Case::kSensitive));
  KT_ASSIGN(Text parsed, Text::Parse(text, variables, true));
  if (parsed.is_plain() &&
      (!text.starts_with("arn:") || std::count(text.begin(), text.end(), ':') < 5)) {
    return Fail(ErrorCode::kMalformed, "must be an ARN");
  }
  if (!parsed.is_plain()) return Condition::Operand(std::move(parsed));
  Answers nothing(nullptr);
  return Condition::Operand(*parsed.Expand(nothing));
}

Result<Condition::Operand> ParseOperand(Type type, std::string_view text, bool variables) {
  switch (type) {
    case Type::kString:
    case Type::kStringIgnoreCase:
    case Type::kStringLike:
      return StringOperand(text, type, variables);
    case Type::kNumeric:
      return ToOperand(ParseNumber(text), "must be a number");
    case Type::kDate:
      return ToOperand(ParseDate(text), "must be a date of ISO 8601 or seconds since 1970");
    case Type::kBool:
    case Type::kNull:
      return ToOperand(ParseBool(text), "must be true or false");
    case Type::kBinary:
      return ToOperand(Base64Decode(text), "must be base64");
    case Type::kIpAddress:
      return ToOperand(Cidr::Parse(text), "must be an IP address or a CIDR block");
    case Type::kArn:
      return ArnOperand(text, variables);
  }
  return Fail(ErrorCode::kMalformed, "has an unknown type");
}

}  // namespace

std::optional<Condition> Condition::ParseOperator(std::string_view text) {
  Condition condition;
  constexpr std::string_view kAny = "ForAnyValue:";
  constexpr std::string_view kAll = "ForAllValues:";
  constexpr std::string_view kIfExists = "IfExists";
  condition.label = text;
  if (text.starts_with(kAny)) {
    condition.set = Set::kForAnyValue;
    text.remove_prefix(kAny.size());
  } else if (text.starts_with(kAll)) {
    condition.set = Set::kForAllValues;
    text.remove_prefix(kAll.size());
  }
  if (text.ends_with(kIfExists)) {
    condition.if_exists = true;
    text.remove_suffix(kIfExists.size());
  }
  const auto* const found =
      std::find_if(std::begin(kOperators), std::end(kOperators),
                   [text](const Named& each) { return EqualsFolded(each.name, text); });
  if (found == std::end(kOperators) || (found->type == Type::kNull && condition.if_exists)) {
    return std::nullopt;
  }
  condition.type = found->type;
  condition.relation = found->relation;
  condition.negated = found->negated;
  return condition;
}

Status Condition::AddOperand(const json::Value& value, bool variables) {
  std::string text;
  if (const auto string = value.AsString()) {
    text = *string;
  } else if (value.AsBool() || value.AsDouble()) {
    text = value.ToJson();
  } else {
    return Fail(ErrorCode::kMalformed, "must be a string, a number or a boolean");
  }
  KT_ASSIGN(Operand operand, ParseOperand(type, text, variables));
  operands.push_back(std::move(operand));
  return {};
}

bool Condition::Compares(int order) const {
  switch (relation) {
    case Relation::kEqual:
      return order == 0;
    case Relation::kLess:
      return order < 0;
    case Relation::kLessEqual:
      return order <= 0;
    case Relation::kGreater:
      return order > 0;
    case Relation::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

Condition::Outcome Condition::Matches(const Operand& operand, Answers& answers,
                                      std::string_view value) const {
  const auto yes_if = [](bool matches) { return matches ? Outcome::kYes : Outcome::kNo; };
  if (const auto* pattern = std::get_if<Pattern>(&operand)) return yes_if(pattern->Matches(value));
  if (const auto* text = std::get_if<Text>(&operand)) {
    const Expanded* expanded = text->Expand(answers);
    if (expanded == nullptr) return Outcome::kUnresolved;
    if (type == Type::kArn) return yes_if(expanded->MatchesArn(value));
    return yes_if(expanded->Matches(
        value, type == Type::kStringIgnoreCase ? Case::kInsensitive : Case::kSensitive));
  }
  if (const auto* arn = std::get_if<Expanded>(&operand)) return yes_if(arn->MatchesArn(value));
  if (const auto* number = std::get_if<double>(&operand)) {
    const auto asked = ParseNumber(value);
    return yes_if(asked && Compares(*asked < *number ? -1 : *asked > *number ? 1 : 0));
  }
  if (const auto* instant = std::get_if<TimePoint>(&operand)) {
    const auto asked = ParseDate(value);
    return yes_if(asked && Compares(*asked < *instant ? -1 : *asked > *instant ? 1 : 0));
  }
  if (const auto* flag = std::get_if<bool>(&operand)) return yes_if(ParseBool(value) == *flag);
  if (const auto* bytes = std::get_if<Bytes>(&operand)) {
    return yes_if(Base64Decode(value) == *bytes);
  }
  KT_CHECK(false);  // an address block: MatchesAny compares these
}

Condition::Outcome Condition::MatchesAny(Answers& answers, std::string_view value) const {
  if (type == Type::kIpAddress) {
    const std::optional<Cidr>& asked = answers.AddressOf(value);
    const bool inside =
        asked && std::any_of(operands.begin(), operands.end(), [&](const auto& each) {
          return std::get<Cidr>(each).Contains(*asked);
        });
    return inside ? Outcome::kYes : Outcome::kNo;
  }
  Outcome outcome = Outcome::kNo;
  for (const Operand& operand : operands) {
    const Outcome one = Matches(operand, answers, value);
    if (one == Outcome::kYes) return one;
    if (one == Outcome::kUnresolved) outcome = one;
  }
  return outcome;
}

bool Condition::Holds(Answers& answers) const {
  Values room;
  const Values& values = answers.Of(key, room);
  if (type == Type::kNull) {
    return std::any_of(operands.begin(), operands.end(), [&](const Operand& operand) {
      return std::get<bool>(operand) == values.empty();
    });
  }
  if (values.empty()) {
    if (if_exists || set == Set::kForAllValues) return true;
    return set == Set::kNone && negated;
  }
  const auto passes = [&](const std::string& value) {
    return MatchesAny(answers, value) == (negated ? Outcome::kNo : Outcome::kYes);
  };
  // Without a prefix a negated operator asks that no value matches: that every value passes.
  const bool all = set == Set::kForAllValues || (set == Set::kNone && negated);
  return all ? std::all_of(values.begin(), values.end(), passes)
             : std::any_of(values.begin(), values.end(), passes);
}

}  // namespace keyturn::policy
