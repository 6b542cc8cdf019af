// What the tests of the trail share: a throwaway directory, a key, records, failing system calls.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "trail/file_ops.h"
#include "trail/files.h"
#include "trail/trail.h"

namespace keyturn::trail {

inline crypto::Key256 TestKey(std::uint8_t fill = 0x4B) {
  crypto::Key256 key;
  std::fill(key.reveal_mutable().begin(), key.reveal_mutable().end(), fill);
  return key;
}

inline std::string EventId(int number) {
  return fmt::format("00000000-0000-4000-8000-{:012}", number);
}

inline std::string RecordLine(int number) {
  return fmt::format("{{\"eventVersion\":\"1.11\",\"eventID\":\"{}\"}}\n", EventId(number));
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// QuickOps does everything but wait for the disk, which these tests do not ask about.
class QuickOps : public FileOps {
 public:
  int DataSync(int /*fd*/) override { return 0; }
  int DirectorySync(int /*fd*/) override { return 0; }
};

class TrailTest : public testing::Test {
 protected:
  TrailTest() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-trail-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    options_.directory = directory_;
    options_.file_ops = &quick_;
    SetLogLevel(LogLevel::kError);  // repairs are warned about, and these tests repair a lot
  }
  ~TrailTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Trail> Open(const Head& at_least = {}) {
    auto trail = Trail::Open(options_, TestKey(), at_least);
    EXPECT_TRUE(trail) << (trail ? "" : trail.error().message);
    return trail ? std::move(*trail) : nullptr;
  }
  std::optional<ErrorCode> OpenError(const Head& at_least = {}) {
    const auto trail = Trail::Open(options_, TestKey(), at_least);
    return trail ? std::nullopt : std::optional(trail.error().code);
  }
  // Fill appends records first..last, one an Append, with a trail of its own; returns its head.
  Head Fill(int first, int last) {
    const auto trail = Open();
    for (int i = first; i <= last; ++i) {
      EXPECT_TRUE(trail->Append(RecordLine(i)));
    }
    return trail->head();
  }

  Result<Verification> Check(const Head& at_least = {}) {
    return Verify(directory_, TestKey(), at_least);
  }
  std::optional<ErrorCode> CheckError(const Head& at_least = {}) {
    const auto result = Check(at_least);
    return result ? std::nullopt : std::optional(result.error().code);
  }

  std::vector<std::filesystem::path> Segments() {
    std::vector<std::filesystem::path> paths;
    const auto segments = ListSegments(directory_ / "trail");
    for (const Segment& segment : *segments) {
      paths.push_back(segment.path);
    }
    return paths;
  }

  std::filesystem::path directory_;
  QuickOps quick_;
  Options options_;
};

}  // namespace keyturn::trail
