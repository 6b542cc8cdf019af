#include "report/canvas.h"

#include <algorithm>

#include "report/text.h"

namespace keyturn::report {
namespace {

constexpr std::size_t kWidthMin = 40;

constexpr Glyphs kUnicode = {"✓", "✗", "!", "–", "·", "█", "░", "─", "…"};
constexpr Glyphs kAscii = {"+", "x", "!", "-", "|", "#", ".", "-", "..."};

std::string_view EscapeOf(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kDim:
      return "\x1b[2m";
    case Ink::kRed:
      return "\x1b[31m";
    case Ink::kYellow:
      return "\x1b[33m";
    case Ink::kGreen:
      return "\x1b[32m";
    case Ink::kBlue:
      return "\x1b[36m";
    case Ink::kBoldRed:
      return "\x1b[1;31m";
    case Ink::kBoldYellow:
      return "\x1b[1;33m";
    case Ink::kBoldGreen:
      return "\x1b[1;32m";
  }
  return "";
}

}  // namespace

Canvas::Canvas(const TerminalStyle& style)
    : width_(std::max(style.width, kWidthMin)),
      color_(style.color),
      unicode_(style.unicode),
      glyphs_(style.unicode ? kUnicode : kAscii) {}

std::string Canvas::Paint(Ink ink, std::string_view text) const {
  if (!color_ || ink == Ink::kPlain || text.empty()) {
    return std::string(text);
  }
  std::string out(EscapeOf(ink));
  out += text;
  out += "\x1b[0m";
  return out;
}

std::string Canvas::Clean(std::string_view text) const {
  return unicode_ ? Harmless(text) : Ascii(Harmless(text));
}

void Canvas::Line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(' ');
  out_ += text.substr(0, end == std::string_view::npos ? 0 : end + 1);
  out_ += '\n';
}

void Canvas::Paragraph(std::string_view text, std::size_t indent, Ink ink) {
  for (const auto& line : Wrap(text, width_ > indent ? width_ - indent : 1)) {
    Line(std::string(indent, ' ') + Paint(ink, line));
  }
}

}  // namespace keyturn::report
