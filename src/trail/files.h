// Files: segment names, descriptors, reading and writing at a place. Private to the room.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "trail/file_ops.h"

namespace keyturn::trail {

// File owns a descriptor.
class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();
  int fd() const { return fd_; }

 private:
  int fd_;
};

// SystemError makes an Error from errno: kNoSpace, kReadOnly, kNotFound, kLocked or kIo.
Error SystemError(std::string_view what, const std::filesystem::path& path, int error_number);

struct Segment {
  std::uint64_t first_sequence = 0;
  std::filesystem::path path;
};

// SegmentPath: directory/<first_sequence, 20 digits>.jsonl, so that names sort as numbers.
std::filesystem::path SegmentPath(const std::filesystem::path& directory,
                                  std::uint64_t first_sequence);
// ListSegments returns them in order, none left out, also while new ones are begun; other files are
// left alone.
Result<std::vector<Segment>> ListSegments(const std::filesystem::path& directory);

Result<File> OpenForReading(const std::filesystem::path& path);
Result<std::uint64_t> SizeOf(const File& file, const std::filesystem::path& path);
// ReadRange appends up to size bytes from offset to out; fewer only at the end of the file.
Status ReadRange(const File& file, const std::filesystem::path& path, std::uint64_t offset,
                 std::size_t size, std::string& out);

// WriteAt writes all bytes at an offset of a file that was opened by CreateForOverwriting.
Status WriteAt(FileOps& ops, const File& file, const std::filesystem::path& path,
               std::string_view bytes, std::uint64_t offset);

}  // namespace keyturn::trail
