// Watcher: repeats an audit, tells what has changed, and puts failing keys right within bounds.
// What it does to the world it does through a WatchPort; time and chance are passed in.
//
// Order, so that nothing is told or done that a crash would forget: verdicts, new events and
// changes that are about to be made are on disk before the webhook is called and before a key is
// written. Events arrive at least once. Thread-safety: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "control/policy_file.h"
#include "control/run.h"
#include "control/watch_state.h"

namespace keyturn::control {

struct WatchOptions {
  std::chrono::seconds every{std::chrono::hours(6)};
  // jitter: at most this share of 'every' is added to it, so that many watches do not call at once.
  double jitter = 0.1;
  std::uint64_t runs_max = 0;  // 0: until it is stopped
  bool notify = false;         // changes of verdicts go to WatchPort::Send
  std::string state_path;
  std::string journal_directory;
};

// WatchRules: what the policy file allows a watch to change. The default, no policy file: nothing.
struct WatchRules {
  WatchBounds bounds;
  std::string policy_sha256;
  std::string exceptions_sha256{};  // empty: no exceptions
};

// WatchStatus: for metrics.
struct WatchStatus {
  std::map<std::string, std::uint64_t> runs = {
      {"compliant", 0}, {"findings", 0}, {"incomplete", 0}, {"failed", 0}};
  std::map<std::string, CallCount> calls;  // by operation, over all runs
  std::optional<Millis> last_duration;
  std::optional<TimePoint> last_finished;
  std::optional<TimePoint> next_run;
  std::uint64_t verdict_changes = 0;
  std::uint64_t events_pending = 0;
  std::uint64_t events_delivered = 0;
  std::uint64_t events_failed = 0;
  std::uint64_t events_dropped = 0;
  std::uint64_t keys_changed = 0;
  std::uint64_t keys_not_changed = 0;  // refused or failed
};

// WatchedChanges: what became of the changes of a journal.
struct WatchedChanges {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t pending = 0;  // the run was stopped before them
};

class WatchPort {
 public:
  virtual ~WatchPort() = default;
  // Rules reads the policy file and the exceptions as they are now.
  virtual Result<WatchRules> Rules() = 0;
  // Audit judges by the policy that Rules returned last.
  virtual Result<AuditRun> Audit() = 0;
  // Apply plans the run's changes of those ARNs and carries them out; Resume goes on with a
  // journal, nothing when there is no such file.
  virtual Result<WatchedChanges> Apply(const AuditRun& run, const std::set<std::string>& arns,
                                       const std::string& journal) = 0;
  virtual Result<WatchedChanges> Resume(const std::string& journal) = 0;
  // Send: an error when the webhook did not take the event.
  virtual Status Send(const WatchEvent& event) = 0;
  // WaitUntil returns at that time, or at once when the watch is to stop.
  virtual void WaitUntil(TimePoint when) = 0;
  virtual bool IsStopping() const = 0;
  // Publish: run is null when only the status has changed.
  virtual void Publish(const WatchStatus& status, const AuditRun* run) = 0;
  virtual void Tell(std::string_view what) = 0;  // one sentence for the log
};

class Watcher {
 public:
  // All of them must outlive the watcher.
  Watcher(WatchOptions options, WatchState state, WatchPort& port, const Clock& clock,
          RandomSource& random);

  // Run audits until it is stopped or has run as often as it should: the error of the first audit
  // when it is of the user (kUsage), or of the state file. Later audits that fail are told.
  Status Run();
  const WatchStatus& status() const { return status_; }

 private:
  Status RunOnce(bool first);
  Status Failed(const Error& error, bool first);
  Status Take(const AuditRun& run);
  Status AddEvents(const AuditRun& run, const std::vector<VerdictChange>& changes);
  Status Deliver();
  Status WaitAndDeliver(TimePoint until);
  Status ResumeOpen();
  bool IsOpenUnderTheseRules() const;
  Status ApplyWithin(const AuditRun& run);
  bool MayStillApply(const AuditRun& run);
  void TellUnknownOwners(const AuditRun& run);
  std::set<std::string> Choose(const AuditRun& run, std::uint64_t budget) const;
  Status Took(const Result<WatchedChanges>& changes);
  Status Save();
  void Publish(const AuditRun* run);
  Millis Jitter();

  const WatchOptions options_;
  WatchState state_;
  WatchRules rules_;              // as they were before the audit
  bool waits_for_hours_ = false;  // the open journal
  WatchPort& port_;
  const Clock& clock_;
  RandomSource& random_;
  WatchStatus status_;
  std::uint64_t send_failures_ = 0;  // in a row
  TimePoint next_send_{};
};

}  // namespace keyturn::control
