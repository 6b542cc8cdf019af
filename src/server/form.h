// Form: application/x-www-form-urlencoded, as the Query protocol of AWS STS sends it.
// Pure. Source: URL Standard, "application/x-www-form-urlencoded parsing"; limits are ours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace keyturn::server {

class Form {
 public:
  static constexpr std::size_t kBytesMax = 64 << 10;
  static constexpr std::size_t kFieldsMax = 256;

  // Parse: kMalformed for too many bytes or fields, a broken % sequence, what is not UTF-8 (answers
  // and the trail could not hold it), or a name that comes twice: two readers of one request must
  // not take different values.
  static Result<Form> Parse(std::string_view text);

  std::optional<std::string> Find(const std::string& name) const;
  std::string Get(const std::string& name) const { return Find(name).value_or(std::string()); }
  // List: the values of name.member.1, name.member.2, ... until one is missing.
  std::vector<std::string> List(const std::string& name) const;
  // Pairs: name.member.N.Key and name.member.N.Value likewise.
  std::vector<std::pair<std::string, std::string>> Pairs(const std::string& name) const;
  // HasUnder: some field's name begins with prefix.
  bool HasUnder(std::string_view prefix) const;

 private:
  std::map<std::string, std::string> fields_;
};

}  // namespace keyturn::server
