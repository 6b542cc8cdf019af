// Repair: what a crash left is made whole from the redo log and the segment; what does not fit, or
// had been synced, is not touched. power_failure_test.cc has it at random.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <thread>

#include "trail/redo_testing.h"

namespace keyturn::trail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RepairTest : public RedoLogTest {
 protected:
  // DamageIsLeftToVerify: a start moves nothing of a segment in which a synced record was changed.
  void DamageIsLeftToVerify() {
    std::string damaged = ReadFile(Segments()[0]);
    damaged.replace(damaged.find("1.11"), 4, "9.99");
    WriteFile(Segments()[0], damaged);
    EXPECT_FALSE(OpenError());
    EXPECT_TRUE(ReadFile(Segments()[0]) == damaged);
    EXPECT_EQ(CheckError(), ErrorCode::kCorrupt);
  }
};

TEST_F(RepairTest, WhatTheSegmentLostIsWrittenAgain) {
  for (const SyncMode next : {SyncMode::kAlways, SyncMode::kPeriodic}) {
    std::filesystem::remove_all(directory_);
    options_.sync = SyncMode::kAlways;
    Crash(3);
    const std::string good = ReadFile(Segments()[0]);
    const std::size_t group_bytes = good.size() / 3;
    std::string holed = good;
    holed.replace(group_bytes, group_bytes, group_bytes, '\0');
    options_.sync = next;
    for (const std::string& left : {good, good.substr(0, good.size() / 2), std::string(), holed}) {
      const std::string log = ReadFile(log_path_);
      WriteFile(Segments()[0], left);
      if (left == holed) {
        EXPECT_THAT(Check().error().message, HasSubstr("redo.log is there"));
      }
      EXPECT_THAT(EventIds(), ElementsAre(EventId(1), EventId(2), EventId(3)));
      EXPECT_EQ(ReadFile(Segments()[0]), good);
      EXPECT_FALSE(std::filesystem::exists(log_path_));
      EXPECT_EQ(Check()->recovered, 0U);
      WriteFile(log_path_, log);
    }
  }
}

TEST_F(RepairTest, WhatNobodyWasAnsweredIsSetAside) {
  Crash(3);
  const std::string good = ReadFile(Segments()[0]);
  const std::size_t group_bytes = good.size() / 3;
  std::string log = ReadFile(log_path_);
  log.replace(kPage, 2 * kPage, 2 * kPage, '\0');  // as if no sync had followed the second one
  WriteFile(log_path_, log);
  std::string holed = good;
  holed.replace(group_bytes, 10, 10, '\0');
  WriteFile(Segments()[0], holed);
  EXPECT_THAT(EventIds(), ElementsAre(EventId(1)));
  EXPECT_EQ(Check()->open_bytes, 0U);
  const auto torn = directory_ / "trail" / fmt::format("00000000000000000001.{}.torn", group_bytes);
  EXPECT_TRUE(ReadFile(torn) == holed.substr(group_bytes));
}

TEST_F(RepairTest, ALogThatDoesNotFitChangesNothing) {
  options_.segment_bytes_max = 500;  // two records
  Crash(3);
  const auto segments = Segments();
  ASSERT_EQ(segments.size(), 2U);
  const std::string log = ReadFile(log_path_);

  std::filesystem::remove(segments[1]);
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  EXPECT_TRUE(ReadFile(log_path_) == log);

  // What had been synced is not the log's to bring back.
  std::filesystem::remove_all(directory_);
  Fill(1, 1);
  Crash(1);
  const std::string later = ReadFile(log_path_);
  const std::string shorter = ReadFile(Segments().back()).substr(0, 100);
  WriteFile(Segments().back(), shorter);
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  EXPECT_TRUE(ReadFile(log_path_) == later);
  EXPECT_TRUE(ReadFile(Segments().back()) == shorter);

  WriteFile(log_path_, "{\"keyturnRedo\":2,\"whatever\":1}\n");
  EXPECT_EQ(OpenError(), ErrorCode::kNewerFormat);
}

TEST_F(RepairTest, ALogOfEarlierSegmentsIsPast) {
  options_.segment_bytes_max = 500;
  Crash(2);
  const std::string log = ReadFile(log_path_);
  Fill(3, 4);
  ASSERT_EQ(Segments().size(), 2U);
  const std::string last = ReadFile(Segments()[1]);
  WriteFile(log_path_, log);
  EXPECT_FALSE(OpenError());
  EXPECT_EQ(ReadFile(Segments()[1]), last);
  EXPECT_FALSE(std::filesystem::exists(log_path_));
}

// A server without redo logs, or of another time, went on where this log is about.
TEST_F(RepairTest, ASegmentThatWentOnWithoutTheLogIsLeftAlone) {
  Crash(3);
  const std::string log = ReadFile(log_path_);
  const std::string good = ReadFile(Segments()[0]);
  WriteFile(Segments()[0], good.substr(0, good.size() / 3));
  std::filesystem::remove(log_path_);
  const Head head = Fill(12, 20);
  const std::string went_on = ReadFile(Segments()[0]);
  WriteFile(log_path_, log);
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  EXPECT_TRUE(ReadFile(Segments()[0]) == went_on);
  // Nor is a trail taken back to before the head that is known.
  WriteFile(Segments()[0], good.substr(0, good.size() / 3));
  EXPECT_EQ(OpenError(head), ErrorCode::kCorrupt);
  EXPECT_TRUE(ReadFile(Segments()[0]) == good.substr(0, good.size() / 3));
  EXPECT_FALSE(OpenError());
}

TEST_F(RepairTest, RecordsBeforeHalfAChainLineAreKept) {
  Crash(2);
  std::string log = ReadFile(log_path_);
  log.replace(kPage, kPage, kPage, '\0');
  WriteFile(log_path_, log);
  const std::string good = ReadFile(Segments()[0]);
  WriteFile(Segments()[0], good.substr(0, good.size() - 40));
  EXPECT_THAT(EventIds(), ElementsAre(EventId(1), EventId(2)));
  EXPECT_EQ(Check()->recovered, 1U);
}

TEST_F(RepairTest, VerifyTellsThatThereIsOne) {
  Crash(2);
  EXPECT_TRUE(Check()->has_redo_log);
  (void)Open();
  EXPECT_FALSE(Check()->has_redo_log);
}

// CacheOps knows which bytes are on the disk. A sync that fails leaves the others in the page cache
// as if they were, as Linux does.
class CacheOps : public FileOps {
 public:
  ssize_t Write(int fd, const void* data, std::size_t size) override {
    const std::lock_guard lock(mutex_);
    const auto path = PathOps::PathOf(fd);
    Dirty(path, std::filesystem::file_size(path), size);
    return FileOps::Write(fd, data, size);
  }
  ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset) override {
    const std::lock_guard lock(mutex_);
    Dirty(PathOps::PathOf(fd), static_cast<std::uint64_t>(offset), size);
    return FileOps::WriteAt(fd, data, size, offset);
  }
  int DirectorySync(int /*fd*/) override { return 0; }
  int DataSync(int fd) override {
    const std::lock_guard lock(mutex_);
    const auto path = PathOps::PathOf(fd);
    const std::string text = ReadFile(path);
    std::string& disk = on_disk[path.filename().string()];
    disk.resize(text.size());
    for (const auto& [offset, size] : std::exchange(dirty_[path.filename().string()], {})) {
      if (segment_fails != 1 || path.extension() != ".jsonl") {
        disk.replace(offset, size, text, offset, size);
      }
    }
    errno = EIO;
    return path.extension() == ".jsonl" && segment_fails > 0 && --segment_fails == 0 ? -1 : 0;
  }

  int segment_fails = 0;  // the so many-th sync of a segment from now on
  std::map<std::string, std::string> on_disk;

 private:
  void Dirty(const std::filesystem::path& path, std::uint64_t offset, std::size_t size) {
    dirty_[path.filename().string()].emplace_back(offset, size);
  }
  std::mutex mutex_;
  std::map<std::string, std::vector<std::pair<std::size_t, std::size_t>>> dirty_;
};

TEST_F(RepairTest, WhatAFailedSyncLostIsWrittenAgainThoughItCanBeRead) {
  CacheOps ops;
  options_.file_ops = &ops;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ops.segment_fails = 1;
    std::string many;
    while (many.size() < 16 * kPage) {
      many += RecordLine(2);
    }
    EXPECT_FALSE(trail->Append(many));  // has no room in the log
  }
  const std::string segment = Segments()[0].filename().string();
  EXPECT_FALSE(ops.on_disk[segment].starts_with(RecordLine(1)));
  (void)Open();
  EXPECT_TRUE(ops.on_disk[segment].starts_with(RecordLine(1)));
  EXPECT_TRUE(ops.on_disk[segment] == ReadFile(Segments()[0]));  // with what was not answered
}

// OneIsTold: of two syncs of a segment at once, only the trail's own thread is told that it failed.
class OneIsTold : public FileOps {
 public:
  int DirectorySync(int /*fd*/) override { return 0; }
  int DataSync(int fd) override {
    if (PathOps::PathOf(fd).extension() != ".jsonl") {
      return 0;
    }
    if (std::this_thread::get_id() == appender) {
      ++by_appender;
      return 0;
    }
    if (!armed.exchange(false)) {
      return 0;
    }
    syncing = true;
    std::this_thread::sleep_for(Millis{100});  // time for the appender to come
    errno = EIO;
    return -1;
  }
  std::thread::id appender = std::this_thread::get_id();
  std::atomic<bool> armed = false;
  std::atomic<bool> syncing = false;
  std::atomic<int> by_appender = 0;
};

TEST_F(RepairTest, NobodyElsesSyncHidesAFailure) {
  for (const SyncMode sync : {SyncMode::kAlways, SyncMode::kPeriodic}) {
    std::filesystem::remove_all(directory_);
    OneIsTold ops;
    options_.file_ops = &ops;
    options_.sync = sync;
    options_.sync_delay = Millis{1};
    options_.segment_bytes_max = 500;
    {
      const auto trail = Open();
      ops.by_appender = 0;
      ops.armed = true;
      ASSERT_TRUE(trail->Append(RecordLine(1)));
      while (!ops.syncing) {
        std::this_thread::yield();
      }
      ASSERT_TRUE(trail->Append(RecordLine(2)));
      EXPECT_FALSE(trail->Append(RecordLine(3)));  // begins a segment, so syncs the one before it
      EXPECT_FALSE(trail->Sync());
      EXPECT_EQ(ops.by_appender, 0);
    }
    EXPECT_EQ(Segments().size(), 1U);
    if (sync == SyncMode::kAlways) {
      WriteFile(Segments()[0], "");  // what the failed sync may come to
      options_.file_ops = &quick_;
      EXPECT_THAT(EventIds(), ElementsAre(EventId(1), EventId(2)));
    }
  }
}

// NoDirectory fails to sync a directory once.
class NoDirectory : public QuickOps {
 public:
  int DirectorySync(int /*fd*/) override {
    errno = EIO;
    return std::exchange(fails, false) ? -1 : 0;
  }
  bool fails = false;
};

TEST_F(RepairTest, ASegmentThatWasBegunInVainEndsTheTrail) {
  NoDirectory ops;
  options_.file_ops = &ops;
  options_.segment_bytes_max = 600;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ops.fails = true;
    const std::string lines = RecordLine(7) + RecordLine(8) + RecordLine(9) + RecordLine(10);
    EXPECT_FALSE(trail->Append(lines));
    EXPECT_FALSE(trail->Append(RecordLine(2)));  // would have fitted the first one
  }
  EXPECT_THAT(EventIds(), ElementsAre(EventId(1)));
}

TEST_F(RepairTest, ALogAboutTheSequencesOfALaterSegmentDoesNotFit) {
  Crash(3);
  const std::string good = ReadFile(Segments()[0]);
  WriteFile(Segments()[0], good.substr(0, good.size() / 3 * 2));
  WriteFile(SegmentPath(directory_ / "trail", 3), "");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
}

// What had been synced is no power failure's to break: verify tells of it, and nothing is moved.
TEST_F(RepairTest, DamageBeforeTheMarkIsLeftToVerify) {
  options_.sync = SyncMode::kPeriodic;
  Crash(4, 3);
  DamageIsLeftToVerify();
}

// As in a copy that was made file by file while the server ran.
TEST_F(RepairTest, AMarkThatIsNewerThanTheSegmentIsNotUsed) {
  options_.sync = SyncMode::kPeriodic;
  options_.segment_bytes_max = 500;  // two records
  std::string first;
  std::string later_mark;
  std::string next_mark;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    first = ReadFile(Segments()[0]);
    ASSERT_TRUE(trail->Append(RecordLine(2)));
    ASSERT_TRUE(trail->Sync());
    later_mark = ReadFile(log_path_);
    ASSERT_TRUE(trail->Append(RecordLine(3)));
    ASSERT_TRUE(trail->Sync());
    next_mark = ReadFile(log_path_);
  }
  std::filesystem::remove(Segments()[1]);
  for (const std::string& mark : {later_mark, next_mark}) {
    WriteFile(Segments()[0], first);
    WriteFile(log_path_, mark);
    EXPECT_THAT(EventIds(), ElementsAre(EventId(1)));
    EXPECT_TRUE(ReadFile(Segments()[0]) == first);
  }
}

TEST_F(RepairTest, AMarkOfTheSegmentBeforeIsPast) {
  options_.sync = SyncMode::kPeriodic;
  options_.segment_bytes_max = 500;  // two records
  std::string mark;
  Head head;
  std::string last;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ASSERT_TRUE(trail->Append(RecordLine(2)));
    ASSERT_TRUE(trail->Sync());
    mark = ReadFile(log_path_);
    ASSERT_TRUE(trail->Append(RecordLine(3)));
    head = trail->head();
    last = ReadFile(Segments()[1]);
  }
  for (const std::string& left : {last, last.substr(0, 20), std::string()}) {
    WriteFile(log_path_, mark);  // the disk does not have the next one
    WriteFile(Segments()[1], left);
    EXPECT_FALSE(OpenError(left == last ? head : Head())) << left;
    EXPECT_FALSE(CheckError()) << left;
  }
}

TEST_F(RepairTest, ALogAndASegmentOfAnotherKeyAreLeftAlone) {
  Crash(3);
  const std::string log = ReadFile(log_path_);
  const std::string segment = ReadFile(Segments()[0]);
  const auto trail = Trail::Open(options_, TestKey(0x11), {});
  ASSERT_FALSE(trail);
  EXPECT_EQ(trail.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(ReadFile(log_path_) == log);
  EXPECT_TRUE(ReadFile(Segments()[0]) == segment);
}

TEST_F(RepairTest, DamageBeforeAnIdleServerIsLeftToVerify) {
  Fill(1, 3);
  Crash(0);
  DamageIsLeftToVerify();
}

TEST_F(RepairTest, AStartWhoseSyncFailsKeepsTheLog) {
  Crash(2);
  const std::string log = ReadFile(log_path_);
  WriteFile(Segments()[0], ReadFile(Segments()[0]) + RecordLine(3));
  CacheOps ops;
  ops.segment_fails = 2;  // the first one is the repair's
  options_.file_ops = &ops;
  EXPECT_EQ(OpenError(), ErrorCode::kIo);
  EXPECT_TRUE(ReadFile(log_path_) == log);
  (void)Open();
  EXPECT_TRUE(ops.on_disk[Segments()[0].filename().string()] == ReadFile(Segments()[0]));
  EXPECT_THAT(EventIds(), ElementsAre(EventId(1), EventId(2), EventId(3)));
}

}  // namespace
}  // namespace keyturn::trail
