#include "console/jobs/job_runner.h"

#include <chrono>

#include "base/log.h"
#include "console/jobs/inner_client.h"
#include "control/apply.h"
#include "json/json.h"

namespace keyturn::console {
namespace {

// Sessions end by themselves: what waits is looked at again this often.
constexpr std::chrono::milliseconds kLookInterval{1000};
// The server's own answers are never stale: reading back needs no patience but for what others do.
constexpr std::chrono::milliseconds kVerifyPatience{2000};
constexpr std::chrono::milliseconds kVerifyPause{10};

std::string NoteOf(const Job& job) {
  std::string note;
  json::Writer w(note);
  w.BeginObject().Key("jobId").String(job.id);
  if (!job.step().justification.empty()) w.Key("justification").String(job.step().justification);
  w.EndObject();
  return note;
}

std::string NobodySignedIn(const std::string& arn) {
  return arn + " is not signed in. The job goes on when they sign in again.";
}

}  // namespace

// WatchedSink keeps the running job's progress beside its journal.
class JobRunner::WatchedSink final : public control::JournalSink {
 public:
  WatchedSink(JobRunner& runner, control::JournalSink& journal)
      : runner_(runner), journal_(journal) {}

  Status Append(const std::vector<control::JournalEntry>& entries) override {
    KT_TRY(journal_.Append(entries));
    const std::scoped_lock lock(runner_.mutex_);
    for (const control::JournalEntry& entry : entries) runner_.running_.progress->Absorb(entry);
    return {};
  }

 private:
  JobRunner& runner_;
  control::JournalSink& journal_;
};

JobRunner::~JobRunner() { Stop(); }

void JobRunner::Start(http::Loop& loop) {
  loop_ = &loop;
  thread_ = std::thread([this] { Loop(); });
}

void JobRunner::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  cancelled_ = true;
  wake_.notify_all();
  thread_.join();
}

void JobRunner::Wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void JobRunner::Interrupt(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  broken_.erase(id);
  waiting_.erase(id);
  if (running_.id != id) return;
  running_.interrupted = true;
  cancelled_ = true;
}

bool JobRunner::IsRunning(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return running_.id == id;
}

JobActivity JobRunner::ActivityOf(const Job& job) const {
  const std::scoped_lock lock(mutex_);
  JobActivity activity;
  if (running_.id == job.id) {
    activity.kind = JobActivity::Kind::kRunning;
    if (running_.progress) activity.counts = running_.progress->counts();
    return activity;
  }
  for (const auto* reasons : {&broken_, &waiting_}) {
    const auto found = reasons->find(job.id);
    if (found == reasons->end()) continue;
    activity.kind = JobActivity::Kind::kWaiting;
    activity.reason = found->second;
    break;
  }
  return activity;
}

Result<JobProgress> JobRunner::Progress(const std::string& id) const {
  {
    const std::scoped_lock lock(mutex_);
    if (running_.id == id && running_.progress) return *running_.progress;
  }
  KT_ASSIGN(const control::Journal journal, control::ReadJournal(book_.JournalPath(id)));
  return JobProgress(journal);
}

void JobRunner::Loop() {
  for (;;) {
    if (const auto id = Next()) {
      Run(*id);
      continue;
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kLookInterval, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
  }
}

// Next chooses the oldest job that can go on, and marks it as running.
std::optional<std::string> JobRunner::Next() {
  for (const Job& job : book_.Open()) {
    const auto caller = CallerFor(job.owner());
    const std::scoped_lock lock(mutex_);
    if (stopping_) return std::nullopt;
    if (broken_.contains(job.id)) continue;
    if (!caller) {
      waiting_[job.id] = caller.error().message;
      continue;
    }
    waiting_.erase(job.id);
    running_ = {};
    running_.id = job.id;
    cancelled_ = false;
    return job.id;
  }
  return std::nullopt;
}

Result<InnerCaller> JobRunner::CallerFor(const std::string& arn) {
  const TimePoint now = pipeline_.service().environment().clock.Now();
  Error why{ErrorCode::kExpiredTokenException, NobodySignedIn(arn), {}};
  for (SignIn& session : sign_ins_.FindOf(arn, now)) {
    auto caller = CallerOf(pipeline_.service().tables(), session.identity, now);
    if (caller) return InnerCaller{std::move(*caller), std::move(session.origin)};
    why = caller.error();
  }
  return Fail(why);
}

std::unique_ptr<client::KmsClient> JobRunner::MakeClient(const Job& job) {
  return InnerClient::Create(
      pipeline_, *loop_, NoteOf(job), [this, arn = job.owner()] { return CallerFor(arn); },
      [this](const Error& error) {
        const std::scoped_lock lock(mutex_);
        running_.refusal = error.message;
        cancelled_ = true;
      });
}

void JobRunner::Run(const std::string& id) {
  // Interrupt is told of changes from here on; one before it is seen in the book.
  const auto found = book_.Find(id);
  if (!found || found->state != JobState::kOpen) {
    const std::scoped_lock lock(mutex_);
    running_ = {};
    return;
  }
  const Job& job = *found;
  const auto client = MakeClient(job);
  const Status done = RunPhases(job, *client);
  JobCounts counts;
  bool stopped = false;
  {
    const std::scoped_lock lock(mutex_);
    if (running_.progress) counts = running_.progress->counts();
    stopped = stopping_ || running_.interrupted || !running_.refusal.empty();
    if (!running_.refusal.empty()) waiting_[job.id] = running_.refusal;
  }
  Status kept = done;
  // A job that was cancelled keeps that state; one that was stopped stays open.
  const auto updated = book_.Update(job.id, [&](Job& changed) -> Status {
    changed.counts = counts;
    if (done && !stopped && changed.state == JobState::kOpen) changed.state = JobState::kFinished;
    return {};
  });
  if (kept && !updated) kept = Fail(updated.error());
  const std::scoped_lock lock(mutex_);
  if (!kept) {
    LogError("job {} of the console: {}", job.id, kept.error().message);
    broken_[job.id] =
        "The job's record could not be written or read, so nothing more was changed. Look at the "
        "server's log, then let it go on.";
  }
  running_ = {};
}

Status JobRunner::RunPhases(const Job& job, client::KmsClient& client) {
  const control::Phase phase = job.step().phase;
  KT_ASSIGN(const bool ended, RunPhase(job, phase, client));
  if (!ended || phase == control::Phase::kBackout) return {};
  KT_TRY(RunPhase(job, control::Phase::kVerify, client));
  return {};
}

Result<bool> JobRunner::RunPhase(const Job& job, control::Phase phase, client::KmsClient& client) {
  KT_ASSIGN(const control::Journal journal, control::ReadJournal(book_.JournalPath(job.id)));
  KT_ASSIGN(const auto sink, control::OpenJournal(journal));
  {
    const std::scoped_lock lock(mutex_);
    running_.progress = std::make_unique<JobProgress>(journal);
  }
  WatchedSink watched(*this, *sink);
  control::Monitor monitor;
  monitor.cancelled = &cancelled_;
  control::SingleAccess access(client);
  const control::ChangeContext context{access, pipeline_.service().environment().clock, monitor,
                                       kVerifyPatience, kVerifyPause};
  Result<control::ChangeRecord> record;
  switch (phase) {
    case control::Phase::kApply:
      record = control::Apply(journal, watched, context);
      break;
    case control::Phase::kVerify:
      record = control::Verify(journal, watched, context);
      break;
    case control::Phase::kBackout:
      record = control::Backout(journal, watched, job.step().justification, context);
      break;
  }
  if (!record) return Fail(std::move(record).error());
  return !record->cancelled;
}

}  // namespace keyturn::console
