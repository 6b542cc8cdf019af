// The redo log: with kAlways, what Append returned for is there after a power failure, whatever
// pages of the segment were lost; nothing else is ever taken for it.
#include "trail/redo_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "trail/testing.h"

namespace keyturn::trail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kPage = 4096;

// Groups makes groups that continue each other.
class Groups {
 public:
  // Next is the group after the last one; valid until the next call.
  RedoGroup Next(const std::string& lines) {
    const ChainPlace begin = group_.end();
    bytes_ = lines;
    const ChainValue value =
        AppendChainLine(TestKey(), {begin.value, begin.sequence + 1, lines, false}, bytes_);
    written_ += bytes_.size();
    group_ = {1, begin, {}, value, bytes_};
    return group_;
  }
  std::uint64_t written() const { return written_; }

 private:
  RedoGroup group_{1, {0, ~std::uint64_t{0}, {}}, {}, kFirstPrevious, {}};  // ends at the start
  std::string bytes_;
  std::uint64_t written_ = 0;
};

Result<RedoLog::Outcome> WriteNext(RedoLog& log, Groups& groups, const std::string& lines,
                                   std::uint64_t in_segments) {
  const RedoGroup group = groups.Next(lines);
  return log.Write(group, groups.written(), in_segments);
}

class RedoLogTest : public TrailTest {
 protected:
  RedoLogTest() {
    options_.sync = SyncMode::kAlways;
    options_.sync_delay = std::chrono::hours{1};
    options_.redo_log_bytes = 16 * kPage;
    log_path_ = RedoLogPath(directory_ / "trail");
  }

  std::unique_ptr<RedoLog> Create(std::uint64_t bytes) {
    std::filesystem::create_directories(directory_ / "trail");
    const File directory(::open((directory_ / "trail").c_str(), O_RDONLY | O_DIRECTORY));
    auto log = RedoLog::Create(quick_, directory_ / "trail", directory.fd(), TestKey(), bytes);
    EXPECT_TRUE(log);
    return log ? std::move(*log) : nullptr;
  }
  std::vector<std::uint64_t> Found() {
    const std::string text = ReadFile(log_path_);
    std::vector<std::uint64_t> sequences;
    for (const RedoGroup& group : FindRedoGroups(text, TestKey())) {
      sequences.push_back(group.end().sequence);
    }
    std::sort(sequences.begin(), sequences.end());
    return sequences;
  }
  // Crash leaves the directory as a killed server would, with records 1..count.
  void Crash(int count) {
    const auto other = directory_.string() + "-crashed";
    {
      const auto trail = Open();
      for (int i = 1; i <= count; ++i) {
        EXPECT_TRUE(trail->Append(RecordLine(i)));
      }
      std::filesystem::copy(directory_, other, std::filesystem::copy_options::recursive);
    }
    std::filesystem::remove_all(directory_);
    std::filesystem::rename(other, directory_);
  }
  std::vector<std::string> EventIds() {
    const auto trail = Open();
    const auto ids = trail ? trail->RecentEventIds(1U << 30) : std::vector<std::string>();
    return ids ? *ids : std::vector<std::string>();
  }

  std::filesystem::path log_path_;
};

TEST_F(RedoLogTest, GroupsAreFoundAgain) {
  const auto log = Create(8 * kPage);
  EXPECT_EQ(std::filesystem::file_size(log_path_), 8 * kPage);
  EXPECT_THAT(Found(), IsEmpty());
  Groups groups;
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(WriteNext(*log, groups, RecordLine(i), 0), RedoLog::Outcome::kWritten);
  }
  const std::string text = ReadFile(log_path_);
  const auto found = FindRedoGroups(text, TestKey());
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
    ASSERT_EQ(FindRedoGroups(text, TestKey()).size(), 2U) << at;
  }
  for (std::size_t size = 0; size < good.size(); size += 7) {
    const std::string_view text = std::string_view(good).substr(0, size);
    ASSERT_LE(FindRedoGroups(text, TestKey()).size(), size / kPage + 1) << size;
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
  const auto trail = Open();
  EXPECT_FALSE(std::filesystem::exists(log_path_));
}

// PathOps tells which file is synced, and can refuse to write at a place or to make the log.
class PathOps : public FileOps {
 public:
  int DataSync(int fd) override {
    const std::lock_guard lock(mutex_);
    synced.push_back(PathOf(fd).filename().string());
    return 0;
  }
  int DirectorySync(int /*fd*/) override { return 0; }
  ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset) override {
    errno = ENOSPC;
    return refuses_writes ? -1 : FileOps::WriteAt(fd, data, size, offset);
  }
  static std::filesystem::path PathOf(int fd) {
    return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd));
  }
  std::vector<std::string> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(synced, {});
  }

  bool refuses_writes = false;

 private:
  std::mutex mutex_;
  std::vector<std::string> synced;
};

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
  for (std::vector<std::string> synced; synced.empty() || synced.back() == "redo.log";) {
    std::this_thread::sleep_for(Millis{1});
    const auto more = ops.Take();
    synced.insert(synced.end(), more.begin(), more.end());
  }
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

TEST_F(RedoLogTest, WhatTheSegmentLostIsWrittenAgain) {
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

TEST_F(RedoLogTest, WhatNobodyWasAnsweredIsSetAside) {
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

TEST_F(RedoLogTest, ALogThatDoesNotFitChangesNothing) {
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

TEST_F(RedoLogTest, ALogOfEarlierSegmentsIsPast) {
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
TEST_F(RedoLogTest, ASegmentThatWentOnWithoutTheLogIsLeftAlone) {
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

TEST_F(RedoLogTest, RecordsBeforeHalfAChainLineAreKept) {
  Crash(2);
  std::string log = ReadFile(log_path_);
  log.replace(kPage, kPage, kPage, '\0');
  WriteFile(log_path_, log);
  const std::string good = ReadFile(Segments()[0]);
  WriteFile(Segments()[0], good.substr(0, good.size() - 40));
  EXPECT_THAT(EventIds(), ElementsAre(EventId(1), EventId(2)));
  EXPECT_EQ(Check()->recovered, 1U);
}

TEST_F(RedoLogTest, VerifyTellsThatThereIsOne) {
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
      if (!segment_fails || path.extension() != ".jsonl") {
        disk.replace(offset, size, text, offset, size);
      }
    }
    errno = EIO;
    return path.extension() == ".jsonl" && std::exchange(segment_fails, false) ? -1 : 0;
  }

  bool segment_fails = false;
  std::map<std::string, std::string> on_disk;

 private:
  void Dirty(const std::filesystem::path& path, std::uint64_t offset, std::size_t size) {
    dirty_[path.filename().string()].emplace_back(offset, size);
  }
  std::mutex mutex_;
  std::map<std::string, std::vector<std::pair<std::size_t, std::size_t>>> dirty_;
};

TEST_F(RedoLogTest, WhatAFailedSyncLostIsWrittenAgainThoughItCanBeRead) {
  CacheOps ops;
  options_.file_ops = &ops;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ops.segment_fails = true;
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

TEST_F(RedoLogTest, NobodyElsesSyncHidesAFailure) {
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

TEST_F(RedoLogTest, ASegmentThatWasBegunInVainEndsTheTrail) {
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

TEST_F(RedoLogTest, ALogAboutTheSequencesOfALaterSegmentDoesNotFit) {
  Crash(3);
  const std::string good = ReadFile(Segments()[0]);
  WriteFile(Segments()[0], good.substr(0, good.size() / 3 * 2));
  WriteFile(SegmentPath(directory_ / "trail", 3), "");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
}

// PowerOps keeps what is on stable storage of each file, and gives the state that a power failure
// would leave: of what was not synced, each block of 512 bytes may be there or not, and so may the
// file's new size.
class PowerOps : public FileOps {
 public:
  using Files = std::map<std::string, std::string>;

  int Create(const char* path) override { return Opened(FileOps::Create(path)); }
  int CreateForOverwriting(const char* path) override {
    return Opened(FileOps::CreateForOverwriting(path));
  }
  ssize_t Write(int fd, const void* data, std::size_t size) override {
    const std::lock_guard lock(mutex_);
    return FileOps::Write(fd, data, size);
  }
  ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset) override {
    const std::lock_guard lock(mutex_);
    return FileOps::WriteAt(fd, data, size, offset);
  }
  int Remove(const char* path) override {
    const std::lock_guard lock(mutex_);
    stable_.erase(std::filesystem::path(path).filename().string());
    return FileOps::Remove(path);
  }
  int DataSync(int fd) override {
    const std::filesystem::path path = PathOps::PathOf(fd);
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      text = Content(path);
      if (++syncs_ == fail_at) {
        before_failure();
        for (const auto& [name, stable] : stable_) {
          left[name] = Mixed(stable, Content(path.parent_path() / name));
        }
      }
    }
    const std::lock_guard lock(mutex_);
    stable_[path.filename().string()] = std::max(text, stable_[path.filename().string()], Shorter);
    return 0;
  }
  int DirectorySync(int /*fd*/) override { return 0; }

  int fail_at = 0;
  std::function<void()> before_failure;
  std::mt19937 random;
  Files left;  // after the power failure at the fail_at-th sync

 private:
  static std::string Content(const std::filesystem::path& path) {
    std::string text;
    EXPECT_TRUE(ReadRange(*OpenForReading(path), path, 0, std::filesystem::file_size(path), text));
    return text;
  }
  static bool Shorter(const std::string& a, const std::string& b) { return a.size() < b.size(); }
  int Opened(int fd) {
    const std::lock_guard lock(mutex_);
    stable_.try_emplace(PathOps::PathOf(fd).filename().string());
    return fd;
  }
  std::string Mixed(std::string stable, const std::string& current) {
    std::string text =
        current.substr(0, stable.size() + random() % (current.size() - stable.size() + 1));
    stable.resize(text.size());
    const unsigned odds = random() % 4;
    for (std::size_t at = 0; at < text.size(); at += 512) {
      if (random() % 4 < odds) {
        text.replace(at, 512, stable, at, 512);
      }
    }
    return text;
  }
  std::mutex mutex_;
  Files stable_;
  int syncs_ = 0;
};

TEST_F(RedoLogTest, WhatWasAnsweredSurvivesAPowerFailure) {
  options_.segment_bytes_max = 20'000;
  int repaired = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::filesystem::remove_all(directory_);
    PowerOps ops;
    ops.random.seed(seed);
    ops.fail_at = 4 + static_cast<int>(seed % 60);
    options_.file_ops = &ops;
    options_.sync = SyncMode::kAlways;
    options_.redo_log_bytes = (seed % 3 + 1) * 6 * kPage;
    std::mutex mutex;
    std::set<std::string> answered;
    std::set<std::string> must_be_there;
    Head head;
    ops.before_failure = [&] {
      const std::lock_guard lock(mutex);
      must_be_there = answered;
    };
    {
      const auto trail = Open();
      std::vector<std::thread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 60; ++i) {
            std::string lines;
            std::vector<std::string> ids;
            for (int k = 0; k <= (i + t) % 7; ++k) {
              ids.push_back(EventId(10'000 * t + 10 * i + k));
              lines += RecordLine(10'000 * t + 10 * i + k);
            }
            EXPECT_TRUE(trail->Append(lines));
            const std::lock_guard lock(mutex);
            answered.insert(ids.begin(), ids.end());
          }
        });
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
    }
    ASSERT_FALSE(ops.left.empty()) << seed;
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_ / "trail");
    for (const auto& [name, text] : ops.left) {
      WriteFile(directory_ / "trail" / name, text);
    }
    options_.file_ops = &quick_;
    options_.sync = seed % 2 == 0 ? SyncMode::kAlways : SyncMode::kPeriodic;
    if (const auto opened = Trail::Open(options_, TestKey(), {}); !opened) {
      FAIL() << seed << ": " << opened.error().message;
    }
    const auto ids = EventIds();
    const std::set<std::string> there(ids.begin(), ids.end());
    EXPECT_EQ(there.size(), ids.size()) << seed;
    EXPECT_TRUE(
        std::includes(there.begin(), there.end(), must_be_there.begin(), must_be_there.end()))
        << seed;
    EXPECT_TRUE(Check()) << seed << " " << Check().error().message;
    repaired += must_be_there.empty() ? 0 : 1;
  }
  EXPECT_GT(repaired, 40);
}

}  // namespace
}  // namespace keyturn::trail
