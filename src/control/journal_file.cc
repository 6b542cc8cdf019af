// The journal's file: made whole, locked, appended to and flushed.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "control/files.h"
#include "control/journal.h"

namespace keyturn::control {
namespace {

class FileSink final : public JournalSink {
 public:
  FileSink(std::string path, int fd, std::uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}
  ~FileSink() override { close(fd_); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  Status Append(const std::vector<JournalEntry>& entries) override {
    if (failed_) return Fail(ErrorCode::kIo, path_ + ": an earlier write failed");
    std::string text;
    for (const JournalEntry& entry : entries) AppendEntryText(entry, text);
    if (!WriteAll(fd_, text) || fdatasync(fd_) != 0) {
      Error error = SystemError("cannot write", path_, errno);
      failed_ = true;
      // Half a line at the end would be dropped anyway; without it the file is easier to look at.
      if (ftruncate(fd_, static_cast<off_t>(size_)) != 0) error.cause = "and not cut back either";
      return Fail(std::move(error));
    }
    size_ += text.size();
    return {};
  }

 private:
  const std::string path_;
  const int fd_;
  std::uint64_t size_;
  bool failed_ = false;
};

Result<std::unique_ptr<JournalSink>> OpenSink(const std::string& path, std::uint64_t expected,
                                              std::uint64_t keep) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return Fail(SystemError("cannot open", path, errno));
  auto sink = std::make_unique<FileSink>(path, fd, keep);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Fail(SystemError("cannot lock", path, errno));
    return Fail(ErrorCode::kLocked, path + ": another keyturn is working with this journal");
  }
  struct stat status {};
  if (fstat(fd, &status) != 0) return Fail(SystemError("cannot look at", path, errno));
  if (static_cast<std::uint64_t>(status.st_size) != expected) {
    return Fail(ErrorCode::kConflict, path + ": was written to by another keyturn; try again");
  }
  if (keep != expected && (ftruncate(fd, static_cast<off_t>(keep)) != 0 || fdatasync(fd) != 0)) {
    return Fail(SystemError("cannot cut the torn line off", path, errno));
  }
  return sink;
}

}  // namespace

Result<std::unique_ptr<JournalSink>> CreateJournal(const std::string& path, const Plan& plan,
                                                   const Clock& clock,
                                                   std::string_view tool_version,
                                                   const Approval& approval) {
  const std::string text = JournalText(plan, clock.Now(), tool_version, approval);
  KT_TRY(WriteWholeFile(path, text, MayReplace::kEmptyOnly));
  return OpenSink(path, text.size(), text.size());
}

Result<std::unique_ptr<JournalSink>> OpenJournal(const Journal& journal) {
  return OpenSink(journal.path, journal.file_bytes, journal.valid_bytes);
}

}  // namespace keyturn::control
