#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace keyturn::report {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// NextCodePoint decodes one character at pos and moves pos behind it. A byte that does not belong
// to well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF) gives U+FFFD.
char32_t NextCodePoint(std::string_view text, std::size_t& pos) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(pos++);
  if (first < 0x80) {
    return first;
  }
  std::size_t more = 0;
  char32_t value = 0;
  char32_t lowest = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    more = 1, value = first & 0x1FU, lowest = 0x80;
  } else if (first >= 0xE0 && first <= 0xEF) {
    more = 2, value = first & 0x0FU, lowest = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    more = 3, value = first & 0x07U, lowest = 0x10000;
  } else {
    return kReplacement;
  }
  if (text.size() - pos < more) {
    return kReplacement;
  }
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(pos + i) & 0xC0U) != 0x80U) {
      return kReplacement;
    }
    value = (value << 6U) | (byte(pos + i) & 0x3FU);
  }
  if (value < lowest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return kReplacement;
  }
  pos += more;
  return value;
}

void AppendUtf8(char32_t c, std::string& out) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6U)), put(0x80 | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12U)), put(0x80 | ((c >> 6U) & 0x3FU)), put(0x80 | (c & 0x3FU));
  } else {
    put(0xF0 | (c >> 18U)), put(0x80 | ((c >> 12U) & 0x3FU)), put(0x80 | ((c >> 6U) & 0x3FU)),
        put(0x80 | (c & 0x3FU));
  }
}

struct CodeRange {
  char32_t first, last;
};

template <std::size_t N>
bool InAny(char32_t c, const CodeRange (&ranges)[N]) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const CodeRange& r) { return c >= r.first && c <= r.last; });
}

// Characters that change how their neighbours are shown: bidi controls, joiners used to disguise
// names, line separators, the byte order mark, tag characters.
constexpr CodeRange kDisguises[] = {{0x061C, 0x061C}, {0x200B, 0x200F}, {0x2028, 0x202E},
                                    {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xE0000, 0xE007F}};
constexpr CodeRange kZeroWidth[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},
                                    {0x064B, 0x065F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                                    {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
constexpr CodeRange kWide[] = {{0x1100, 0x115F},   {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                               {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                               {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
                               {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

std::size_t WidthOf(char32_t c) { return InAny(c, kZeroWidth) ? 0U : InAny(c, kWide) ? 2U : 1U; }

}  // namespace

std::string Harmless(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t pos = 0; pos < text.size();) {
    const char32_t c = NextCodePoint(text, pos);
    if (c == '\t' || c == '\n' || c == '\r') {
      out.push_back(' ');
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || InAny(c, kDisguises)) {
      AppendUtf8(kReplacement, out);
    } else {
      AppendUtf8(c, out);
    }
  }
  return out;
}

std::string WellFormed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t pos = 0; pos < text.size();) {
    AppendUtf8(NextCodePoint(text, pos), out);
  }
  return out;
}

std::string Ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t pos = 0; pos < text.size();) {
    const char32_t c = NextCodePoint(text, pos);
    out.push_back(c < 0x80 ? static_cast<char>(c) : '?');
  }
  return out;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t pos = 0; pos < text.size();) {
    width += WidthOf(NextCodePoint(text, pos));
  }
  return width;
}

std::string PadRight(std::string_view text, std::size_t width) {
  std::string out(text);
  const std::size_t now = DisplayWidth(text);
  if (now < width) {
    out.append(width - now, ' ');
  }
  return out;
}

std::vector<std::string> Wrap(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  std::vector<std::string> lines;
  std::string line;
  std::size_t line_width = 0;
  const auto flush = [&] {
    lines.push_back(std::move(line));
    line.clear();
    line_width = 0;
  };
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string_view word = text.substr(start, end - start);
    start = end + 1;
    if (word.empty()) {
      continue;
    }
    const std::size_t word_width = DisplayWidth(word);
    if (line_width > 0 && line_width + 1 + word_width > width) {
      flush();
    }
    if (line_width > 0) {
      line += ' ';
      ++line_width;
    }
    for (std::size_t pos = 0; pos < word.size();) {
      const std::size_t from = pos;
      const std::size_t columns = WidthOf(NextCodePoint(word, pos));
      if (line_width > 0 && line_width + columns > width) {
        flush();
      }
      line += word.substr(from, pos - from);
      line_width += columns;
    }
  }
  if (!line.empty() || lines.empty()) {
    flush();
  }
  return lines;
}

std::string Thousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

std::string Counted(std::uint64_t number, std::string_view singular) {
  return fmt::format("{} {}{}", Thousands(number), singular, number == 1 ? "" : "s");
}

std::string PercentText(std::optional<double> percent) {
  if (!percent) {
    return "n/a";
  }
  // The small term keeps 41.2 (stored as 41.1999...) from becoming 41.1.
  return fmt::format("{:.1f} %", std::floor(*percent * 10 + 1e-9) / 10);
}

std::string DateText(TimePoint t) { return FormatIso8601(t).substr(0, 10); }

std::string MinuteText(TimePoint t) {
  const std::string iso = FormatIso8601(t);
  return iso.substr(0, 10) + ' ' + iso.substr(11, 5) + " UTC";
}

std::string DurationText(Millis duration) {
  const std::int64_t ms = std::max<std::int64_t>(duration.count(), 0);
  if (ms < 10'000) {
    return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  }
  const std::int64_t s = ms / 1000;
  if (s < 60) {
    return fmt::format("{} s", s);
  }
  if (s < 3600) {
    return fmt::format("{} min {:02} s", s / 60, s % 60);
  }
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

std::string ShellWord(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:,@%+=").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) {
    return std::string(text);
  }
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace keyturn::report
