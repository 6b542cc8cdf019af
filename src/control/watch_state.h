// WatchState: what `keyturn watch` remembers between runs and between restarts, in one file: the
// last verdict of each key, events that the webhook has not taken yet, and what was changed lately.
// docs/formats/watch-state.md has the format.
//
// Limits: 1 GiB, a million keys, 10,000 events. Thread-safety: one thread. Errors: kUsage for a
// file that is something else, kNewerFormat, kCorrupt; kNoSpace, kReadOnly, kIo in writing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/run.h"

namespace keyturn::control {

// VerdictChange: absent before: the key is new; absent after: it is not listed any more.
struct VerdictChange {
  std::string endpoint_url;
  std::string account;
  std::string region;
  std::string arn;
  std::string alias;  // the first one; empty: none
  std::optional<Verdict> before;
  std::optional<Verdict> after;
  std::string reason;
};

// WatchEvent: a body for the webhook, the same each time that it is sent.
struct WatchEvent {
  std::string id;
  std::string body;
};

// WatchChanges: keys that were changed at a time.
struct WatchChanges {
  TimePoint time;
  std::uint64_t keys = 0;
};

class WatchState {
 public:
  // Read: an empty state when there is no such file.
  static Result<WatchState> Read(const std::string& path);
  static Result<WatchState> Parse(std::string_view text, std::string_view place);
  std::string Text() const;
  Status Write(const std::string& path) const;

  // Observe takes the verdicts of a run and returns what has changed. The first run tells nothing.
  // New keys are told where they fail or cannot be judged, and keys that are gone where they did.
  // Keys of regions that were not scanned stay as they were; so does everything after a run that
  // was stopped.
  std::vector<VerdictChange> Observe(const AuditRun& run);
  // FailingRuns: how many runs in a row have seen the key fail.
  std::uint64_t FailingRuns(const KeyFacts& facts) const;

  // AddEvent: of more than there may be, the oldest is dropped; true when one was.
  bool AddEvent(WatchEvent event);
  std::deque<WatchEvent>& events() { return events_; }
  const std::deque<WatchEvent>& events() const { return events_; }

  // ChangedSince counts keys changed later than then.
  std::uint64_t ChangedSince(TimePoint then) const;
  // AddChanges forgets what is older than a day.
  void AddChanges(WatchChanges changes);

  // open_journal: of changes that were begun and are not known to have ended; empty: none.
  // open_policy_sha256, open_exceptions_sha256: what they were planned under.
  std::string open_journal;
  std::string open_policy_sha256;
  std::string open_exceptions_sha256;

  std::uint64_t runs() const { return runs_; }
  std::size_t keys() const { return keys_.size(); }

 private:
  struct Key {
    Verdict verdict = Verdict::kUnknown;
    std::uint64_t failing_runs = 0;
    std::uint64_t seen = 0;  // the last run that listed it
  };
  Status ParseHead(std::string_view line, std::string_view place, std::uint64_t& events,
                   std::uint64_t& keys, std::string& sha256);
  Status ParseLines(std::string_view lines, std::uint64_t events, std::uint64_t keys);
  void FindGone(const AuditRun& run, std::vector<VerdictChange>& changes);

  std::uint64_t runs_ = 0;
  std::unordered_map<std::string, Key> keys_;  // by endpoint, a space, and ARN
  std::deque<WatchEvent> events_;
  std::vector<WatchChanges> changes_;
};

// EventBody: "keyturn.watch.v1", docs/control.md.
std::string EventBody(std::string_view id, const AuditRun& run,
                      const std::vector<VerdictChange>& changes);

}  // namespace keyturn::control
