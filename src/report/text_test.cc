// Text: foreign words are made harmless, widths are counted, lines wrapped, numbers never flatter.
#include "report/text.h"

#include <gtest/gtest.h>

namespace keyturn::report {
namespace {

using Lines = std::vector<std::string>;

TEST(Harmless, KeepsOrdinaryTextInAnyScript) {
  EXPECT_EQ(Harmless("alias/注文 é 🔑"), "alias/注文 é 🔑");
}

TEST(Harmless, ReplacesTerminalControls) {
  EXPECT_EQ(Harmless("\x1b[31mred"), "\uFFFD[31mred");
  EXPECT_EQ(Harmless(std::string_view("a\0b\x7f", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(Harmless("\u009b31m"), "\uFFFD31m");  // the one-character form of ESC [
  EXPECT_EQ(Harmless("two\r\nlines\there"), "two  lines here");
}

TEST(Harmless, ReplacesWhatDisguisesNames) {
  EXPECT_EQ(Harmless("safe\u202Eexe"), "safe\uFFFDexe");
  EXPECT_EQ(Harmless("a\u200Bb\u2066c\uFEFF"), "a\uFFFDb\uFFFDc\uFFFD");
}

TEST(Harmless, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(Harmless("\xff"), "\uFFFD");
  EXPECT_EQ(Harmless("\xc0\xaf"), "\uFFFD\uFFFD");                 // overlong
  EXPECT_EQ(Harmless("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");       // surrogate
  EXPECT_EQ(Harmless("\xf4\x90\x80\x80").substr(0, 3), "\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(Harmless("cut \xe6\xb3"), "cut \uFFFD\uFFFD");
}

TEST(WellFormed, KeepsControlsForFormatsThatEscapeThem) {
  EXPECT_EQ(WellFormed("\x1b\u202E"), "\x1b\u202E");
  EXPECT_EQ(WellFormed("a\xff"), "a\uFFFD");
}

TEST(Ascii, LeavesOneSignForEachCharacter) { EXPECT_EQ(Ascii("é注a🔑"), "??a?"); }

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("注文"), 4U);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1U);
  EXPECT_EQ(DisplayWidth("🔑"), 2U);
  EXPECT_EQ(PadRight("注", 4), "注  ");
  EXPECT_EQ(PadRight("abcdef", 4), "abcdef");
}

TEST(Wrap, BreaksAtSpacesAndCutsLongWords) {
  EXPECT_EQ(Wrap("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(Wrap("abcdefgh ij", 3), (Lines{"abc", "def", "gh", "ij"}));
  EXPECT_EQ(Wrap("", 10), Lines{""});
  EXPECT_EQ(Wrap("  a  b  ", 10), Lines{"a b"});
  EXPECT_EQ(Wrap("ab", 0), (Lines{"a", "b"}));
  EXPECT_EQ(Wrap("注文キー", 5), (Lines{"注文", "キー"}));
}

TEST(Wrap, NeverExceedsTheWidth) {
  const std::string text = "The quick brown fox-jumps-over-the-lazy dog 注文注文注文 and more";
  for (std::size_t width = 2; width < 40; ++width) {
    for (const auto& line : Wrap(text, width)) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(Numbers, AreReadable) {
  EXPECT_EQ(Thousands(0), "0");
  EXPECT_EQ(Thousands(999), "999");
  EXPECT_EQ(Thousands(1000), "1,000");
  EXPECT_EQ(Thousands(1234567), "1,234,567");
  EXPECT_EQ(Counted(1, "key"), "1 key");
  EXPECT_EQ(Counted(0, "key"), "0 keys");
}

TEST(PercentText, IsNeverRoundedUpToAll) {
  EXPECT_EQ(PercentText(99.999), "99.9 %");
  EXPECT_EQ(PercentText(100.0), "100.0 %");
  EXPECT_EQ(PercentText(41.2), "41.2 %");
  EXPECT_EQ(PercentText(0.0), "0.0 %");
  EXPECT_EQ(PercentText(std::nullopt), "n/a");
}

TEST(DurationText, PicksTheUnit) {
  EXPECT_EQ(DurationText(Millis{420}), "0.4 s");
  EXPECT_EQ(DurationText(Millis{12'900}), "12 s");
  EXPECT_EQ(DurationText(Millis{200'000}), "3 min 20 s");
  EXPECT_EQ(DurationText(Millis{3'900'000}), "1 h 05 min");
  EXPECT_EQ(DurationText(Millis{-5}), "0.0 s");
}

TEST(ShellWord, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(ShellWord("us-east-1"), "us-east-1");
  EXPECT_EQ(ShellWord("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
  EXPECT_EQ(ShellWord("a b"), "'a b'");
  EXPECT_EQ(ShellWord("x; rm -rf ~"), "'x; rm -rf ~'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord("$(id)"), "'$(id)'");
  EXPECT_EQ(ShellWord(""), "''");
}

}  // namespace
}  // namespace keyturn::report
