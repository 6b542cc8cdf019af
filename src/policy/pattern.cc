#include "policy/pattern.h"

#include <algorithm>

namespace keyturn::policy {
namespace {

constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct Exactly {
  bool operator()(char pattern, char subject) const { return pattern == subject; }
};
struct Folded {
  bool operator()(char pattern, char subject) const { return pattern == ToLower(subject); }
};

template <typename Equal>
bool Equals(std::string_view pattern, std::string_view subject, Equal equal) {
  return pattern.size() == subject.size() &&
         std::equal(pattern.begin(), pattern.end(), subject.begin(), equal);
}

// Glob remembers the last * only: when a later character fails, that * takes one character more.
// So the time is bounded by the product of the lengths, whatever the pattern.
template <typename Equal>
bool Glob(std::string_view pattern, std::string_view subject, Equal equal) {
  std::size_t p = 0;
  std::size_t s = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_subject = 0;
  while (s < subject.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_subject = s;
    } else if (p < pattern.size() && (pattern[p] == '?' || equal(pattern[p], subject[s]))) {
      ++p;
      ++s;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      s = ++star_subject;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

Pattern Pattern::Make(std::string_view text, Case letter_case) {
  Pattern pattern;
  pattern.case_ = letter_case;
  pattern.text_ = text;
  if (letter_case == Case::kInsensitive) {
    std::transform(pattern.text_.begin(), pattern.text_.end(), pattern.text_.begin(), ToLower);
  }
  const std::size_t wild = text.find_first_of("*?");
  if (text == "*") {
    pattern.form_ = Form::kAnything;
  } else if (wild == std::string_view::npos) {
    pattern.form_ = Form::kExact;
  } else if (wild + 1 == text.size() && text[wild] == '*') {
    pattern.form_ = Form::kPrefix;
    pattern.text_.pop_back();
  } else {
    pattern.form_ = Form::kGlob;
  }
  return pattern;
}

bool Pattern::Matches(std::string_view subject) const {
  const bool fold = case_ == Case::kInsensitive;
  switch (form_) {
    case Form::kAnything:
      return true;
    case Form::kExact:
      return fold ? Equals(text_, subject, Folded{}) : text_ == subject;
    case Form::kPrefix:
      subject = subject.substr(0, text_.size());
      return fold ? Equals(text_, subject, Folded{}) : text_ == subject;
    case Form::kGlob:
      return fold ? Glob(text_, subject, Folded{}) : Glob(text_, subject, Exactly{});
  }
  return false;
}

}  // namespace keyturn::policy
