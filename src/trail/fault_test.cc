// Failing system calls: whatever call fails, an append that succeeded is in the trail afterwards,
// one that failed did not half-happen, and a trail that cannot promise this says so and stops.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "trail/testing.h"

namespace keyturn::trail {
namespace {

using testing::HasSubstr;

// FaultyOps counts calls and fails the fail_at-th (from 1), or that and all later ones.
class FaultyOps : public FileOps {
 public:
  int Create(const char* path) override { return Fails() ? -1 : FileOps::Create(path); }
  ssize_t Write(int fd, const void* data, std::size_t size) override {
    if (!Fails()) {
      return FileOps::Write(fd, data, size);
    }
    if (half_writes && size > 1) {
      const ssize_t wrote = FileOps::Write(fd, data, size / 2);
      next_write_fails_ = true;
      return wrote;
    }
    return -1;
  }
  int CreateForOverwriting(const char* path) override {
    return Fails() ? -1 : FileOps::CreateForOverwriting(path);
  }
  ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset) override {
    if (!Fails()) {
      return FileOps::WriteAt(fd, data, size, offset);
    }
    if (half_writes && size > 1) {
      const ssize_t wrote = FileOps::WriteAt(fd, data, size / 2, offset);
      next_write_fails_ = true;
      return wrote;
    }
    return -1;
  }
  int Remove(const char* path) override { return Fails() ? -1 : FileOps::Remove(path); }
  int Truncate(int fd, off_t size) override { return Fails() ? -1 : FileOps::Truncate(fd, size); }
  int Reserve(int fd, off_t offset, off_t size) override {
    return Fails() ? -1 : FileOps::Reserve(fd, offset, size);
  }
  int DataSync(int /*fd*/) override {
    const bool fails = Fails();
    sync_failed |= fails;
    return fails ? -1 : 0;
  }
  int DirectorySync(int /*fd*/) override { return Fails() ? -1 : 0; }

  int fail_at = 0;
  bool fail_ever_after = false;
  bool half_writes = false;
  int error_number = EIO;
  int calls = 0;
  bool sync_failed = false;

 private:
  bool Fails() {
    ++calls;
    const bool fails = std::exchange(next_write_fails_, false) || calls == fail_at ||
                       (fail_ever_after && fail_at > 0 && calls > fail_at);
    if (fails) {
      errno = error_number;
    }
    return fails;
  }
  bool next_write_fails_ = false;
};

class FaultTest : public TrailTest {
 protected:
  void Reset() { std::filesystem::remove_all(directory_ / "trail"); }

  // Run opens a trail and appends ten records; returns which of them were accepted.
  std::vector<int> Run(FaultyOps& ops, SyncMode sync) {
    Options options = options_;
    options.file_ops = &ops;
    options.sync = sync;
    options.sync_delay = std::chrono::hours{1};  // only Append's own calls, so that runs repeat
    options.segment_bytes_max = 700;
    options.redo_log_bytes = 96U << 10;  // no half of it is filled
    std::vector<int> accepted;
    auto trail = Trail::Open(options, TestKey(), {});
    for (int i = 1; trail && i <= 10; ++i) {
      const bool was_stopped = stopped_;
      const Status status = (*trail)->Append(RecordLine(i));
      if (status) {
        EXPECT_FALSE(was_stopped) << "a stopped trail accepted a record";
        accepted.push_back(i);
      } else {
        stopped_ |= status.error().message.find("has stopped") != std::string::npos;
      }
    }
    return accepted;
  }

  // ExpectSound: the trail opens, verifies, holds what was accepted in order, and nothing else
  // unless a sync had failed.
  void ExpectSound(const std::vector<int>& accepted, bool may_have_more, int fail_at) {
    const Head head = Fill(11, 11);
    const auto result = Check(head);
    ASSERT_TRUE(result) << fail_at << ": " << result.error().message;
    EXPECT_EQ(result->open_bytes, 0U);
    std::vector<std::string> expected;
    for (const int i : accepted) {
      expected.push_back(EventId(i));
    }
    expected.push_back(EventId(11));
    const auto ids = Open()->RecentEventIds(1U << 20);
    ASSERT_TRUE(ids);
    if (may_have_more) {
      EXPECT_TRUE(std::includes(ids->begin(), ids->end(), expected.begin(), expected.end()));
    } else {
      EXPECT_EQ(*ids, expected) << fail_at;
    }
  }

  void EveryCallFailsOnce(SyncMode sync, bool ever_after, bool half_writes, int error_number) {
    FaultyOps counting;
    ASSERT_EQ(Run(counting, sync).size(), 10U);
    ASSERT_GT(counting.calls, 12);
    for (int fail_at = 1; fail_at <= counting.calls; ++fail_at) {
      Reset();
      stopped_ = false;
      FaultyOps ops;
      ops.fail_at = fail_at;
      ops.fail_ever_after = ever_after;
      ops.half_writes = half_writes;
      ops.error_number = error_number;
      const std::vector<int> accepted = Run(ops, sync);
      ExpectSound(accepted, ops.sync_failed || ever_after, fail_at);
    }
  }

  bool stopped_ = false;
};

TEST_F(FaultTest, EveryCallFailsOnceAndWritesAreLost) {
  EveryCallFailsOnce(SyncMode::kPeriodic, false, false, EIO);
  EveryCallFailsOnce(SyncMode::kAlways, false, false, EIO);
}

TEST_F(FaultTest, EveryWriteIsCutInHalfOnce) {
  EveryCallFailsOnce(SyncMode::kPeriodic, false, true, ENOSPC);
  EveryCallFailsOnce(SyncMode::kAlways, false, true, ENOSPC);
}

TEST_F(FaultTest, TheDiskGoesAwayAtEveryCall) {
  EveryCallFailsOnce(SyncMode::kPeriodic, true, true, EIO);
  EveryCallFailsOnce(SyncMode::kAlways, true, true, EIO);
}

TEST_F(FaultTest, AFullDiskRefusesAndLaterAccepts) {
  FaultyOps ops;
  options_.file_ops = &ops;
  const auto trail = Open();
  ASSERT_TRUE(trail->Append(RecordLine(1)));
  const Head before = trail->head();
  ops.half_writes = true;
  ops.error_number = ENOSPC;
  ops.fail_at = ops.calls + 1;
  const Status full = trail->Append(RecordLine(2));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(trail->head().mac_hex, before.mac_hex);
  EXPECT_TRUE(trail->Append(RecordLine(3)));
  EXPECT_EQ(Check(trail->head())->records, 2U);
}

// ReserveOps keeps what was reserved and cut, and can refuse to reserve.
class ReserveOps : public QuickOps {
 public:
  int Reserve(int /*fd*/, off_t offset, off_t size) override {
    reserved.emplace_back(offset, size);
    errno = EOPNOTSUPP;
    return refuses ? -1 : 0;
  }
  int Truncate(int fd, off_t size) override {
    cut.push_back(size);
    return FileOps::Truncate(fd, size);
  }
  std::vector<std::pair<off_t, off_t>> reserved;  // offset, size
  std::vector<off_t> cut;
  bool refuses = false;
};

TEST_F(FaultTest, BlocksAreReservedAheadAndGivenBack) {
  ReserveOps ops;
  options_.file_ops = &ops;
  options_.sync_delay = std::chrono::hours{1};
  options_.segment_bytes_max = 3U << 20;
  off_t first = 0;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ASSERT_TRUE(trail->Sync());
    first = static_cast<off_t>(std::filesystem::file_size(Segments()[0]));
    const std::pair<off_t, off_t> megabyte{first, 1 << 20};
    EXPECT_THAT(ops.reserved, testing::ElementsAre(megabyte));
    ASSERT_TRUE(trail->Append(RecordLine(2)));
    ASSERT_TRUE(trail->Sync());
    EXPECT_EQ(ops.reserved.size(), 1U);  // there is enough still
    first = static_cast<off_t>(std::filesystem::file_size(Segments()[0]));
    EXPECT_THAT(ops.cut, testing::IsEmpty());
    std::string lines;
    while (lines.size() < (2U << 20)) {
      lines += RecordLine(3);
    }
    ASSERT_TRUE(trail->Append(lines));
    ASSERT_TRUE(trail->Append(lines));  // begins a segment
    EXPECT_EQ(ops.reserved.size(), 1U);
  }
  // The first segment had outgrown what was reserved, the second ends with what its last sync
  // reserved.
  EXPECT_EQ(ops.reserved.size(), 2U);
  EXPECT_EQ(ops.reserved[1].first + ops.reserved[1].second,
            3 << 20);  // a segment's end, no further
  EXPECT_THAT(ops.cut, testing::ElementsAre(ops.reserved[1].first));
  EXPECT_TRUE(Check());
}

TEST_F(FaultTest, ASegmentThatEndsEarlyGivesBackWhatWasReserved) {
  ReserveOps ops;
  options_.file_ops = &ops;
  options_.sync_delay = std::chrono::hours{1};
  options_.segment_bytes_max = 3U << 20;
  const auto trail = Open();
  ASSERT_TRUE(trail->Append(RecordLine(1)));
  ASSERT_TRUE(trail->Sync());
  std::string lines;
  while (lines.size() < (3U << 20)) {
    lines += RecordLine(2);
  }
  ASSERT_TRUE(trail->Append(lines));
  EXPECT_THAT(ops.cut, testing::ElementsAre(ops.reserved[0].first));
}

TEST_F(FaultTest, AFileSystemThatReservesNothingIsAskedOnce) {
  ReserveOps ops;
  ops.refuses = true;
  options_.file_ops = &ops;
  options_.sync_delay = std::chrono::hours{1};
  {
    const auto trail = Open();
    for (int i = 1; i <= 3; ++i) {
      EXPECT_TRUE(trail->Append(RecordLine(i)));
      EXPECT_TRUE(trail->Sync());
    }
  }
  EXPECT_EQ(ops.reserved.size(), 1U);
  EXPECT_EQ(Check()->records, 3U);
}

TEST_F(FaultTest, AWriteThatCannotBeTakenBackStopsTheTrail) {
  FaultyOps ops;
  options_.file_ops = &ops;
  {
    const auto trail = Open();
    ASSERT_TRUE(trail->Append(RecordLine(1)));
    ops.half_writes = true;
    ops.fail_at = ops.calls + 1;
    ops.fail_ever_after = true;
    EXPECT_FALSE(trail->Append(RecordLine(2)));
    ops.fail_at = 0;  // the disk is back, but the trail does not trust itself
    const Status later = trail->Append(RecordLine(3));
    ASSERT_FALSE(later);
    EXPECT_THAT(later.error().message, HasSubstr("has stopped and must be opened again"));
  }
  // The half that was written held all of the record: it is kept, and marked as recovered.
  EXPECT_EQ(Fill(4, 4).sequence, 3U);
  EXPECT_EQ(Check()->records, 3U);
  EXPECT_EQ(Check()->recovered, 1U);
}

TEST_F(FaultTest, AFailedSyncStopsTheTrailForGood) {
  for (const int error_number : {EIO, ENOSPC}) {
    Reset();
    FaultyOps ops;
    options_.file_ops = &ops;
    options_.sync_delay = std::chrono::hours{1};
    {
      const auto trail = Open();
      ASSERT_TRUE(trail->Append(RecordLine(1)));
      ops.error_number = error_number;
      ops.fail_at = ops.calls + 1;
      const Status synced = trail->Sync();
      ASSERT_FALSE(synced);
      EXPECT_EQ(synced.error().code, error_number == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo);
      EXPECT_FALSE(trail->Sync());
      EXPECT_FALSE(trail->Append(RecordLine(2)));
    }
    EXPECT_EQ(Fill(3, 3).sequence, 2U);
  }
}

// SyncGate lets a test hold fdatasync open, and count what goes on meanwhile.
class SyncGate : public FileOps {
 public:
  ssize_t Write(int fd, const void* data, std::size_t size) override {
    const ssize_t wrote = FileOps::Write(fd, data, size);
    Change([&] { ++writes_; });
    return wrote;
  }
  int DataSync(int /*fd*/) override {
    std::unique_lock lock(mutex_);
    ++syncs_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return 0;
  }
  void Close() {
    Change([&] { open_ = false; });
  }
  void Release() {
    Change([&] { open_ = true; });
  }
  void AwaitWrites(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return writes_ >= count; });
  }
  void AwaitSyncs(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return syncs_ >= count; });
  }
  int syncs() {
    const std::lock_guard lock(mutex_);
    return syncs_;
  }

 private:
  template <typename F>
  void Change(F change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int writes_ = 0;
  int syncs_ = 0;
};

TEST_F(FaultTest, ConcurrentAppendsShareASync) {
  SyncGate gate;
  options_.file_ops = &gate;
  options_.sync = SyncMode::kAlways;
  options_.sync_delay = std::chrono::hours{1};
  {
    const auto trail = Open();
    const int before = gate.syncs();
    gate.Close();
    std::vector<std::future<Status>> appends;
    for (int i = 1; i <= 8; ++i) {
      appends.push_back(
          std::async(std::launch::async, [&trail, i] { return trail->Append(RecordLine(i)); }));
    }
    gate.AwaitWrites(8);  // the first one's sync does not keep the others from writing
    gate.Release();
    for (auto& append : appends) {
      EXPECT_TRUE(append.get());
    }
    // The one that was under way, and one for all who wrote since.
    EXPECT_LE(gate.syncs() - before, 2);
    EXPECT_GE(gate.syncs() - before, 1);
  }
  EXPECT_EQ(Check()->records, 8U);
}

TEST_F(FaultTest, AlwaysMeansBeforeAppendReturns) {
  SyncGate gate;
  options_.file_ops = &gate;
  options_.sync = SyncMode::kAlways;
  options_.sync_delay = std::chrono::hours{1};
  const auto trail = Open();
  for (int i = 1; i <= 3; ++i) {
    const int before = gate.syncs();
    ASSERT_TRUE(trail->Append(RecordLine(i)));
    EXPECT_EQ(gate.syncs(), before + 1);
  }
}

TEST_F(FaultTest, PeriodicSyncsWithoutBeingAsked) {
  SyncGate gate;
  options_.file_ops = &gate;
  options_.sync_delay = Millis{1};
  const auto trail = Open();
  for (int i = 1; i <= 3; ++i) {
    const int before = gate.syncs();
    ASSERT_TRUE(trail->Append(RecordLine(i)));
    gate.AwaitSyncs(before + 1);  // hangs, and the test times out, if nobody syncs
  }
}

TEST_F(FaultTest, ManyThreadsLeaveOneChain) {
  options_.segment_bytes_max = 5'000;
  for (const SyncMode sync : {SyncMode::kPeriodic, SyncMode::kAlways}) {
    Reset();
    options_.sync = sync;
    options_.sync_delay = Millis{1};
    Head head;
    {
      const auto trail = Open();
      std::vector<std::thread> threads;
      std::atomic<int> accepted = 0;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 100; ++i) {
            accepted += trail->Append(RecordLine(1000 * t + i)) ? 1 : 0;
            (void)trail->head();
          }
        });
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
      EXPECT_EQ(accepted, 400);
      head = trail->head();
    }
    EXPECT_EQ(Check(head)->records, 400U);
  }
}

}  // namespace
}  // namespace keyturn::trail
