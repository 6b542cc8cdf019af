// Text: widths, wrapping, escaping and numbers that all formats share.
// Thread-safety: pure functions. Strings are UTF-8; widths are terminal columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace keyturn::report {

// Harmless replaces what must not reach a terminal or page as is: control characters (a tab or line
// break becomes a space), bidi overrides, and bytes that are not UTF-8 (U+FFFD).
std::string Harmless(std::string_view text);
// WellFormed replaces bytes that are not UTF-8 by U+FFFD and keeps everything else.
std::string WellFormed(std::string_view text);
// Ascii replaces every character outside ASCII by '?'.
std::string Ascii(std::string_view text);

// DisplayWidth counts columns: wide East Asian characters and emoji 2, combining marks 0.
std::size_t DisplayWidth(std::string_view text);
// PadRight appends spaces up to width; longer text is unchanged.
std::string PadRight(std::string_view text, std::size_t width);
// Wrap breaks at spaces; a word longer than width is cut. At least one line; width 0 counts as 1.
std::vector<std::string> Wrap(std::string_view text, std::size_t width);

// Thousands: "12,345".
std::string Thousands(std::uint64_t number);
// Counted: "1 key", "2 keys", "12,345 keys".
std::string Counted(std::uint64_t number, std::string_view singular);
// PercentText: one decimal, rounded down, so that 100.0 % means all: "99.9 %"; "n/a" if absent.
std::string PercentText(std::optional<double> percent);
// DateText: "2026-11-24". MinuteText: "2026-11-24 00:23 UTC".
std::string DateText(TimePoint t);
std::string MinuteText(TimePoint t);
// DurationText: "0.4 s", "12 s", "3 min 20 s", "1 h 05 min".
std::string DurationText(Millis duration);

// ShellWord returns text as one word of a POSIX shell: as it is, or in single quotes.
std::string ShellWord(std::string_view text);

}  // namespace keyturn::report
