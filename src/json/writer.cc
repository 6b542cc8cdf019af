#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include "base/base64.h"
#include "base/check.h"
#include "json/json.h"

namespace keyturn::json {
namespace {

constexpr unsigned kWriterDepthMax = 63;

bool NeedsEscape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default: {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 0x0F];
    }
  }
}

}  // namespace

// Eight bytes at a time, because quoting is most of the work of an answer and of a trail record.
bool IsPlainAscii(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t v) { return (v - kOnes) & ~v & kHighs; };
  while (text.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    // (word - 0x20...) borrows into the high bit of bytes below 0x20; high bytes are out anyway.
    if (((word | (word - 0x20 * kOnes) | has_zero(word ^ (0x22 * kOnes)) |
          has_zero(word ^ (0x5C * kOnes))) &
         kHighs) != 0) {
      return false;
    }
    text.remove_prefix(8);
  }
  for (const char c : text) {
    if (c < 0x20 || c == '"' || c == '\\') {  // char is signed: bytes over 0x7F are negative
      return false;
    }
  }
  return true;
}
static_assert(std::numeric_limits<char>::is_signed);

void AppendQuoted(std::string_view text, std::string& out) {
  if (IsPlainAscii(text)) {
    const std::size_t at = out.size();
    out.resize(at + text.size() + 2);
    char* to = out.data() + at;
    *to = '"';
    std::copy(text.begin(), text.end(), to + 1);
    to[text.size() + 1] = '"';
    return;
  }
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (NeedsEscape(text[i])) {
      out.append(text.substr(from, i - from));
      AppendEscaped(text[i], out);
      from = i + 1;
    }
  }
  out.append(text.substr(from));
  out += '"';
}

void Writer::Indent() {
  out_ += '\n';
  out_.append(2UL * depth_, ' ');
}

void Writer::Before() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (depth_ == 0) {
    return;
  }
  const std::uint64_t bit = std::uint64_t{1} << depth_;
  if ((not_first_ & bit) != 0) {
    out_ += ',';
  }
  not_first_ |= bit;
  if (style_ != Style::kCompact) {
    Indent();
  }
}

void Writer::Open(char bracket) {
  Before();
  out_ += bracket;
  KT_CHECK(depth_ < kWriterDepthMax);
  ++depth_;
  not_first_ &= ~(std::uint64_t{1} << depth_);
}

void Writer::Close(char bracket) {
  KT_CHECK(depth_ > 0 && !after_key_);
  const bool empty = (not_first_ & (std::uint64_t{1} << depth_)) == 0;
  --depth_;
  if (!empty && style_ != Style::kCompact) {
    Indent();
  }
  out_ += bracket;
}

Writer& Writer::BeginObject() {
  Open('{');
  return *this;
}
Writer& Writer::EndObject() {
  Close('}');
  return *this;
}
Writer& Writer::BeginArray() {
  Open('[');
  return *this;
}
Writer& Writer::EndArray() {
  Close(']');
  return *this;
}

Writer& Writer::Key(std::string_view name) {
  Before();
  AppendQuoted(name, out_);
  switch (style_) {
    case Style::kCompact:
      out_ += ':';
      break;
    case Style::kPretty:
      out_ += ": ";
      break;
    case Style::kAwsPretty:
      out_ += " : ";
      break;
  }
  after_key_ = true;
  return *this;
}

Writer& Writer::String(std::string_view text) {
  Before();
  AppendQuoted(text, out_);
  return *this;
}

Writer& Writer::Int(std::int64_t number) {
  Before();
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number);
  out_.append(std::begin(digits), end.ptr);
  return *this;
}

Writer& Writer::Double(double number) {
  Before();
  KT_CHECK(std::isfinite(number));
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}

Writer& Writer::Bool(bool value) {
  Before();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::Null() {
  Before();
  out_ += "null";
  return *this;
}

Writer& Writer::Base64(ByteView bytes) {
  Before();
  out_ += '"';
  Base64Append(bytes, out_);
  out_ += '"';
  return *this;
}

Writer& Writer::EpochSeconds(TimePoint t) {
  Before();
  const std::int64_t ms = ToEpochMillis(t);
  const bool negative = ms < 0;
  const std::int64_t magnitude = negative ? -ms : ms;
  if (negative) {
    out_ += '-';
  }
  fmt::format_to(std::back_inserter(out_), "{}", magnitude / 1000);
  if (std::int64_t fraction = magnitude % 1000; fraction != 0) {
    int digits = 3;
    while (fraction % 10 == 0) {
      fraction /= 10;
      --digits;
    }
    fmt::format_to(std::back_inserter(out_), ".{:0{}}", fraction, digits);
  }
  return *this;
}

Writer& Writer::Raw(std::string_view json) {
  Before();
  out_.append(json);
  return *this;
}

}  // namespace keyturn::json
