// A trail proves what was appended: Verify accepts exactly that, and finds every tampering.
#include "trail/trail.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "trail/chain.h"
#include "trail/testing.h"

namespace keyturn::trail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

unsigned ModeOf(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line;
  }
  return text;
}

TEST(ChainLine, HasOneSpelling) {
  std::string line;
  const ChainStep step{kFirstPrevious, 7, "abc\n", true};
  const ChainValue value = AppendChainLine(TestKey(), step, line);
  EXPECT_THAT(line, testing::StartsWith(
                        R"({"keyturnChain":1,"sequence":7,"bytes":4,"recovered":true,"value":")"));
  EXPECT_LE(line.size(), kChainLineBytesMax);
  line.pop_back();
  EXPECT_TRUE(IsChainLine(line));
  const auto parsed = ParseChainLine(line);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->sequence, 7U);
  EXPECT_EQ(parsed->bytes, 4U);
  EXPECT_TRUE(parsed->recovered);
  EXPECT_EQ(parsed->value, value);
  EXPECT_EQ(ComputeChainValue(TestKey(), kFirstPrevious, "abc\n", parsed->signed_text), value);
  for (std::size_t cut = 0; cut < line.size(); ++cut) {
    EXPECT_FALSE(ParseChainLine(line.substr(0, cut)));
  }
  EXPECT_FALSE(ParseChainLine(line + " "));
}

TEST(ChainLine, OtherSpellingsAreRefused) {
  const std::string value(64, 'a');
  const auto error = [&](const std::string& members) {
    const auto parsed = ParseChainLine("{" + members + ",\"value\":\"" + value + "\"}");
    return parsed ? ErrorCode::kInternal : parsed.error().code;
  };
  EXPECT_TRUE(
      ParseChainLine(R"({"keyturnChain":1,"sequence":1,"bytes":1,"value":")" + value + "\"}"));
  EXPECT_EQ(error(R"("keyturnChain":2,"sequence":1,"bytes":1)"), ErrorCode::kNewerFormat);
  for (const char* members :
       {R"("keyturnChain":0,"sequence":1,"bytes":1)", R"("keyturnChain":1,"sequence":0,"bytes":1)",
        R"("keyturnChain":1,"sequence":01,"bytes":1)",
        R"("keyturnChain":1,"sequence":-1,"bytes":1)",
        R"("keyturnChain":1, "sequence":1,"bytes":1)", R"("keyturnChain":1,"bytes":1,"sequence":1)",
        R"("keyturnChain":1,"sequence":18446744073709551616,"bytes":1)",
        R"("keyturnChain":1,"sequence":1,"bytes":1,"recovered":false)"}) {
    EXPECT_EQ(error(members), ErrorCode::kMalformed) << members;
  }
}

TEST_F(TrailTest, WhatIsAppendedIsVerified) {
  Head head;
  {
    const auto trail = Open();
    EXPECT_EQ(trail->head().sequence, 0U);
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ASSERT_TRUE(trail->Append(RecordLine(2) + RecordLine(3)));
    head = trail->head();
  }
  EXPECT_EQ(head.sequence, 2U);
  const auto result = Check(head);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->records, 3U);
  EXPECT_EQ(result->segments, 1U);
  EXPECT_EQ(result->recovered, 0U);
  EXPECT_EQ(result->open_bytes, 0U);
  EXPECT_EQ(result->head.mac_hex, head.mac_hex);
}

TEST_F(TrailTest, ContinuesWhereTheProcessBeforeEnded) {
  for (int start = 1; start < 50; start += 7) {
    Fill(start, start + 6);
  }
  EXPECT_EQ(Check()->records, 49U);
  EXPECT_EQ(Check()->head.sequence, 49U);
}

TEST_F(TrailTest, SegmentsFollowEachOtherAndAreReopened) {
  options_.segment_bytes_max = 1'000;
  Fill(1, 20);
  const Head head = Fill(21, 40);
  ASSERT_GT(Segments().size(), 5U);
  for (const auto& path : Segments()) {
    EXPECT_LE(std::filesystem::file_size(path), 1'000U);
    EXPECT_EQ(ModeOf(path), 0600U);
  }
  EXPECT_EQ(ModeOf(directory_ / "trail"), 0700U);
  const auto result = Check(head);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->records, 40U);
  EXPECT_EQ(result->segments, Segments().size());
}

TEST_F(TrailTest, OneAppendLongerThanASegmentIsTaken) {
  options_.segment_bytes_max = 100;
  std::string lines;
  for (int i = 0; i < 5'000; ++i) {
    lines += RecordLine(i);
  }
  ASSERT_TRUE(Open()->Append(lines));
  ASSERT_TRUE(Open()->Append(lines));
  EXPECT_EQ(Check()->records, 10'000U);
  EXPECT_EQ(Segments().size(), 2U);
}

TEST_F(TrailTest, TakesOnlyWholeLinesOfObjects) {
  const auto trail = Open();
  std::string chain;
  AppendChainLine(TestKey(), {kFirstPrevious, 1, "", false}, chain);
  for (const std::string& bad : {std::string(), std::string("\n"), std::string("{}"),
                                 std::string("{}\n\n"), std::string("{\n}\n"), std::string("[]\n"),
                                 RecordLine(1) + "x\n", chain, RecordLine(1) + chain}) {
    const Status status = trail->Append(bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().code, ErrorCode::kInternal);
  }
  EXPECT_TRUE(trail->Append(RecordLine(1)));
  EXPECT_EQ(Check()->records, 1U);
}

TEST_F(TrailTest, MoreThanAGroupTakesGoesIntoSeveral) {
  const std::string line = "{" + std::string((20U << 20) - 3, ' ') + "}\n";
  const auto trail = Open();
  const std::string lines = line + line + line + line;
  EXPECT_FALSE(trail->Append(lines));
  ASSERT_TRUE(AppendAll(*trail, lines));
  EXPECT_EQ(trail->head().sequence, 2U);
  ASSERT_TRUE(AppendAll(*trail, RecordLine(1)));
  EXPECT_EQ(Check()->records, 5U);
  EXPECT_FALSE(AppendAll(*trail, ""));
  EXPECT_FALSE(AppendAll(*trail, std::string(65U << 20, 'x') + "\n"));
}

TEST_F(TrailTest, TwoTrailsNeverShareADirectory) {
  const auto trail = Open();
  EXPECT_EQ(OpenError(), ErrorCode::kLocked);
}

TEST_F(TrailTest, AnotherKeyVerifiesNothing) {
  Fill(1, 3);
  const auto verified = Verify(directory_, TestKey(0x01), {});
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::kCorrupt);
  const auto opened = Trail::Open(options_, TestKey(0x01), {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
}

TEST_F(TrailTest, VerifyOfADirectoryWithoutTrail) { EXPECT_EQ(CheckError(), ErrorCode::kNotFound); }

TEST_F(TrailTest, EveryChangedByteIsFound) {
  Fill(1, 4);
  const auto path = Segments().front();
  const std::string good = ReadFile(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x01);
    WriteFile(path, bad);
    const auto result = Check();
    // A broken last chain line leaves its records open: the chain ends one earlier.
    ASSERT_TRUE(!result || (result->head.sequence == 3 && result->open_bytes > 0)) << i;
    ASSERT_TRUE(CheckError({4, ""})) << i;
  }
}

TEST_F(TrailTest, RemovedAddedAndReorderedLinesAreFound) {
  const Head head = Fill(1, 5);
  const auto path = Segments().front();
  const std::vector<std::string> good = Lines(ReadFile(path));
  ASSERT_EQ(good.size(), 10U);
  const auto expect_corrupt = [&](const std::vector<std::string>& lines, const char* what) {
    WriteFile(path, Join(lines));
    EXPECT_EQ(CheckError(head), ErrorCode::kCorrupt) << what;
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto lines = good;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    expect_corrupt(lines, "one line removed");
    lines = good;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i), RecordLine(99));
    expect_corrupt(lines, "one line added");
    if (i % 2 == 0 && i + 2 < good.size()) {
      lines = good;
      std::swap(lines[i], lines[i + 2]);
      expect_corrupt(lines, "two records swapped");
      std::swap(lines[i + 1], lines[i + 3]);
      expect_corrupt(lines, "two appends swapped");
      lines = good;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i),
                  lines.begin() + static_cast<std::ptrdiff_t>(i + 2));
      expect_corrupt(lines, "one append removed");
    }
  }
}

TEST_F(TrailTest, ErrorsNameFileAndLine) {
  Fill(1, 3);
  const auto path = Segments().front();
  auto lines = Lines(ReadFile(path));
  lines[2].replace(lines[2].find("1.11"), 4, "9.99");
  WriteFile(path, Join(lines));
  EXPECT_THAT(Check().error().message, HasSubstr(path.string() + ":4: the chain value"));
}

TEST_F(TrailTest, MissingAndExchangedSegmentsAreFound) {
  options_.segment_bytes_max = 500;
  const Head head = Fill(1, 12);
  const auto segments = Segments();
  ASSERT_GE(segments.size(), 4U);
  for (const auto& path : segments) {
    const std::string text = ReadFile(path);
    std::filesystem::remove(path);
    EXPECT_EQ(CheckError(head), ErrorCode::kCorrupt) << path;
    WriteFile(path, "");
    EXPECT_EQ(CheckError(head), ErrorCode::kCorrupt) << path;
    WriteFile(path, text);
  }
  ASSERT_FALSE(CheckError(head));
  const std::string first = ReadFile(segments[0]);
  WriteFile(segments[0], ReadFile(segments[1]));
  WriteFile(segments[1], first);
  EXPECT_EQ(CheckError(head), ErrorCode::kCorrupt);
}

TEST_F(TrailTest, ACutEndIsFoundByWhatWasReached) {
  const Head early = Fill(1, 3);
  const Head head = Fill(4, 5);
  const auto path = Segments().front();
  auto lines = Lines(ReadFile(path));
  lines.resize(8);  // without the fifth append
  WriteFile(path, Join(lines));
  EXPECT_FALSE(CheckError());  // nothing in the file can tell
  EXPECT_FALSE(CheckError(early));
  EXPECT_EQ(CheckError(head), ErrorCode::kCorrupt);
  EXPECT_EQ(OpenError(head), ErrorCode::kCorrupt);
  EXPECT_EQ(ReadFile(path), Join(lines));  // and nothing was changed
  EXPECT_FALSE(OpenError(early));
}

TEST_F(TrailTest, AReplacedEndIsFoundByWhatWasReached) {
  const Head head = Fill(1, 3);
  const Head other{head.sequence, std::string(64, '0')};
  EXPECT_EQ(CheckError(other), ErrorCode::kCorrupt);
  EXPECT_EQ(OpenError(other), ErrorCode::kCorrupt);
}

TEST_F(TrailTest, RecentEventIdsReadBackwardsOverSegments) {
  options_.segment_bytes_max = 500;
  const auto trail = Open();
  for (int i = 1; i <= 12; ++i) {
    ASSERT_TRUE(trail->Append(RecordLine(i)));
  }
  EXPECT_EQ(trail->RecentEventIds(1U << 20)->size(), 12U);
  EXPECT_EQ(trail->RecentEventIds(1U << 20)->front(), EventId(1));
  EXPECT_EQ(trail->RecentEventIds(700)->back(), EventId(12));
  EXPECT_LT(trail->RecentEventIds(700)->size(), 6U);
  EXPECT_TRUE(trail->RecentEventIds(0)->empty());
  // A value inside a record is not its id.
  ASSERT_TRUE(
      trail->Append("{\"requestParameters\":{\"eventID\":\"forged\"},\"eventID\":\"x\"}\n"));
  EXPECT_THAT(*trail->RecentEventIds(300), ElementsAre("x"));
}

TEST_F(TrailTest, StrayFilesAreLeftAlone) {
  Fill(1, 2);
  WriteFile(directory_ / "trail" / "notes.txt", "x");
  WriteFile(directory_ / "trail" / "00000000000000000001.5.torn", "x");
  Fill(3, 4);
  EXPECT_EQ(Check()->records, 4U);
}

}  // namespace
}  // namespace keyturn::trail
