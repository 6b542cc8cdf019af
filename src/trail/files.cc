#include "trail/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "trail/file_ops.h"

namespace keyturn::trail {

int FileOps::Create(const char* path) {
  return ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}
ssize_t FileOps::Write(int fd, const void* data, std::size_t size) {
  return ::write(fd, data, size);
}
int FileOps::CreateForOverwriting(const char* path) {
  return ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}
ssize_t FileOps::WriteAt(int fd, const void* data, std::size_t size, off_t offset) {
  return ::pwrite(fd, data, size, offset);
}
int FileOps::Remove(const char* path) { return ::unlink(path); }
int FileOps::Truncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int FileOps::Reserve(int fd, off_t offset, off_t size) {
  return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
}
int FileOps::DataSync(int fd) { return ::fdatasync(fd); }
int FileOps::DirectorySync(int fd) { return ::fsync(fd); }

FileOps& SystemFileOps() {
  static FileOps ops;
  return ops;
}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Error SystemError(std::string_view what, const std::filesystem::path& path, int error_number) {
  ErrorCode code = ErrorCode::kIo;
  if (error_number == ENOSPC || error_number == EDQUOT) {
    code = ErrorCode::kNoSpace;
  } else if (error_number == EROFS || error_number == EACCES || error_number == EPERM) {
    code = ErrorCode::kReadOnly;
  } else if (error_number == ENOENT) {
    code = ErrorCode::kNotFound;
  } else if (error_number == EWOULDBLOCK) {
    code = ErrorCode::kLocked;
  }
  return {
      code,
      fmt::format("{} {}: {}", what, path.string(), std::generic_category().message(error_number)),
      {}};
}

std::filesystem::path SegmentPath(const std::filesystem::path& directory,
                                  std::uint64_t first_sequence) {
  return directory / fmt::format("{:020}.jsonl", first_sequence);
}

namespace {

Result<std::vector<Segment>> ListOnce(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<Segment> segments;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() != 26 || !name.ends_with(".jsonl")) {
      continue;
    }
    Segment segment{0, entry->path()};
    const auto end = std::from_chars(name.data(), name.data() + 20, segment.first_sequence);
    if (end.ec == std::errc() && end.ptr == name.data() + 20) {
      segments.push_back(std::move(segment));
    }
  }
  if (error) {
    return Fail(SystemError("cannot list", directory, error.value()));
  }
  std::sort(segments.begin(), segments.end(),
            [](const Segment& a, const Segment& b) { return a.first_sequence < b.first_sequence; });
  return segments;
}

}  // namespace

Result<std::vector<Segment>> ListSegments(const std::filesystem::path& directory) {
  // Of what is made during a listing, it may show the later one only. The second one shows all of
  // what the first one has seen something of.
  KT_ASSIGN(const auto first, ListOnce(directory));
  KT_ASSIGN(auto segments, ListOnce(directory));
  const std::uint64_t last = first.empty() ? 0 : first.back().first_sequence;
  std::erase_if(segments, [&](const Segment& each) { return each.first_sequence > last; });
  return segments;
}

Result<File> OpenForReading(const std::filesystem::path& path) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) {
    return Fail(SystemError("cannot open", path, errno));
  }
  return file;
}

Result<std::uint64_t> SizeOf(const File& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) {
    return Fail(SystemError("cannot read", path, errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Status ReadRange(const File& file, const std::filesystem::path& path, std::uint64_t offset,
                 std::size_t size, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(file.fd(), out.data() + start + have, size - have,
                                static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Fail(SystemError("cannot read", path, errno));
    }
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  out.resize(start + have);
  return {};
}

Status WriteAt(FileOps& ops, const File& file, const std::filesystem::path& path,
               std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        ops.WriteAt(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      offset += static_cast<std::uint64_t>(wrote);
    } else if (wrote == 0 || errno != EINTR) {
      return Fail(SystemError("cannot write", path, wrote == 0 ? EIO : errno));
    }
  }
  return {};
}

}  // namespace keyturn::trail
