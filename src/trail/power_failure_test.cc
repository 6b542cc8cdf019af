// Power failures, modelled: with kAlways, what Append returned for is there, whatever blocks of the
// files were lost; with kPeriodic the trail is sound.
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "trail/redo_testing.h"

namespace keyturn::trail {
namespace {

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
    if (random() % 3 == 0 &&
        stable_.contains("redo.log")) {  // the kernel writes back when it likes
      stable_["redo.log"] = Content(path.parent_path() / "redo.log");
    }
    stable_[path.filename().string()] = std::max(text, stable_[path.filename().string()], Shorter);
    return 0;
  }
  int DirectorySync(int /*fd*/) override { return 0; }

  std::atomic<int> fail_at = 0;
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
    stable.resize(std::min(stable.size(), current.size()));
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

class PowerFailureTest : public RedoLogTest {
 protected:
  void Restore(const PowerOps::Files& files) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_ / "trail");
    for (const auto& [name, text] : files) {
      WriteFile(directory_ / "trail" / name, text);
    }
  }
};

// With kPeriodic a power failure may cost the last appends, never the trail.
TEST_F(PowerFailureTest, WithAMarkATrailIsSoundAfterAPowerFailure) {
  options_.segment_bytes_max = 20'000;
  options_.sync_delay = Millis{1};
  int set_aside = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::filesystem::remove_all(directory_);
    PowerOps ops;
    ops.random.seed(seed);
    ops.fail_at = 4 + static_cast<int>(seed % 20);
    options_.file_ops = &ops;
    options_.sync = SyncMode::kPeriodic;
    Head synced;
    {
      const auto trail = Open();
      ops.before_failure = [&ops] { ops.fail_at = 0; };
      for (int i = 0; i < 5000 && ops.fail_at > 0; ++i) {
        ASSERT_TRUE(trail->Append(RecordLine(i)));
        if (i == 20) {
          const Head head = trail->head();
          ASSERT_TRUE(trail->Sync());
          synced = ops.fail_at > 0 ? head : synced;
        }
      }
    }
    ASSERT_FALSE(ops.left.empty()) << seed;
    Restore(ops.left);
    options_.file_ops = &quick_;
    ASSERT_FALSE(OpenError(synced)) << seed;
    ASSERT_TRUE(Check(synced)) << seed << " " << Check().error().message;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "trail")) {
      set_aside += entry.path().extension() == ".torn" ? 1 : 0;
    }
  }
  EXPECT_GT(set_aside, 5);
}

TEST_F(PowerFailureTest, WhatWasAnsweredSurvivesAPowerFailure) {
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
    Restore(ops.left);
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
