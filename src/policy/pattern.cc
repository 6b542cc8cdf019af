#include "policy/pattern.h"

#include <algorithm>

namespace keyturn::policy {
namespace {

constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct Same {
  bool operator()(char pattern, char subject) const { return pattern == subject; }
};
struct Folded {
  bool operator()(char pattern, char subject) const { return ToLower(pattern) == ToLower(subject); }
};

template <typename Equal>
bool Equals(std::string_view pattern, std::string_view subject, Equal equal) {
  return pattern.size() == subject.size() &&
         std::equal(pattern.begin(), pattern.end(), subject.begin(), equal);
}

// Plain: wildcards are the characters themselves.
struct Plain {
  std::string_view text;
  std::size_t size() const { return text.size(); }
  char at(std::size_t i) const { return text[i]; }
  bool IsRun(std::size_t i) const { return text[i] == '*'; }
  bool IsOne(std::size_t i) const { return text[i] == '?'; }
};

// Marked: the kinds say which characters are wildcards.
struct Marked {
  std::string_view text;
  const Expanded::Kind* kinds;
  std::size_t size() const { return text.size(); }
  char at(std::size_t i) const { return text[i]; }
  bool IsRun(std::size_t i) const { return kinds[i] == Expanded::Kind::kRun; }
  bool IsOne(std::size_t i) const { return kinds[i] == Expanded::Kind::kOne; }
};

// NextCharacter: behind the UTF-8 character at the byte s. A * may have stopped within one, so that
// the rest of a character counts as one too.
std::size_t NextCharacter(std::string_view text, std::size_t s) {
  ++s;
  while (s < text.size() && (static_cast<unsigned char>(text[s]) & 0xC0U) == 0x80U) ++s;
  return s;
}

// Glob remembers the last * only: when a later character fails, that * takes one character more.
// So the time is bounded by the product of the lengths, whatever the pattern.
template <typename Source, typename Equal>
bool Glob(Source pattern, std::string_view subject, Equal equal) {
  std::size_t p = 0;
  std::size_t s = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_subject = 0;
  while (s < subject.size()) {
    if (p < pattern.size() && pattern.IsRun(p)) {
      star = p++;
      star_subject = s;
    } else if (p < pattern.size() && pattern.IsOne(p)) {
      ++p;
      s = NextCharacter(subject, s);
    } else if (p < pattern.size() && equal(pattern.at(p), subject[s])) {
      ++p;
      ++s;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      s = ++star_subject;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern.IsRun(p)) ++p;
  return p == pattern.size();
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

Pattern Pattern::Exactly(std::string_view text, Case letter_case) {
  Pattern pattern = Make({}, letter_case);
  pattern.text_ = letter_case == Case::kInsensitive ? ToLowerAscii(text) : std::string(text);
  return pattern;
}

bool Pattern::MatchesText(std::string_view subject, Case letter_case) const {
  const bool fold = letter_case == Case::kInsensitive;
  switch (form_) {
    case Form::kAnything:
      return true;
    case Form::kExact:
      return fold ? Equals(text_, subject, Folded{}) : text_ == subject;
    case Form::kPrefix:
      subject = subject.substr(0, text_.size());
      return fold ? Equals(text_, subject, Folded{}) : text_ == subject;
    case Form::kGlob:
      return fold ? Glob(Plain{text_}, subject, Folded{}) : Glob(Plain{text_}, subject, Same{});
  }
  return false;
}

bool Expanded::Matches(std::string_view subject, Case letter_case) const {
  const Marked pattern{text, kinds.data()};
  return letter_case == Case::kInsensitive ? Glob(pattern, subject, Folded{})
                                           : Glob(pattern, subject, Same{});
}

bool Expanded::MatchesArn(std::string_view subject) const {
  // Most ARNs of a policy differ in what they name, and from here on parts are looked for.
  if (!subject.starts_with(std::string_view(text).substr(0, literal))) return false;
  constexpr int kParts = 6;
  std::size_t from = 0;
  for (int part = 1; part <= kParts; ++part) {
    std::size_t to = text.size();
    std::size_t subject_to = subject.size();
    if (part < kParts) {
      to = text.find(':', from);
      subject_to = subject.find(':');
      if (to == std::string::npos || subject_to == std::string_view::npos) return false;
    }
    const Marked pattern{std::string_view(text).substr(from, to - from), kinds.data() + from};
    if (!Glob(pattern, subject.substr(0, subject_to), Same{})) return false;
    from = to + 1;
    subject.remove_prefix(std::min(subject_to + 1, subject.size()));
  }
  return true;
}

void Text::AddText(std::string_view text, bool wildcards) {
  Part part;
  part.text = text;
  for (const char c : text) {
    part.kinds.push_back(!wildcards || (c != '*' && c != '?') ? Expanded::Kind::kLiteral
                         : c == '*'                           ? Expanded::Kind::kRun
                                                              : Expanded::Kind::kOne);
  }
  parts_.push_back(std::move(part));
}

Status Text::AddVariable(std::string_view body) {
  if (body == "*" || body == "?" || body == "$") {
    AddText(body, false);
    return {};
  }
  Part part;
  std::string_view name = body;
  if (const std::size_t comma = body.find(','); comma != std::string_view::npos) {
    name = body.substr(0, comma);
    std::string_view fallback = body.substr(comma + 1);
    fallback.remove_prefix(std::min(fallback.find_first_not_of(' '), fallback.size()));
    if (fallback.size() < 2 || fallback.front() != '\'' || fallback.back() != '\'') {
      return Fail(ErrorCode::kMalformed, "the default of a policy variable must be in quotes");
    }
    part.fallback = fallback.substr(1, fallback.size() - 2);
  }
  if (name.find(':') == std::string_view::npos || name.find(' ') != std::string_view::npos) {
    return Fail(ErrorCode::kMalformed, "a policy variable must name a condition key");
  }
  part.variable = ConditionKey::Parse(name);
  parts_.push_back(std::move(part));
  return {};
}

Result<Text> Text::Parse(std::string_view text, bool variables, bool wildcards) {
  Text parsed;
  while (variables) {
    const std::size_t open = text.find("${");
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return Fail(ErrorCode::kMalformed, "a policy variable is not closed");
    }
    parsed.plain_ = false;
    parsed.AddText(text.substr(0, open), wildcards);
    KT_TRY(parsed.AddVariable(text.substr(open + 2, close - open - 2)));
    text.remove_prefix(close + 1);
  }
  parsed.AddText(text, wildcards);
  return parsed;
}

const Expanded* Text::Expand(Answers& answers) const {
  thread_local Expanded out;  // its memory serves again
  out.text.clear();
  out.kinds.clear();
  for (const Part& part : parts_) {
    if (!part.variable) {
      out.text += part.text;
      out.kinds.insert(out.kinds.end(), part.kinds.begin(), part.kinds.end());
      continue;
    }
    Values room;
    const Values& values = answers.Of(*part.variable, room);
    if (values.size() != 1 && (!values.empty() || !part.fallback)) return nullptr;
    out.text += values.empty() ? *part.fallback : values.front();
    out.kinds.resize(out.text.size(), Expanded::Kind::kLiteral);
  }
  const auto wild = std::find_if(out.kinds.begin(), out.kinds.end(), [](Expanded::Kind kind) {
    return kind != Expanded::Kind::kLiteral;
  });
  out.literal = static_cast<std::size_t>(wild - out.kinds.begin());
  return &out;
}

}  // namespace keyturn::policy
