#include "control/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "base/uuid.h"
#include "control/code_owner.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

constexpr std::size_t kChangesPerEvent = 100;
constexpr std::chrono::seconds kSendPauseMax{300};
constexpr Days kBudgetPeriod{1};

bool Fails(const KeyResult& key) {
  return key.judgement.verdict == Verdict::kFail || key.judgement.verdict == Verdict::kFailPeriod;
}

const char* OutcomeOf(const AuditRun& run) {
  switch (AuditExitCode(run)) {
    case kExitCompliant:
      return "compliant";
    case kExitFindings:
      return "findings";
    default:
      return "incomplete";
  }
}

}  // namespace

Watcher::Watcher(WatchOptions options, WatchState state, WatchPort& port, const Clock& clock,
                 RandomSource& random)
    : options_(std::move(options)),
      state_(std::move(state)),
      port_(port),
      clock_(clock),
      random_(random) {}

Status Watcher::Run() {
  Publish(nullptr);
  TimePoint next = clock_.Now();
  for (std::uint64_t runs = 0; options_.runs_max == 0 || runs < options_.runs_max; ++runs) {
    KT_TRY(WaitAndDeliver(next));
    if (port_.IsStopping()) break;
    const TimePoint started = clock_.Now();
    KT_TRY(RunOnce(runs == 0));
    // A run that took longer than the interval is not made up for.
    next = std::max(clock_.Now(), started + options_.every + Jitter());
    status_.next_run = next;
    Publish(nullptr);
  }
  return {};
}

Status Watcher::RunOnce(bool first) {
  auto rules = port_.Rules();
  if (!rules) return Failed(rules.error(), first);
  rules_ = *std::move(rules);
  KT_TRY(ResumeOpen());
  const TimePoint started = clock_.Now();
  const auto run = port_.Audit();
  status_.last_duration = clock_.Now() - started;
  if (!run) return Failed(run.error(), first);
  if (run->cancelled && port_.IsStopping()) return {};
  return Take(*run);
}

// Failed: the user's mistakes end a watch that has just begun; afterwards it goes on.
Status Watcher::Failed(const Error& error, bool first) {
  ++status_.runs["failed"];
  if (first && error.code == ErrorCode::kUsage) return Fail(error);
  port_.Tell("the audit failed: " + error.message);
  Publish(nullptr);
  return {};
}

Status Watcher::Take(const AuditRun& run) {
  ++status_.runs[OutcomeOf(run)];
  status_.last_finished = run.finished;
  for (const auto& [operation, count] : run.calls) {
    CallCount& total = status_.calls[operation];
    total.calls += count.calls;
    total.throttled += count.throttled;
    total.failed += count.failed;
  }
  const std::vector<VerdictChange> changes = state_.Observe(run);
  status_.verdict_changes += changes.size();
  KT_TRY(AddEvents(run, changes));
  KT_TRY(Save());
  const auto count = [&run](Verdict verdict) { return run.totals.by_verdict.at(verdict); };
  port_.Tell(fmt::format("{}: {} pass, {} fail, {} unknown; {} changed{}",
                         Counted(run.totals.listed, "key"), count(Verdict::kPass),
                         count(Verdict::kFail) + count(Verdict::kFailPeriod),
                         count(Verdict::kUnknown), Counted(changes.size(), "verdict"),
                         run.incomplete() ? "; incomplete" : ""));
  Publish(&run);
  KT_TRY(Deliver());
  return ApplyWithin(run);
}

Status Watcher::AddEvents(const AuditRun& run, const std::vector<VerdictChange>& changes) {
  if (!options_.notify) return {};
  for (std::size_t begin = 0; begin < changes.size(); begin += kChangesPerEvent) {
    const std::size_t end = std::min(begin + kChangesPerEvent, changes.size());
    const auto from = changes.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::vector<VerdictChange> some(from, changes.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string id = NewUuid(random_);
    if (state_.AddEvent({id, EventBody(id, run, some)})) {
      ++status_.events_dropped;
      port_.Tell("too many events wait for the webhook; the oldest was dropped");
    }
  }
  return {};
}

// Deliver sends what waits, in order, until the webhook fails.
Status Watcher::Deliver() {
  if (!options_.notify || clock_.Now() < next_send_) return {};
  bool any = false;
  while (!state_.events().empty() && !port_.IsStopping()) {
    if (const Status sent = port_.Send(state_.events().front()); !sent) {
      ++status_.events_failed;
      const auto pause = std::chrono::seconds(1LL << std::min<std::uint64_t>(send_failures_, 9));
      ++send_failures_;
      next_send_ = clock_.Now() + std::min<std::chrono::seconds>(pause, kSendPauseMax);
      port_.Tell("the webhook did not take an event: " + sent.error().message);
      break;
    }
    send_failures_ = 0;
    ++status_.events_delivered;
    state_.events().pop_front();
    any = true;
  }
  if (any) KT_TRY(Save());
  Publish(nullptr);
  return {};
}

Status Watcher::WaitAndDeliver(TimePoint until) {
  while (!port_.IsStopping()) {
    const TimePoint now = clock_.Now();
    if (now >= until) return {};
    const bool waiting = options_.notify && !state_.events().empty();
    if (waiting && now >= next_send_) {
      KT_TRY(Deliver());
      continue;
    }
    port_.WaitUntil(waiting ? std::min(until, next_send_) : until);
  }
  return {};
}

// IsOpenUnderTheseRules: an exception that has come since may be about a key that waits.
bool Watcher::IsOpenUnderTheseRules() const {
  return rules_.bounds.apply && state_.open_policy_sha256 == rules_.policy_sha256 &&
         state_.open_exceptions_sha256 == rules_.exceptions_sha256;
}

// ResumeOpen goes on with changes that were interrupted, if and when they may still be made.
Status Watcher::ResumeOpen() {
  waits_for_hours_ = false;
  if (state_.open_journal.empty()) return {};
  if (!IsOpenUnderTheseRules()) {
    port_.Tell("changes of " + state_.open_journal +
               " are not finished, and the policy or its exceptions are others now: they are left "
               "as they are");
    state_.open_journal.clear();
    return Save();
  }
  if (!rules_.bounds.MayApplyAt(clock_.Now())) {
    waits_for_hours_ = true;
    port_.Tell("changes of " + state_.open_journal + " wait for the hours of the policy");
    return {};
  }
  port_.Tell("goes on with " + state_.open_journal);
  return Took(port_.Resume(state_.open_journal));
}

std::set<std::string> Watcher::Choose(const AuditRun& run, std::uint64_t budget) const {
  const auto wanted = static_cast<std::uint64_t>(rules_.bounds.failing_runs_min);
  std::set<std::string> arns;
  for (const KeyResult& key : run.keys) {
    if (arns.size() >= budget) break;
    const bool may_change = Fails(key) && key.judgement.remediable &&
                            state_.FailingRuns(key.facts) >= wanted && !key.facts.tags_failure &&
                            !OwnerOf(key.facts.tags, std::nullopt);
    if (may_change) arns.insert(key.facts.arn);
  }
  return arns;
}

// TellUnknownOwners: infrastructure code may own them, and would undo what is done behind it.
void Watcher::TellUnknownOwners(const AuditRun& run) {
  const auto count = std::count_if(run.keys.begin(), run.keys.end(), [](const KeyResult& key) {
    return Fails(key) && key.judgement.remediable && key.facts.tags_failure.has_value();
  });
  if (count == 0) return;
  port_.Tell(
      fmt::format("the tags of {} cannot be read, so that nobody knows whose they are: {} "
                  "left alone; kms:ListResourceTags is needed",
                  Counted(count, "failing key"), count == 1 ? "it is" : "they are"));
}

// MayStillApply: an audit takes its time, and the policy or an exception may have been changed
// meanwhile.
bool Watcher::MayStillApply(const AuditRun& run) {
  const auto now = port_.Rules();
  const std::string& audited = rules_.policy_sha256;
  const bool same = now && now->policy_sha256 == audited && run.policy.sha256 == audited &&
                    now->exceptions_sha256 == rules_.exceptions_sha256;
  if (!same) {
    port_.Tell(
        "the policy file or its exceptions were changed during the audit: nothing is changed");
  }
  return same;
}

Status Watcher::ApplyWithin(const AuditRun& run) {
  const WatchBounds& bounds = rules_.bounds;
  const auto failing = std::count_if(run.keys.begin(), run.keys.end(), Fails);
  if (!bounds.apply || run.cancelled || failing == 0 || port_.IsStopping()) return {};
  if (failing > bounds.failing_keys_max) {
    port_.Tell(fmt::format("{} fail, more than {}: nothing is changed", Counted(failing, "key"),
                           bounds.failing_keys_max));
    return {};
  }
  const TimePoint now = clock_.Now();
  if (!bounds.MayApplyAt(now)) return {};
  // What waits in a journal comes first.
  if (waits_for_hours_) return MayStillApply(run) ? ResumeOpen() : Status();
  TellUnknownOwners(run);
  const std::uint64_t today = state_.ChangedSince(now - kBudgetPeriod);
  const auto per_day = static_cast<std::uint64_t>(bounds.keys_per_day_max);
  const std::uint64_t left = per_day - std::min(per_day, today);
  const std::set<std::string> arns =
      Choose(run, std::min(left, static_cast<std::uint64_t>(bounds.keys_per_run_max)));
  if (arns.empty() || !MayStillApply(run)) return {};
  state_.open_journal =
      (std::filesystem::path(options_.journal_directory) / (run.run_id + ".journal")).string();
  state_.open_policy_sha256 = rules_.policy_sha256;
  state_.open_exceptions_sha256 = rules_.exceptions_sha256;
  state_.AddChanges({now, arns.size()});
  KT_TRY(Save());
  port_.Tell(fmt::format("changes {} of {}, journal {}", arns.size(),
                         Counted(failing, "failing key"), state_.open_journal));
  return Took(port_.Apply(run, arns, state_.open_journal));
}

// Took notes what became of changes; the journal stays open while some of them wait.
Status Watcher::Took(const Result<WatchedChanges>& changes) {
  if (!changes) {
    port_.Tell("changes were not made: " + changes.error().message);
    if (changes.error().code == ErrorCode::kUsage) state_.open_journal.clear();
    return Save();
  }
  status_.keys_changed += changes->done;
  status_.keys_not_changed += changes->failed;
  port_.Tell(fmt::format("{} changed, {} refused or failed, {} waiting",
                         Counted(changes->done, "key"), changes->failed, changes->pending));
  if (changes->pending == 0) state_.open_journal.clear();
  KT_TRY(Save());
  Publish(nullptr);
  return {};
}

Status Watcher::Save() { return state_.Write(options_.state_path); }

void Watcher::Publish(const AuditRun* run) {
  status_.events_pending = state_.events().size();
  port_.Publish(status_, run);
}

Millis Watcher::Jitter() {
  std::array<std::uint8_t, 4> bytes{};
  random_.Fill(bytes);
  std::uint32_t number = 0;
  for (const std::uint8_t byte : bytes) number = (number << 8) | byte;
  const double share = options_.jitter * static_cast<double>(number) / 4294967296.0;
  return std::chrono::duration_cast<Millis>(options_.every * share);
}

}  // namespace keyturn::control
