#include "console/jobs/job_book.h"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "base/uuid.h"
#include "control/journal.h"
#include "service/files.h"

namespace keyturn::console {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kJobSuffix = ".job";
constexpr std::string_view kJournalSuffix = ".journal";
constexpr std::string_view kToolVersion = "console";

Status MakeDirectory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  const int number = errno;
  const ErrorCode code = number == ENOSPC                      ? ErrorCode::kNoSpace
                         : number == EROFS || number == EACCES ? ErrorCode::kReadOnly
                                                               : ErrorCode::kIo;
  return Fail(code, "cannot create " + directory.string() + ": " +
                        std::error_code(number, std::generic_category()).message());
}

}  // namespace

fs::path JobBook::JobPath(const std::string& id) const {
  return directory_ / (id + std::string(kJobSuffix));
}

std::string JobBook::JournalPath(const std::string& id) const {
  return (directory_ / (id + std::string(kJournalSuffix))).string();
}

void JobBook::Load() {
  const std::scoped_lock lock(mutex_);
  std::error_code ignored;
  std::vector<fs::path> journals;
  for (const auto& entry : fs::directory_iterator(directory_, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() == kJobSuffix) {
      LoadFile(path);
    } else if (path.extension() == kJournalSuffix && IsUuid(path.stem().string())) {
      journals.push_back(path);
    }
  }
  // A journal without its job is one that Create did not get to the end of.
  for (const fs::path& journal : journals) {
    if (!fs::exists(JobPath(journal.stem().string()), ignored)) fs::remove(journal, ignored);
  }
}

void JobBook::LoadFile(const fs::path& path) {
  const auto text = service::ReadSmallFile(path);
  Result<Job> job = text ? ParseJob(AsText(text->reveal())) : Fail(text.error());
  if (job && job->id != path.stem().string()) {
    job = Fail(ErrorCode::kCorrupt, "it has the name of another job");
  }
  if (!job) {
    LogError("{} is left alone: {}", path.string(), job.error().message);
    return;
  }
  jobs_.emplace(job->id, std::move(*job));
}

Status JobBook::Create(const Job& job, const control::Plan& plan, const Clock& clock) {
  const std::scoped_lock lock(mutex_);
  const auto open = std::ranges::count_if(jobs_, [&](const auto& each) {
    return each.second.account == job.account && each.second.state == JobState::kOpen;
  });
  if (static_cast<std::size_t>(open) >= kOpenMax) {
    return Fail(ErrorCode::kLimitExceededException,
                "The account has " + std::to_string(kOpenMax) +
                    " jobs at work. Let some of them finish, or cancel them.");
  }
  KT_TRY(MakeDirectory(directory_));
  // The lock of the journal goes with the sink; the runner opens it again.
  KT_TRY(control::CreateJournal(JournalPath(job.id), plan, clock, kToolVersion));
  if (Status written = service::WriteNewFile(JobPath(job.id), JobText(job)); !written) {
    std::error_code ignored;
    fs::remove(JobPath(job.id), ignored);
    fs::remove(JournalPath(job.id), ignored);
    return written;
  }
  jobs_.emplace(job.id, job);
  DropOldest(job.account);
  return {};
}

Result<Job> JobBook::Update(const std::string& id, const std::function<Status(Job&)>& change) {
  const std::scoped_lock lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return Fail(ErrorCode::kNotFound, "there is no job " + id);
  Job changed = found->second;
  KT_TRY(change(changed));
  KT_TRY(service::ReplaceFile(JobPath(id), JobText(changed)));
  found->second = changed;
  return changed;
}

std::optional<Job> JobBook::Find(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return std::nullopt;
  return found->second;
}

std::vector<Job> JobBook::List(const std::string& account) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Job> list;
  for (const auto& [id, job] : jobs_) {
    if (job.account == account) list.push_back(job);
  }
  std::ranges::sort(list, [](const Job& a, const Job& b) { return a.created > b.created; });
  return list;
}

std::vector<Job> JobBook::Open() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Job> list;
  for (const auto& [id, job] : jobs_) {
    if (job.state == JobState::kOpen) list.push_back(job);
  }
  std::ranges::sort(list,
                    [](const Job& a, const Job& b) { return a.step().asked < b.step().asked; });
  return list;
}

void JobBook::Remove(const std::string& id) {
  std::error_code ignored;
  fs::remove(JobPath(id), ignored);
  fs::remove(JournalPath(id), ignored);
  jobs_.erase(id);
}

void JobBook::DropOldest(const std::string& account) {
  std::vector<std::pair<TimePoint, std::string>> stopped;
  std::size_t all = 0;
  for (const auto& [id, job] : jobs_) {
    if (job.account != account) continue;
    ++all;
    if (job.state != JobState::kOpen) stopped.emplace_back(job.created, id);
  }
  std::ranges::sort(stopped);
  for (const auto& [created, id] : stopped) {
    if (all-- <= kJobsMax) return;
    Remove(id);
  }
}

}  // namespace keyturn::console
