#include "service/files.h"

#include <fcntl.h>
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

Status WriteAll(const std::filesystem::path& path, std::string_view text) {
  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
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

Status SyncDirectory(const std::filesystem::path& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return SystemError("cannot sync", directory, errno);
  return {};
}

}  // namespace

Status WriteNewFile(const std::filesystem::path& path, std::string_view text) {
  KT_TRY(WriteAll(path, text));
  return SyncDirectory(path.parent_path());
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
  return SyncDirectory(path.parent_path());
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
