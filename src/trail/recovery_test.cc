// After a crash: the trail opens whatever the last write left, keeps every whole record, loses
// nothing that it cannot explain, and stays verifiable.
#include <gmock/gmock.h>

#include "trail/testing.h"

namespace keyturn::trail {
namespace {

using testing::HasSubstr;

class RecoveryTest : public TrailTest {
 protected:
  // TornText joins what was set aside.
  std::string TornText() {
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "trail")) {
      if (entry.path().extension() == ".torn") {
        text += ReadFile(entry.path());
      }
    }
    return text;
  }
  void Reset(std::string_view segment) {
    std::filesystem::remove_all(directory_ / "trail");
    std::filesystem::create_directory(directory_ / "trail");
    WriteFile(SegmentPath(directory_ / "trail", 1), segment);
  }
};

TEST_F(RecoveryTest, ACutAtAnyByteIsRepaired) {
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ASSERT_TRUE(trail->Append(RecordLine(2) + RecordLine(3)));
  }
  const std::string good = ReadFile(Segments().front());
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    Reset(good.substr(0, cut));
    const Head head = Fill(4, 4);
    const auto result = Check(head);
    ASSERT_TRUE(result) << cut << " " << result.error().message;
    ASSERT_EQ(result->open_bytes, 0U);
    ASSERT_EQ(result->head.sequence, head.sequence);
    // Whole records stay, the rest is set aside.
    const std::string kept = ReadFile(Segments().front());
    for (int i = 1; i <= 3; ++i) {
      const bool whole = good.substr(0, cut).find(RecordLine(i)) != std::string::npos;
      ASSERT_EQ(kept.find(RecordLine(i)) != std::string::npos, whole) << cut;
    }
    const std::size_t line_end = good.substr(0, cut).rfind('\n');
    const std::size_t torn_from = line_end == std::string::npos ? 0 : line_end + 1;
    ASSERT_EQ(TornText(), good.substr(torn_from, cut - torn_from)) << cut;
  }
}

TEST_F(RecoveryTest, OpenLinesAreClosedAndMarked) {
  Fill(1, 2);
  const auto path = Segments().front();
  WriteFile(path, ReadFile(path) + RecordLine(3) + RecordLine(4) + "{\"eventVer");
  EXPECT_EQ(Check()->records, 2U);
  EXPECT_GT(Check()->open_bytes, 0U);
  const Head head = Open()->head();
  EXPECT_EQ(head.sequence, 3U);
  const auto result = Check(head);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->records, 4U);
  EXPECT_EQ(result->recovered, 1U);
  EXPECT_EQ(TornText(), "{\"eventVer");
  EXPECT_THAT(ReadFile(path), HasSubstr(R"("sequence":3,"bytes":146,"recovered":true)"));
}

TEST_F(RecoveryTest, WhatIsNoRecordIsSetAside) {
  Fill(1, 2);
  const auto path = Segments().front();
  const std::string zeros(4096, '\0');
  WriteFile(path, ReadFile(path) + RecordLine(3) + zeros + "\n" + RecordLine(4));
  Fill(5, 5);
  EXPECT_EQ(Check()->records, 4U);
  EXPECT_EQ(TornText(), zeros + "\n" + RecordLine(4));
}

TEST_F(RecoveryTest, TornBytesOfTwoCrashesAtOnePlaceAreBothKept) {
  Fill(1, 1);
  const auto path = Segments().front();
  const std::string good = ReadFile(path);
  WriteFile(path, good + "{\"first");
  (void)Open();
  WriteFile(path, good + "{\"second");
  (void)Open();
  EXPECT_THAT(TornText(), HasSubstr("first"));
  EXPECT_THAT(TornText(), HasSubstr("second"));
  EXPECT_EQ(ReadFile(path), good);
}

TEST_F(RecoveryTest, ANewSegmentWithoutChainLine) {
  options_.segment_bytes_max = 400;
  Fill(1, 6);
  const Head head = Check()->head;
  const auto next = SegmentPath(directory_ / "trail", head.sequence + 1);
  for (const std::string& left : {std::string(), std::string("{\"torn"), RecordLine(7)}) {
    WriteFile(next, left);
    ASSERT_FALSE(OpenError(head)) << left;
    ASSERT_FALSE(CheckError(head)) << left;
    std::filesystem::remove(next);
  }
  WriteFile(SegmentPath(directory_ / "trail", head.sequence + 2), "");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
}

TEST_F(RecoveryTest, ATamperedEndIsNotRepaired) {
  Fill(1, 3);
  const auto path = Segments().front();
  std::string text = ReadFile(path);
  text.replace(text.rfind("1.11"), 4, "9.99");
  WriteFile(path, text);
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  EXPECT_EQ(ReadFile(path), text);
}

TEST_F(RecoveryTest, OpeningReadsOnlyTheEndOfALongSegment) {
  std::string many;
  for (int i = 0; i < 3'000; ++i) {
    many += RecordLine(i);
  }
  const auto trail_head = [&] {
    const auto trail = Open();
    EXPECT_TRUE(trail->Append(RecordLine(1)));
    EXPECT_TRUE(trail->Append(many));  // more than the first window
    EXPECT_TRUE(trail->Append(RecordLine(2)));
    EXPECT_TRUE(trail->Append(many));
    return trail->head();
  }();
  EXPECT_EQ(Open(trail_head)->head().mac_hex, trail_head.mac_hex);
  EXPECT_EQ(Fill(7, 7).sequence, 5U);
  EXPECT_FALSE(CheckError(trail_head));
}

}  // namespace
}  // namespace keyturn::trail
