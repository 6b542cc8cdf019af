// Pattern: a policy string with * and ?, classified once so that the common forms compare fast;
// and Text, a policy string with variables, which becomes a pattern for each request.
// Matching never allocates, nor does expanding but for the first of a thread. Immutable after Make;
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/answers.h"
#include "policy/context.h"

namespace keyturn::policy {

enum class Case { kSensitive, kInsensitive };

class Pattern {
 public:
  // Make takes any text. With kInsensitive, ASCII letters match without regard to case.
  static Pattern Make(std::string_view text, Case letter_case);
  // Exactly takes * and ? as themselves.
  static Pattern Exactly(std::string_view text, Case letter_case);
  bool Matches(std::string_view subject) const { return Matches(subject, case_); }
  // MatchesLower: as Matches, for a subject without capitals and a pattern of kInsensitive.
  bool MatchesLower(std::string_view subject) const { return Matches(subject, Case::kSensitive); }

 private:
  bool Matches(std::string_view subject, Case letter_case) const {
    return form_ == Form::kAnything || MatchesText(subject, letter_case);
  }
  bool MatchesText(std::string_view subject, Case letter_case) const;

  // What the text is; kPrefix is text followed by one final *.
  enum class Form : std::uint8_t { kAnything, kExact, kPrefix, kGlob };
  Form form_ = Form::kExact;
  Case case_ = Case::kSensitive;
  std::string text_;  // lower case when case_ is kInsensitive; without the * of kPrefix
};

// Expanded: a Text for one request. kinds says of each character whether it is a wildcard, so that
// a * that came from the request is only a character.
struct Expanded {
  enum class Kind : char { kLiteral, kRun, kOne };
  std::string text;
  std::vector<Kind> kinds;
  std::size_t literal = 0;  // characters before the first wildcard

  bool Matches(std::string_view subject, Case letter_case) const;
  // MatchesArn compares the six parts of an ARN one by one: a wildcard stays within its part.
  bool MatchesArn(std::string_view subject) const;
};

// Text: literal parts and variables. ${key} and ${key, 'default'} stand for the value of a
// condition key; ${*}, ${?} and ${$} for the character itself.
// Source: IAM User Guide, "IAM policy elements: Variables and tags".
class Text {
 public:
  // Parse: kMalformed when a variable is not closed or names no key. Without variables (policies of
  // 2008) ${ is plain text; without wildcards * and ? are.
  static Result<Text> Parse(std::string_view text, bool variables, bool wildcards);
  // is_plain: no ${ was read: the text is a Pattern as it stands.
  bool is_plain() const { return plain_; }
  // Expand asks for each variable; null when one has no value, or several, and no default. The
  // result is valid until this thread expands another.
  const Expanded* Expand(Answers& answers) const;

 private:
  struct Part {
    std::string text;
    std::vector<Expanded::Kind> kinds;
    std::optional<ConditionKey> variable;
    std::optional<std::string> fallback;  // of the variable
  };
  Status AddVariable(std::string_view body);
  void AddText(std::string_view text, bool wildcards);

  std::vector<Part> parts_;
  bool plain_ = true;
};

}  // namespace keyturn::policy
