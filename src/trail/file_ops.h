// FileOps: the system calls by which a trail changes its files, so that a test can make the n-th of
// them fail. Return values and errno are the system call's. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace keyturn::trail {

class FileOps {
 public:
  virtual ~FileOps() = default;
  // Create opens for appending, creating with mode 0600; O_CLOEXEC.
  virtual int Create(const char* path);
  virtual ssize_t Write(int fd, const void* data, std::size_t size);
  // CreateForOverwriting opens for WriteAt, creating with mode 0600; O_CLOEXEC.
  virtual int CreateForOverwriting(const char* path);
  virtual ssize_t WriteAt(int fd, const void* data, std::size_t size, off_t offset);
  virtual int Remove(const char* path);
  virtual int Truncate(int fd, off_t size);
  // Reserve has the file system set blocks aside for [offset, offset + size); the file's size
  // stays.
  virtual int Reserve(int fd, off_t offset, off_t size);
  virtual int DataSync(int fd);       // fdatasync
  virtual int DirectorySync(int fd);  // fsync
};

// SystemFileOps: the operating system.
FileOps& SystemFileOps();

}  // namespace keyturn::trail
