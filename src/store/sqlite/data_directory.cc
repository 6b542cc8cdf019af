#include "store/sqlite/data_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <utility>

namespace keyturn::store {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

tl::unexpected<Error> SystemError(int number, const std::string& path, const char* what) {
  ErrorCode code = ErrorCode::kIo;
  if (number == EROFS || number == EACCES || number == EPERM) {
    code = ErrorCode::kReadOnly;
  } else if (number == ENOSPC || number == EDQUOT) {
    code = ErrorCode::kNoSpace;
  }
  const std::string reason = std::generic_category().message(number);
  return Fail(code, fmt::format("{}: {}: {}", path, what, reason));
}

// SyncDirectory makes the names in a directory durable.
Status SyncDirectory(const std::filesystem::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fsync(fd) != 0) {
    const int number = errno;
    if (fd >= 0) {
      close(fd);
    }
    return SystemError(number, directory.string(), "cannot be synced");
  }
  close(fd);
  return {};
}

Status MakeDirectory(const std::filesystem::path& directory) {
  if (mkdir(directory.c_str(), kDirectoryMode) == 0) {
    return SyncDirectory(std::filesystem::absolute(directory).parent_path());
  }
  if (errno != EEXIST) {
    return SystemError(errno, directory.string(), "cannot make the data directory");
  }
  return {};
}

// OwnerOf reads the process id that a lock file holds, for a message only.
std::string OwnerOf(int fd) {
  std::array<char, 24> text{};
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  std::string owner;
  for (ssize_t i = 0; i < size && text[static_cast<std::size_t>(i)] >= '0' &&
                      text[static_cast<std::size_t>(i)] <= '9';
       ++i) {
    owner += text[static_cast<std::size_t>(i)];
  }
  return owner;
}

Result<int> TakeLock(const std::filesystem::path& directory) {
  const std::string path = (directory / "keyturn.lock").string();
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (fd < 0) {
    return SystemError(errno, path, "cannot open the lock file");
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int number = errno;
    const std::string owner = OwnerOf(fd);
    close(fd);
    if (number != EWOULDBLOCK) {
      return SystemError(number, path, "cannot lock");
    }
    return Fail(ErrorCode::kLocked,
                fmt::format("{}: in use by another keyturn process{}", directory.string(),
                            owner.empty() ? "" : fmt::format(" (process id {})", owner)));
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(fd, 0) != 0 ||
      pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const int number = errno;
    close(fd);
    return SystemError(number, path, "cannot write");
  }
  return fd;
}

}  // namespace

Result<DataDirectory> DataDirectory::Open(const std::filesystem::path& directory, bool create) {
  struct stat info {};
  const std::string name = directory.string();
  if (create) {
    KT_TRY(MakeDirectory(directory));
  }
  const std::string database = (directory / "keyturn.db").string();
  const bool exists = stat(database.c_str(), &info) == 0;
  if (!exists && errno != ENOENT && errno != ENOTDIR) {
    return SystemError(errno, database, "cannot be examined");
  }
  if (!exists && !create) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{}: no Keyturn database here; `keyturn init` makes one", name));
  }
  if (faccessat(AT_FDCWD, name.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return SystemError(errno, name, "the data directory cannot be written");
  }
  KT_ASSIGN(const int fd, TakeLock(directory));
  DataDirectory opened(directory, fd);
  // Looked at again under the lock: another process may just have made it.
  if (create && stat(database.c_str(), &info) == 0) {
    return Fail(ErrorCode::kConflict, fmt::format("{}: there is a Keyturn database already", name));
  }
  return opened;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : directory_(std::move(other.directory_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_fd_ >= 0) {
    close(lock_fd_);
  }
}

Status DataDirectory::MakeNewFile() const {
  DiscardNewFile();
  const std::string path = new_database_path();
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0) {
    return SystemError(errno, path, "cannot be made");
  }
  close(fd);
  return {};
}

Status DataDirectory::PublishNewFile() const {
  const std::string from = new_database_path();
  const std::string to = database_path();
  if (rename(from.c_str(), to.c_str()) != 0) {
    return SystemError(errno, to, "cannot be made");
  }
  return SyncDirectory(directory_);
}

void DataDirectory::DiscardNewFile() const {
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    unlink((new_database_path() + suffix).c_str());
  }
}

Result<NewFile> NewFile::Make(std::string path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0 && errno == EEXIST) {
    return Fail(ErrorCode::kConflict, path + ": exists already");
  }
  if (fd < 0) {
    return SystemError(errno, path, "cannot be made");
  }
  return NewFile(std::move(path), fd);
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(other.path_), fd_(std::exchange(other.fd_, -1)), kept_(other.kept_) {}

NewFile::~NewFile() {
  if (fd_ < 0) {
    return;
  }
  close(fd_);
  if (!kept_) {
    unlink(path_.c_str());
    unlink((path_ + "-journal").c_str());
  }
}

Status NewFile::Keep() {
  if (fsync(fd_) != 0) {
    return SystemError(errno, path_, "cannot be synced");
  }
  kept_ = true;
  return {};
}

}  // namespace keyturn::store
