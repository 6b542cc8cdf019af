// Violation: one entry of AWS's "n validation errors detected" message, and the path to a member.
// For the codec only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/shape.h"
#include "base/error.h"
#include "json/json.h"

namespace keyturn::api {

// Decoding: where the decoder stands and what it has found so far.
class Decoding {
 public:
  // LowerCamel: "AWSAccountId" -> "aWSAccountId", "KeyId" -> "keyId".
  static std::string LowerCamel(std::string_view wire_name);

  void Required(std::string_view path);
  void NotInEnum(std::string_view path, std::string_view value,
                 std::span<const std::string_view> allowed);
  // NotAllInEnum: list is of strings.
  void NotAllInEnum(std::string_view path, json::Value list,
                    std::span<const std::string_view> allowed);
  void CheckRange(std::string_view path, std::int64_t value, const Constraint& constraint);
  void CheckText(std::string_view path, std::string_view value, std::size_t min, std::size_t max,
                 const Pattern* pattern, bool echo);
  // CheckSize: blobs and lists; the value is never echoed.
  void CheckSize(std::string_view path, std::size_t size, const Constraint& constraint);

  bool ok() const { return violations_.empty(); }
  // full: no more will be told. A small request can have a mistake in each of very many items, and
  // the text of each is much longer than the item.
  bool full() const { return violations_.size() >= kViolationsMax; }
  Error TakeError() const;

 private:
  static constexpr std::size_t kViolationsMax = 100;

  void Add(std::string_view path, const std::string* value, std::string_view constraint);
  std::vector<std::string> violations_;
};

// WrongType is the SerializationException for a value of another JSON type than the wanted one.
enum class Wanted { kString, kInteger, kBoolean, kNumber, kList, kStructure, kBlob };
Error WrongType(json::Value value, Wanted wanted);

// Utf8Length counts code points.
std::size_t Utf8Length(std::string_view text);

}  // namespace keyturn::api
