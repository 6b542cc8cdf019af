#include "service/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keyturn::service {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> SystemError(std::string_view what, const std::filesystem::path& path,
                                  int number) {
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  if (number == EEXIST) code = ErrorCode::kConflict;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::kNoSpace;
  if (number == EACCES || number == EPERM || number == EROFS) code = ErrorCode::kReadOnly;
  return Fail(code, std::string(what) + " " + path.string() + ": " + std::strerror(number));
}

int CreateNew(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

Status WriteAll(const std::filesystem::path& path, std::string_view text) {
  const Descriptor file(CreateNew(path));
  if (file.get() < 0) return SystemError("cannot create", path, errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0) {
      const int number = errno;
      ::unlink(path.c_str());
      return SystemError("cannot write", path, number);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) {
    const int number = errno;
    ::unlink(path.c_str());
    return SystemError("cannot sync", path, number);
  }
  return {};
}

// SyncPath syncs a file or directory.
Status SyncPath(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return SystemError("cannot sync", path, errno);
  return {};
}

}  // namespace

Status WriteNewFile(const std::filesystem::path& path, std::string_view text) {
  KT_TRY(WriteAll(path, text));
  return SyncPath(path.parent_path());
}

Status ReplaceFile(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path beside = path;
  beside += ".new";
  ::unlink(beside.c_str());
  KT_TRY(WriteAll(beside, text));
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(beside.c_str());
    return SystemError("cannot replace", path, number);
  }
  return SyncPath(path.parent_path());
}

Result<std::uint64_t> CopyNewFile(const std::filesystem::path& from,
                                  const std::filesystem::path& to) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (source.get() < 0) return SystemError("cannot open", from, errno);
  const Descriptor target(CreateNew(to));
  if (target.get() < 0) return SystemError("cannot create", to, errno);
  constexpr std::size_t kBlockBytes = 1 << 20;
  std::uint64_t bytes = 0;
  for (;;) {
    // In the kernel: what is copied may be secret.
    const ssize_t copied =
        ::copy_file_range(source.get(), nullptr, target.get(), nullptr, kBlockBytes, 0);
    if (copied == 0) return bytes;
    if (copied < 0 && errno != EINTR) return SystemError("cannot copy", to, errno);
    if (copied > 0) bytes += static_cast<std::uint64_t>(copied);
  }
}

Status PublishDirectory(const std::filesystem::path& directory, const std::filesystem::path& name) {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(directory, error), end;
       !error && entry != end; entry.increment(error)) {
    KT_TRY(SyncPath(entry->path()));
  }
  if (error) return SystemError("cannot list", directory, error.value());
  KT_TRY(SyncPath(directory));
  if (::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) != 0) {
    return SystemError("cannot rename to", name, errno);
  }
  return SyncPath(name.parent_path());
}

Result<SecretBytes> ReadSmallFile(const std::filesystem::path& path) {
  constexpr std::size_t kBytesMax = 64 << 10;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("cannot open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return SystemError("cannot read", path, errno);
  if (info.st_size < 0 || static_cast<std::size_t>(info.st_size) > kBytesMax) {
    return Fail(ErrorCode::kMalformed, path.string() + " is longer than 64 KiB");
  }
  SecretBytes bytes(static_cast<std::size_t>(info.st_size));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.reveal_mutable().data() + at, bytes.size() - at);
    if (got < 0) return SystemError("cannot read", path, errno);
    if (got == 0) return Fail(ErrorCode::kIo, path.string() + " became shorter while read");
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace keyturn::service
