// DataDirectory: the directory that one process owns. Its lock, its permissions, its file names.
//
// The lock is flock on keyturn.lock: it ends with the process, however that ends, so a stale file
// never has to be removed. The file holds the owner's process id for the message to the second one.
// Thread-safety: none needed; immutable once made.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"

namespace keyturn::store {

inline constexpr const char kDatabaseName[] = "keyturn.db";

class DataDirectory {
 public:
  // Open fails with kNotFound if there is no database (and create is off), kConflict if there is
  // one (and create is on), kLocked, kReadOnly, kIo.
  static Result<DataDirectory> Open(const std::filesystem::path& directory, bool create);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  std::string database_path() const { return (directory_ / kDatabaseName).string(); }
  // new_database_path: where a database is made before it gets its name, so that there is never a
  // half-made keyturn.db.
  std::string new_database_path() const { return (directory_ / "keyturn.db.new").string(); }

  // MakeNewFile makes an empty file of mode 0600 at new_database_path(), without what an
  // interrupted earlier one left.
  Status MakeNewFile() const;
  // PublishNewFile renames it to database_path() and makes the name durable.
  Status PublishNewFile() const;
  // DiscardNewFile removes it and its journals; absence is no error.
  void DiscardNewFile() const;

 private:
  DataDirectory(std::filesystem::path directory, int lock_fd)
      : directory_(std::move(directory)), lock_fd_(lock_fd) {}

  std::filesystem::path directory_;
  int lock_fd_;
};

// NewFile: an empty file of mode 0600 that SQLite fills; gone at the end of its scope unless kept.
class NewFile {
 public:
  // Make: kConflict if there is one of that name.
  static Result<NewFile> Make(std::string path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();
  const std::string& path() const { return path_; }
  // Keep syncs the file. The caller syncs its directory.
  Status Keep();

 private:
  NewFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;  // -1: moved from
  bool kept_ = false;
};

}  // namespace keyturn::store
