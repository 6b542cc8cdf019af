#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>

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

// Block: an extension that GCC and clang share; comparing gives -1 where true.
using Block = signed char __attribute__((vector_size(16)));

bool IsPlainBlock(Block block) {
  // Bytes over 0x7F are negative, and so below the space.
  const Block special =
      (block < Block{} + ' ') | (block == Block{} + '"') | (block == Block{} + '\\');
  std::array<std::uint64_t, 2> halves;
  static_assert(sizeof(halves) == sizeof(special));
  std::memcpy(halves.data(), &special, sizeof(special));
  return (halves[0] | halves[1]) == 0;
}

Block BlockAt(const char* from) {
  Block block;
  std::memcpy(&block, from, sizeof(block));
  return block;
}

// Ends returns a block of the first and the last bytes of a text that is as long as one Word at
// least and as two at most: some of it may be there twice. No byte goes through memory on its way:
// a processor waits for a long load of what short stores have just written.
template <typename Word>
Block Ends(std::string_view text) {
  std::array<Word, sizeof(Block) / sizeof(Word)> words;
  words.fill(static_cast<Word>(0x2020202020202020));  // spaces
  std::memcpy(&words[0], text.data(), sizeof(Word));
  std::memcpy(&words[1], text.data() + text.size() - sizeof(Word), sizeof(Word));
  Block block;
  static_assert(sizeof(words) == sizeof(block));
  std::memcpy(&block, words.data(), sizeof(block));
  return block;
}

}  // namespace

// IsPlainAscii looks at sixteen bytes at a time: quoting is most of the work of an answer and of a
// trail record.
bool IsPlainAscii(std::string_view text) {
  if (text.size() < sizeof(std::uint32_t)) {
    return std::none_of(text.begin(), text.end(), [](char c) {
      return NeedsEscape(c) || static_cast<unsigned char>(c) > 0x7F;
    });
  }
  if (text.size() < sizeof(std::uint64_t)) return IsPlainBlock(Ends<std::uint32_t>(text));
  if (text.size() < sizeof(Block)) return IsPlainBlock(Ends<std::uint64_t>(text));
  const char* const last = text.data() + text.size() - sizeof(Block);
  for (const char* at = text.data(); at < last; at += sizeof(Block)) {
    if (!IsPlainBlock(BlockAt(at))) {
      return false;
    }
  }
  return IsPlainBlock(BlockAt(last));  // some of it for the second time
}

void AppendPlain(std::string_view text, std::string& out) {
  const std::size_t at = out.size();
  out.resize(at + text.size() + 2);
  char* const to = out.data() + at;
  *to = '"';
  text.copy(to + 1, text.size());
  to[text.size() + 1] = '"';
}

void AppendQuoted(std::string_view text, std::string& out) {
  if (IsPlainAscii(text)) {
    AppendPlain(text, out);
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
