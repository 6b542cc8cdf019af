// Pattern: a policy string with * and ?, classified once so that the common forms compare fast.
// Matching never allocates. Immutable after Make; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyturn::policy {

enum class Case { kSensitive, kInsensitive };

class Pattern {
 public:
  // Make takes any text. With kInsensitive, ASCII letters match without regard to case.
  static Pattern Make(std::string_view text, Case letter_case);
  bool Matches(std::string_view subject) const;

 private:
  // What the text is; kPrefix is text followed by one final *.
  enum class Form : std::uint8_t { kAnything, kExact, kPrefix, kGlob };
  Form form_ = Form::kExact;
  Case case_ = Case::kSensitive;
  std::string text_;  // lower case when case_ is kInsensitive; without the * of kPrefix
};

}  // namespace keyturn::policy
