// A copy of a trail: as much of it as is whole, sound by itself, and no more; whatever call fails.
#include "trail/copy.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "trail/testing.h"

namespace keyturn::trail {
namespace {

// CountingOps fails the fail_at-th of its calls, from 1.
class CountingOps : public FileOps {
 public:
  int CreateForOverwriting(const char* path) override {
    return Fails() ? -1 : FileOps::CreateForOverwriting(path);
  }
  ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset) override {
    return Fails() ? -1 : FileOps::WriteAt(fd, data, size, offset);
  }
  int Truncate(int fd, off_t size) override { return Fails() ? -1 : FileOps::Truncate(fd, size); }
  int DataSync(int /*fd*/) override { return Fails() ? -1 : 0; }
  int DirectorySync(int /*fd*/) override { return Fails() ? -1 : 0; }

  int fail_at = 0;
  int calls = 0;

 private:
  bool Fails() {
    errno = ENOSPC;
    return ++calls == fail_at;
  }
};

class CopyTest : public TrailTest {
 protected:
  CopyTest() { std::filesystem::create_directory(copy_); }
  Result<std::uint64_t> Copy(FileOps* ops = nullptr) {
    return CopyTrail(directory_, copy_, TestKey(), ops != nullptr ? ops : &quick_);
  }
  std::uint64_t BytesCopied() {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(copy_ / "trail")) {
      bytes += entry.file_size();
    }
    return bytes;
  }

  std::filesystem::path copy_ = directory_ / "copy";
};

TEST_F(CopyTest, SegmentsOfAClosedTrail) {
  options_.segment_bytes_max = 400;
  const Head head = Fill(1, 9);
  const auto bytes = Copy();
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(*bytes, BytesCopied());
  const auto copied = Verify(copy_, TestKey(), head);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->records, 9U);
  EXPECT_GT(copied->segments, 2U);
}

TEST_F(CopyTest, ATrailThatWasNeverWritten) {
  for (const bool has_directory : {false, true}) {
    if (has_directory) std::filesystem::create_directory(directory_ / "trail");
    EXPECT_EQ(*Copy(), 0U);
    EXPECT_EQ(Verify(copy_, TestKey(), {})->records, 0U);
    std::filesystem::remove(copy_ / "trail");
  }
}

TEST_F(CopyTest, AnAppendInProgressStaysOutAndSoDoesTheRedoLog) {
  options_.sync = SyncMode::kAlways;
  const auto trail = Open();
  ASSERT_TRUE(trail->Append(RecordLine(1)));
  const Head head = trail->head();
  const auto path = Segments().front();
  const std::string whole = ReadFile(path);
  for (const std::string& open : {RecordLine(2), RecordLine(2).substr(0, 7)}) {
    WriteFile(path, whole + open);
    const auto bytes = Copy();
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_EQ(*bytes, whole.size());
    EXPECT_EQ(ReadFile(copy_ / "trail" / path.filename()), whole);
    EXPECT_EQ(Verify(copy_, TestKey(), head)->records, 1U);
    EXPECT_EQ(BytesCopied(), whole.size());
    std::filesystem::remove_all(copy_ / "trail");
  }
  WriteFile(path, whole);
}

TEST_F(CopyTest, WhileItIsWritten) {
  options_.segment_bytes_max = 5'000;
  const auto trail = Open();
  std::atomic<bool> written = false;
  std::thread writer([&] {
    for (int i = 1; i <= 1'000; ++i) {
      EXPECT_TRUE(trail->Append(RecordLine(i)));
    }
    written = true;
  });
  for (bool last = false; !last;) {
    last = written;
    const Head head = trail->head();
    const auto bytes = Copy();
    const auto copied = Verify(copy_, TestKey(), head);
    EXPECT_TRUE(bytes && copied) << (bytes ? copied.error().message : bytes.error().message);
    EXPECT_TRUE(!copied || copied->open_bytes == 0);
    std::filesystem::remove_all(copy_ / "trail");
  }
  writer.join();
}

TEST_F(CopyTest, WhateverCallFailsIsTold) {
  options_.segment_bytes_max = 400;
  Fill(1, 5);
  WriteFile(Segments().back(), ReadFile(Segments().back()) + RecordLine(6));
  CountingOps counting;
  ASSERT_TRUE(Copy(&counting));
  ASSERT_GT(counting.calls, 8);
  for (int fail_at = 1; fail_at <= counting.calls; ++fail_at) {
    std::filesystem::remove_all(copy_ / "trail");
    CountingOps ops;
    ops.fail_at = fail_at;
    const auto copied = Copy(&ops);
    ASSERT_FALSE(copied) << fail_at;
    EXPECT_EQ(copied.error().code, ErrorCode::kNoSpace);
  }
}

TEST_F(CopyTest, ADamagedEndAndACopyThatIsThereAreRefused) {
  Fill(1, 3);
  std::filesystem::create_directory(copy_ / "trail");
  EXPECT_EQ(Copy().error().code, ErrorCode::kConflict);
  std::filesystem::remove(copy_ / "trail");
  const auto path = Segments().front();
  std::string text = ReadFile(path);
  text.replace(text.rfind("1.11"), 4, "9.99");
  WriteFile(path, text);
  EXPECT_EQ(Copy().error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace keyturn::trail
