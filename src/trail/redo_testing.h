// What the tests of the redo log and of repairs share.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "trail/redo_log.h"
#include "trail/testing.h"

namespace keyturn::trail {

inline constexpr std::size_t kPage = 4096;

// PathOps tells which file is synced, and can refuse to write at a place or to make the log.
class PathOps : public FileOps {
 public:
  int DataSync(int fd) override {
    const std::lock_guard lock(mutex_);
    synced.push_back(PathOf(fd).filename().string());
    changed_.notify_all();
    return 0;
  }
  int DirectorySync(int /*fd*/) override { return 0; }
  ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset) override {
    errno = ENOSPC;
    return refuses_writes || offset + static_cast<off_t>(size) > room
               ? -1
               : FileOps::WriteAt(fd, data, size, offset);
  }
  static std::filesystem::path PathOf(int fd) {
    return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd));
  }
  std::vector<std::string> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(synced, {});
  }

  void AwaitSyncOf(const std::string& name) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return std::find(synced.begin(), synced.end(), name) != synced.end(); });
  }

  bool refuses_writes = false;
  off_t room = 1 << 30;  // that a file has by WriteAt

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> synced;
};

// GroupsIn is FindRedoGroups without marks.
inline std::vector<RedoGroup> GroupsIn(std::string_view log) {
  std::vector<RedoGroup> groups = FindRedoGroups(log, TestKey());
  std::erase_if(groups, [](const RedoGroup& group) { return group.bytes.empty(); });
  return groups;
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
    auto log =
        RedoLog::Create(quick_, directory_ / "trail", directory.fd(), TestKey(), bytes, 1, {});
    EXPECT_TRUE(log);
    return log ? std::move(*log) : nullptr;
  }
  std::vector<std::uint64_t> Found() {
    const std::string text = ReadFile(log_path_);
    std::vector<std::uint64_t> sequences;
    for (const RedoGroup& group : GroupsIn(text)) {
      sequences.push_back(group.end().sequence);
    }
    std::sort(sequences.begin(), sequences.end());
    return sequences;
  }
  // Crash leaves the directory as a killed server would, with records 1..count, up to synced on
  // stable storage.
  void Crash(int count, int synced = 0) {
    const auto other = directory_.string() + "-crashed";
    {
      const auto trail = Open();
      for (int i = 1; i <= count; ++i) {
        EXPECT_TRUE(trail->Append(RecordLine(i)));
        EXPECT_TRUE(i != synced || trail->Sync());
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

}  // namespace keyturn::trail
