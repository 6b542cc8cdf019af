// JobRunner: carries out the jobs of a book, one after the other, on a thread of its own.
//
// A job's calls are made with a console session of the person who asked for it, with the rights
// that person has at each call. While there is no such session the job waits, and goes on when the
// person signs in; so it does after a restart, which ends all sessions. A job that was interrupted
// goes on by its journal: keys with an intent and no result are read first.
//
// Thread-safety: Start and Stop belong to one thread, in that order; everything else is
// thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "console/jobs/inner_client.h"
#include "console/jobs/job_book.h"
#include "console/jobs/job_progress.h"
#include "console/sign_ins.h"
#include "server/pipeline.h"

namespace keyturn::console {

// JobActivity: what a job that is open is doing.
struct JobActivity {
  enum class Kind { kQueued, kRunning, kWaiting };
  Kind kind = Kind::kQueued;
  std::string reason;               // of kWaiting: why, and what ends it
  std::optional<JobCounts> counts;  // of kRunning: as of now
};

class JobRunner {
 public:
  // All must outlive the runner.
  JobRunner(JobBook& book, SignIns& sign_ins, server::Pipeline& pipeline)
      : book_(book), sign_ins_(sign_ins), pipeline_(pipeline) {}
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  // Start: calls are made on this loop. Stop waits until calls under way have ended.
  void Start(http::Loop& loop);
  void Stop();

  // Wake: there may be something to do: a job was added or taken up, or somebody has signed in.
  void Wake();
  // Interrupt stops work on a job whose state has been changed in the book already.
  void Interrupt(const std::string& id);
  // IsRunning: keys of the job are being worked on.
  bool IsRunning(const std::string& id) const;
  JobActivity ActivityOf(const Job& job) const;
  // Progress: key by key, of the running job from memory, of others from the journal. kNotFound,
  // kCorrupt, kIo.
  Result<JobProgress> Progress(const std::string& id) const;

 private:
  class WatchedSink;
  struct Running {
    std::string id;
    std::unique_ptr<JobProgress> progress;
    bool interrupted = false;
    std::string refusal;  // why nobody may make the calls; empty: somebody may
  };

  void Loop();
  std::optional<std::string> Next();
  void Run(const std::string& id);
  Status RunPhases(const Job& job, client::KmsClient& client);
  // RunPhase: false when the run was stopped before its end.
  Result<bool> RunPhase(const Job& job, control::Phase phase, client::KmsClient& client);
  std::unique_ptr<client::KmsClient> MakeClient(const Job& job);
  Result<InnerCaller> CallerFor(const std::string& arn);

  JobBook& book_;
  SignIns& sign_ins_;
  server::Pipeline& pipeline_;
  http::Loop* loop_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool woken_ = false;
  Running running_;
  // Why jobs cannot go on, by id: for want of a session, or (broken_) for something that a person
  // must put right before the job is taken up again.
  std::map<std::string, std::string> waiting_;
  std::map<std::string, std::string> broken_;
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
};

}  // namespace keyturn::console
