// JobBook: the jobs of a data directory, in <data directory>/console-jobs: <id>.journal, and
// <id>.job beside it. A job is there once its .job file is, which is written last; both are on
// stable storage before a call returns.
//
// Thread-safety: thread-safe. One book a directory (the store's lock sees to that).
// Errors: kNoSpace, kReadOnly, kIo with the file's name; nothing of the job is there then.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "console/jobs/job.h"
#include "control/plan.h"

namespace keyturn::console {

class JobBook {
 public:
  // Of one account: more at work are refused, and of the others the oldest go. What a job has
  // changed stays in the trail.
  static constexpr std::size_t kOpenMax = 20;
  static constexpr std::size_t kJobsMax = 500;

  explicit JobBook(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Load reads what is there. Files that make no sense are left alone, logged, and no jobs; what a
  // crash left half is deleted.
  void Load();
  // Create adds a job with the changes it is to make. kLimitExceededException.
  Status Create(const Job& job, const control::Plan& plan, const Clock& clock);
  // Update replaces a job that is there. change runs with the book locked, on a copy, and may
  // refuse; nothing is changed unless it and the write succeed. kNotFound.
  Result<Job> Update(const std::string& id, const std::function<Status(Job&)>& change);
  std::optional<Job> Find(const std::string& id) const;
  // List: of an account, newest first.
  std::vector<Job> List(const std::string& account) const;
  // Open: the jobs that are to be worked on, oldest first.
  std::vector<Job> Open() const;

  std::string JournalPath(const std::string& id) const;

 private:
  std::filesystem::path JobPath(const std::string& id) const;
  void LoadFile(const std::filesystem::path& path);
  void Remove(const std::string& id);
  void DropOldest(const std::string& account);

  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
  std::map<std::string, Job> jobs_;
};

}  // namespace keyturn::console
