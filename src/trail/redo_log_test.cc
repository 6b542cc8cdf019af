// The redo log: what was written to it is found again and nothing else is taken for it; with
// kAlways it is what appends wait for.
#include <gmock/gmock.h>

#include "trail/redo_testing.h"

namespace keyturn::trail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Groups makes groups that continue each other.
class Groups {
 public:
  // Next is the group after the last one; valid until the next call.
  RedoGroup Next(const std::string& lines) {
    const ChainPlace begin = group_.end();  // of a mark at first, which ends where it begins
    bytes_ = lines;
    const ChainValue value =
        AppendChainLine(TestKey(), {begin.value, begin.sequence + 1, lines, false}, bytes_);
    written_ += bytes_.size();
    group_ = {1, begin, {}, value, bytes_};
    return group_;
  }
  std::uint64_t written() const { return written_; }

 private:
  RedoGroup group_;
  std::string bytes_;
  std::uint64_t written_ = 0;
};

Result<RedoLog::Outcome> WriteNext(RedoLog& log, Groups& groups, const std::string& lines,
                                   std::uint64_t in_segments) {
  const RedoGroup group = groups.Next(lines);
  return log.Write(group, groups.written(), in_segments);
}

TEST_F(RedoLogTest, GroupsAreFoundAgain) {
  const auto log = Create(8 * kPage);
  EXPECT_EQ(std::filesystem::file_size(log_path_), 8 * kPage + 1024);
  EXPECT_THAT(Found(), IsEmpty());
  Groups groups;
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(WriteNext(*log, groups, RecordLine(i), 0), RedoLog::Outcome::kWritten);
  }
  const std::string text = ReadFile(log_path_);
  const auto found = GroupsIn(text);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].begin.offset, 0U);
  EXPECT_EQ(found[1].begin.offset, found[0].bytes.size());
  EXPECT_TRUE(found[2].bytes.starts_with(RecordLine(3)));
  EXPECT_EQ(found[2].begin.value, found[1].value);
  EXPECT_THAT(FindRedoGroups(text, TestKey(0x11)), IsEmpty());
}

TEST_F(RedoLogTest, AHalfIsUsedAgainOnceTheSegmentsHoldIt) {
  const auto log = Create(8 * kPage);
  Groups groups;
  using enum RedoLog::Outcome;
  std::uint64_t first_half = 0;
  for (int i = 1; i <= 8; ++i) {
    EXPECT_EQ(WriteNext(*log, groups, RecordLine(i), 0), i == 5 ? kHalfFilled : kWritten);
    first_half = i == 4 ? groups.written() : first_half;
  }
  const RedoGroup ninth = groups.Next(RecordLine(9));
  EXPECT_EQ(log->Write(ninth, groups.written(), first_half - 1), kNoRoom);
  EXPECT_THAT(Found(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(log->Write(ninth, groups.written(), first_half), kHalfFilled);
  EXPECT_THAT(Found(), ElementsAre(2, 3, 4, 5, 6, 7, 8, 9));
  // A group of three pages overwrites three others.
  EXPECT_EQ(WriteNext(*log, groups, std::string(2 * kPage, ' ') + "\n", first_half), kWritten);
  EXPECT_THAT(Found(), ElementsAre(5, 6, 7, 8, 9, 10));
  EXPECT_EQ(WriteNext(*log, groups, std::string(4 * kPage, ' ') + "\n", ~std::uint64_t{0}),
            kNoRoom);
}

TEST_F(RedoLogTest, AChangedByteUnmakesItsGroup) {
  const auto log = Create(8 * kPage);
  Groups groups;
  std::size_t last_bytes = 0;
  for (int i = 1; i <= 3; ++i) {
    const RedoGroup group = groups.Next(RecordLine(i));
    EXPECT_TRUE(log->Write(group, groups.written(), 0));
    last_bytes = group.bytes.size();
  }
  const std::string good = ReadFile(log_path_);
  const std::size_t header_bytes = good.find('\n', 2 * kPage) + 1 - 2 * kPage;
  for (std::size_t at = 0; at < header_bytes + last_bytes; ++at) {
    std::string text = good;
    text[2 * kPage + at] = static_cast<char>(text[2 * kPage + at] ^ 1);
    ASSERT_EQ(GroupsIn(text).size(), 2U) << at;
  }
  for (std::size_t size = 0; size < good.size(); size += 7) {
    const std::string_view text = std::string_view(good).substr(0, size);
    ASSERT_LE(GroupsIn(text).size(), size / kPage + 1) << size;
  }
}

TEST_F(RedoLogTest, ItIsThereWhileTheTrailIsOpen) {
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    EXPECT_EQ(std::filesystem::status(log_path_).permissions(), std::filesystem::perms(0600));
    EXPECT_THAT(Found(), ElementsAre(1));
  }
  EXPECT_FALSE(std::filesystem::exists(log_path_));
  options_.sync = SyncMode::kPeriodic;
  {
    const auto trail = Open();
    EXPECT_TRUE(HoldsMarkOnly(std::filesystem::file_size(log_path_)));
    EXPECT_FALSE(Check()->has_redo_log);
  }
  EXPECT_FALSE(std::filesystem::exists(log_path_));
}

TEST_F(RedoLogTest, AppendsSyncTheLogOnly) {
  PathOps ops;
  options_.file_ops = &ops;
  options_.redo_log_bytes = 64 * kPage;
  const std::string segment = "00000000000000000001.jsonl";
  {
    const auto trail = Open();
    ops.Take();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ASSERT_TRUE(trail->Append(RecordLine(2)));
    ASSERT_TRUE(trail->Sync());
    EXPECT_THAT(ops.Take(), ElementsAre("redo.log", "redo.log"));
    std::string many;
    while (many.size() < 32 * kPage) {
      many += RecordLine(3);
    }
    ASSERT_TRUE(trail->Append(many));  // longer than half of the log
    EXPECT_THAT(ops.Take(), ElementsAre(segment));
    ASSERT_TRUE(trail->Append(RecordLine(4)));
    EXPECT_THAT(ops.Take(), ElementsAre("redo.log"));
  }
  EXPECT_THAT(ops.Take(), testing::Contains(segment));
  EXPECT_TRUE(Check());
}

TEST_F(RedoLogTest, AFilledHalfHasTheSegmentSynced) {
  PathOps ops;
  options_.file_ops = &ops;
  options_.redo_log_bytes = 8 * kPage;
  const auto trail = Open();
  ops.Take();
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(trail->Append(RecordLine(i)));
  }
  EXPECT_THAT(ops.Take(), testing::Each("redo.log"));
  ASSERT_TRUE(trail->Append(RecordLine(5)));
  // By the trail's own thread, long before its hour is over; else the test times out.
  ops.AwaitSyncOf("00000000000000000001.jsonl");
}

TEST_F(RedoLogTest, ALogThatIsTooSmallIsNoHindrance) {
  options_.redo_log_bytes = 2 * kPage;
  {
    const auto trail = Open();
    for (int i = 1; i <= 50; ++i) {
      ASSERT_TRUE(trail->Append(RecordLine(i)));
    }
  }
  EXPECT_EQ(Check()->records, 50U);
}

TEST_F(RedoLogTest, WithoutRoomForALogAppendsSyncTheSegment) {
  PathOps ops;
  ops.refuses_writes = true;
  options_.file_ops = &ops;
  const auto trail = Open();
  EXPECT_FALSE(std::filesystem::exists(log_path_));
  ops.Take();
  ASSERT_TRUE(trail->Append(RecordLine(1)));
  EXPECT_THAT(ops.Take(), ElementsAre("00000000000000000001.jsonl"));
}

TEST_F(RedoLogTest, WithRoomForAMarkOnlyAppendsSyncTheSegment) {
  PathOps ops;
  ops.room = kPage;
  options_.file_ops = &ops;
  const auto trail = Open();
  EXPECT_TRUE(HoldsMarkOnly(std::filesystem::file_size(log_path_)));
  ops.Take();
  ASSERT_TRUE(trail->Append(RecordLine(1)));
  EXPECT_THAT(ops.Take(), ElementsAre("00000000000000000001.jsonl"));
}

TEST_F(RedoLogTest, AFailedWriteToTheLogStopsTheTrail) {
  PathOps ops;
  options_.file_ops = &ops;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ops.refuses_writes = true;
    EXPECT_EQ(trail->Append(RecordLine(2)).error().code, ErrorCode::kNoSpace);
    ops.refuses_writes = false;
    EXPECT_THAT(trail->Append(RecordLine(3)).error().message, HasSubstr("has stopped"));
  }
  EXPECT_THAT(EventIds(), ElementsAre(EventId(1)));
}

}  // namespace
}  // namespace keyturn::trail
