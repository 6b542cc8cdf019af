// Canvas: lines of a terminal page: colours only if asked, ASCII glyphs where Unicode is not shown.
// Thread-safety: none; made and used in one function.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace keyturn::report {

enum class Ink {
  kPlain,
  kBold,
  kDim,
  kRed,
  kYellow,
  kGreen,
  kBlue,
  kBoldRed,
  kBoldYellow,
  kBoldGreen
};

// Glyphs: the few signs beyond ASCII that a page uses.
struct Glyphs {
  std::string_view pass, fail, warn, none, dot, bar, track, rule, ellipsis;
};

class Canvas {
 public:
  explicit Canvas(const TerminalStyle& style);

  std::size_t width() const { return width_; }
  const Glyphs& glyphs() const { return glyphs_; }

  // Paint returns text in the ink's escape codes, or as it is without colours. The text must be
  // Clean already.
  std::string Paint(Ink ink, std::string_view text) const;
  // Clean makes foreign text safe for this terminal.
  std::string Clean(std::string_view text) const;

  // Line ends a line; trailing spaces are dropped.
  void Line(std::string_view text = {});
  // Paragraph wraps clean text at the width behind an indentation.
  void Paragraph(std::string_view text, std::size_t indent, Ink ink = Ink::kPlain);

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
  std::size_t width_;
  bool color_;
  bool unicode_;
  const Glyphs& glyphs_;
};

}  // namespace keyturn::report
