#include "control/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace keyturn::control {
namespace {

Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Fail(SystemError("cannot open", directory, errno));
  const int failed = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  // Some file systems cannot flush a directory, and need not.
  if (failed == 0 || failed == EINVAL) return {};
  return Fail(SystemError("cannot flush", directory, failed));
}

Status WriteBeside(const std::string& temporary, const TextSource& source) {
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(SystemError("cannot create", temporary, errno));
  const auto cannot = [&temporary]() -> Status {
    return Fail(SystemError("cannot write", temporary, errno));
  };
  Status written = source([fd, &cannot](std::string_view piece) -> Status {
    return WriteAll(fd, piece) ? Status() : cannot();
  });
  if (written && fsync(fd) != 0) written = cannot();
  if (close(fd) != 0 && written) written = cannot();
  return written;
}

// PutInPlace: link fails where a file is, and rename does not.
int PutInPlace(const std::string& temporary, const std::string& path, bool replace) {
  if (replace) return rename(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  if (link(temporary.c_str(), path.c_str()) == 0) {
    unlink(temporary.c_str());
    return 0;
  }
  if (errno != EPERM && errno != EOPNOTSUPP) return errno;
  if (access(path.c_str(), F_OK) == 0) return EEXIST;  // a file system without links
  return rename(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Error SystemError(std::string_view what, const std::string& path, int error_number) {
  const ErrorCode code = error_number == ENOSPC || error_number == EDQUOT ? ErrorCode::kNoSpace
                         : error_number == EACCES || error_number == EROFS || error_number == EPERM
                             ? ErrorCode::kReadOnly
                             : ErrorCode::kIo;
  return {code, std::string(what) + " " + path + ": " + std::strerror(error_number), {}};
}

Result<std::string> ReadWholeFile(const std::string& path, std::size_t bytes_max) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Fail(ErrorCode::kUsage, "cannot read " + path + ": " + std::strerror(errno));
  }
  std::string text;
  std::string block(1 << 16, '\0');
  ssize_t count = 0;
  while (text.size() <= bytes_max && (count = read(fd, block.data(), block.size())) > 0) {
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  const int failed = count < 0 ? errno : 0;
  close(fd);
  if (failed != 0) {
    return Fail(ErrorCode::kUsage, "cannot read " + path + ": " + std::strerror(failed));
  }
  if (text.size() > bytes_max) return Fail(ErrorCode::kUsage, path + ": the file is too large");
  return text;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Status WriteWholeFile(const std::string& path, std::string_view text, MayReplace replace) {
  return WriteWholeFile(path, WholeText(text), replace);
}

Status WriteWholeFile(const std::string& path, const TextSource& source, MayReplace replace) {
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kUsage, path + ": is not a regular file");
  }
  if (exists && replace == MayReplace::kEmptyOnly && status.st_size > 0) {
    return Fail(ErrorCode::kUsage, path + ": exists already; name another file");
  }
  const std::string temporary = path + ".part" + std::to_string(getpid());
  Status written = WriteBeside(temporary, source);
  if (written) {
    const int failed = PutInPlace(temporary, path, exists || replace == MayReplace::kAny);
    if (failed == EEXIST) {
      written = Fail(ErrorCode::kUsage, path + ": exists already; name another file");
    } else if (failed != 0) {
      written = Fail(SystemError("cannot write", path, failed));
    }
  }
  if (!written) {
    unlink(temporary.c_str());
    return written;
  }
  return SyncDirectoryOf(path);
}

}  // namespace keyturn::control
