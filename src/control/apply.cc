#include "control/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "control/change_loop.h"
#include "control/evaluate.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kTakenBack = "taken back already; what is there now is not ours";

// EnableBody: a period only where one is to be sent.
std::string EnableBody(const PlannedChange& change, const std::optional<int>* period_days) {
  std::string body;
  json::Writer w(body);
  w.BeginObject().Key("KeyId").String(change.arn);
  if (period_days != nullptr && *period_days) w.Key("RotationPeriodInDays").Int(**period_days);
  w.EndObject();
  return body;
}

std::string OperationFor(const RotationSetting& wanted) {
  return wanted.enabled ? "EnableKeyRotation" : "DisableKeyRotation";
}

// DriftText: how a key differs from the plan's precondition; empty when it does not.
std::string DriftText(const KeyReading& reading, const KeyCondition& planned) {
  const KeyCondition now = reading.condition();
  if (now.key_state != planned.key_state) {
    return "the key is " + now.key_state + ", and was " + planned.key_state + " when planned";
  }
  if (IsReplica(reading.facts)) return "the key has become a replica";
  if (now.primary_region != planned.primary_region) {
    return "the primary has moved to " + now.primary_region;
  }
  if (!(now.rotation == planned.rotation)) {
    return "rotation is " + SettingText(now.rotation) + ", and was " +
           SettingText(planned.rotation) + " when planned";
  }
  return {};
}

// FailureWindow: the last keys of a run, and when too many of them went wrong.
class FailureWindow {
 public:
  FailureWindow(double max_percent, std::size_t keys)
      : max_percent_(max_percent), last_(std::min(kFailureWindow, keys), false) {}

  // Add takes the next key; true once the bound is exceeded.
  bool Add(bool bad) {
    if (last_.empty()) return false;
    bad_ += bad ? 1 : 0;
    bad_ -= last_[at_] ? 1 : 0;
    last_[at_] = bad;
    at_ = (at_ + 1) % last_.size();
    return static_cast<double>(bad_) * 100 > max_percent_ * static_cast<double>(last_.size());
  }

  std::string Text() const {
    return fmt::format(
        "Stopped: {} of {} {} failed or were refused, more than {:g} %. What is left is as it was; "
        "look at the failures, then 'keyturn apply --resume' goes on.",
        bad_, last_.size() < kFailureWindow ? "this run's" : "the last",
        Counted(last_.size(), "key"), max_percent_);
  }

 private:
  const double max_percent_;
  std::vector<bool> last_;  // true: failed or refused; a ring
  std::size_t at_ = 0;
  std::size_t bad_ = 0;
};

class ApplyLoop final : public ChangeLoop {
 public:
  ApplyLoop(const Journal& journal, JournalSink& sink, const ChangeContext& context,
            const ApplyBounds& bounds)
      : ChangeLoop(journal, sink, context, Phase::kApply) {
    first_ = bounds.first;
    for (std::size_t i = 0; i < histories_.size(); ++i) {
      if (histories_[i].settled()) continue;
      if (first_ && indexes_.size() == *first_) {
        held_back_.push_back(i);
      } else {
        indexes_.push_back(i);
      }
    }
    if (bounds.max_failure_percent) {
      window_.emplace(*bounds.max_failure_percent, indexes_.size());
    }
  }

  // indexes: what this run is to do.
  const std::vector<std::size_t>& indexes() const { return indexes_; }

  // HoldBack takes the lines that the run was not to reach out of its record.
  void HoldBack(ChangeRecord& record) const {
    if (held_back_.empty()) return;
    std::vector<ChangeLine> kept;
    for (std::size_t i = 0, at = 0; i < record.lines.size(); ++i) {
      if (at < held_back_.size() && held_back_[at] == i) {
        ++at;
      } else {
        kept.push_back(std::move(record.lines[i]));
      }
    }
    record.lines = std::move(kept);
    record.held_back = held_back_.size();
    record.notes.push_back(fmt::format(
        "{} {} left for later runs: 'keyturn apply --resume' goes on with {}.", held_back_.size(),
        held_back_.size() == 1 ? "key is" : "keys are", held_back_.size() == 1 ? "it" : "them"));
  }

  // FillSettled completes the record of a resumed run with what was done before.
  void FillSettled(ChangeRecord& record) const {
    for (std::size_t i = 0; i < histories_.size(); ++i) {
      if (!histories_[i].settled()) continue;
      const JournalEntry& result = *histories_[i].apply;
      record.lines[i].outcome = result.outcome;
      record.lines[i].detail = result.detail;
      record.lines[i].request_id = result.request_id;
    }
  }

 private:
  void Start(std::size_t index) override {
    reader_.Read(client(index), change(index),
                 [this, index](const KeyReading& reading) { OnRead(index, reading); });
  }

  void OnRead(std::size_t index, const KeyReading& reading) {
    const bool open = histories_[index].write.has_value();
    if (reading.failure) {
      if (stopping()) return Drop(index);
      return Finish(index, ChangeOutcome::kFailed, FailureText(*reading.failure),
                    reading.failure->request_id, open);
    }
    const PlannedChange& planned = change(index);
    if (reading.facts.key_state == "Enabled" &&
        IsAs(reading.condition().rotation, planned.wanted)) {
      return open ? Finish(index, ChangeOutcome::kDone,
                           "found as wanted: the interrupted write had taken effect")
                  : Finish(index, ChangeOutcome::kUnchanged, "was as wanted already");
    }
    const std::string drift = DriftText(reading, planned.before);
    if (!drift.empty()) return Finish(index, ChangeOutcome::kRefused, drift);
    Intend(index, reading, planned.wanted, [this, index] { Write(index); });
  }

  void Write(std::size_t index) {
    const PlannedChange& planned = change(index);
    const std::string operation = OperationFor(planned.wanted);
    const auto* period = planned.send_period ? &planned.wanted.period_days : nullptr;
    client(index).Call(operation, planned.region, EnableBody(planned, period),
                       [this, index, operation](const client::CallResult& result) {
                         if (!result) {
                           FinishFailedWrite(index, FailureOf(operation, result.error()),
                                             result.error().http_status);
                         } else if (!first_) {
                           Finish(index, ChangeOutcome::kDone, {}, result->request_id);
                         } else {
                           Note(index, ChangeOutcome::kDone, std::string(kNotVerifiedYet),
                                result->request_id);
                           Confirm(index);
                         }
                       });
  }

  // Confirm: of a few keys that are changed first, each counts once it has been seen.
  void Confirm(std::size_t index) {
    AwaitSetting(index, change(index).wanted, false, [this, index](const Sighting& sighting) {
      if (sighting.seen) {
        Finish(index, ChangeOutcome::kDone, "verified: rotation is " + sighting.last);
      } else if (sighting.stopped) {
        Drop(index);
      } else {
        Finish(index, ChangeOutcome::kFailed, "not seen yet; last seen: " + sighting.last, {},
               true);
      }
    });
  }

  void Settled(ChangeOutcome outcome) override {
    const bool bad = outcome == ChangeOutcome::kFailed || outcome == ChangeOutcome::kRefused;
    if (window_ && window_->Add(bad)) Stop(window_->Text());
  }

  std::vector<std::size_t> indexes_;
  std::vector<std::size_t> held_back_;
  std::optional<FailureWindow> window_;
};

// Only keeps the lines of those changes.
void Only(const std::vector<std::size_t>& indexes, std::vector<ChangeLine>& lines) {
  std::vector<ChangeLine> kept;
  kept.reserve(indexes.size());
  for (const std::size_t i : indexes) kept.push_back(std::move(lines[i]));
  lines = std::move(kept);
}

// What verify expects of a key: what our last change to it wanted. Once changes are taken back, a
// key that was never written is no concern of the journal.
class VerifyLoop final : public ChangeLoop {
 public:
  VerifyLoop(const Journal& journal, JournalSink& sink, const ChangeContext& context)
      : ChangeLoop(journal, sink, context, Phase::kVerify) {
    if (HasBackout(journal)) {
      indexes_ = Written(histories_);
      return;
    }
    indexes_.resize(histories_.size());
    std::iota(indexes_.begin(), indexes_.end(), std::size_t{0});
  }

  const std::vector<std::size_t>& indexes() const { return indexes_; }

  void FillWanted(ChangeRecord& record) const {
    for (const std::size_t i : indexes_) record.lines[i].wanted = Wanted(i);
    Only(indexes_, record.lines);
  }

 private:
  RotationSetting Wanted(std::size_t index) const {
    const KeyHistory& history = histories_[index];
    if (history.backout_write) return history.backout_write->wanted;
    return history.taken_back && history.write ? history.write->prior.rotation
                                               : change(index).wanted;
  }

  // NotChanged says why a key cannot be as wanted; empty when it should be.
  std::string NotChanged(std::size_t index) const {
    const KeyHistory& history = histories_[index];
    if (history.backout_write || history.write) return {};
    if (!history.apply) return "apply has not reached this key";
    if (history.apply->outcome == ChangeOutcome::kUnchanged) return {};
    return "apply " + std::string(ChangeOutcomeName(history.apply->outcome)) + ": " +
           history.apply->detail;
  }

  void Start(std::size_t index) override {
    const std::string not_changed = NotChanged(index);
    AwaitSetting(
        index, Wanted(index), !not_changed.empty(),
        [this, index, not_changed](const Sighting& sighting) {
          if (sighting.seen) {
            Finish(index, ChangeOutcome::kDone, "seen " + sighting.last);
          } else if (sighting.stopped) {
            Drop(index);
          } else {
            Finish(index, ChangeOutcome::kFailed,
                   "last seen: " + sighting.last + (not_changed.empty() ? "" : "; " + not_changed));
          }
        });
  }

  std::vector<std::size_t> indexes_;
};

class BackoutLoop final : public ChangeLoop {
 public:
  BackoutLoop(const Journal& journal, JournalSink& sink, const ChangeContext& context)
      : ChangeLoop(journal, sink, context, Phase::kBackout) {}

 private:
  void Start(std::size_t index) override {
    if (histories_[index].taken_back) {
      return Finish(index, ChangeOutcome::kUnchanged, std::string(kTakenBack));
    }
    reader_.Read(client(index), change(index),
                 [this, index](const KeyReading& reading) { OnRead(index, reading); });
  }

  void OnRead(std::size_t index, const KeyReading& reading) {
    const KeyHistory& history = histories_[index];
    const bool open = history.backout_write.has_value();
    if (reading.failure) {
      if (stopping()) return Drop(index);
      return Finish(index, ChangeOutcome::kFailed, FailureText(*reading.failure),
                    reading.failure->request_id, open);
    }
    const RotationSetting& prior = history.write->prior.rotation;
    const RotationSetting& written = history.write->wanted;
    const RotationSetting now = reading.condition().rotation;
    if (IsAs(now, prior)) {
      return Confirm(index, open ? ChangeOutcome::kDone : ChangeOutcome::kUnchanged);
    }
    if (!IsAs(now, written)) {
      return Finish(index, ChangeOutcome::kRefused,
                    "conflict: rotation is " + SettingText(now) + ", and we wrote " +
                        SettingText(written) + "; left alone");
    }
    if (reading.facts.key_state != "Enabled") {
      return Finish(index, ChangeOutcome::kRefused,
                    "conflict: the key is " + reading.facts.key_state + "; left alone");
    }
    if (IsReplica(reading.facts)) {
      return Finish(index, ChangeOutcome::kRefused,
                    "conflict: the key has become a replica; left alone");
    }
    Intend(index, reading, prior, [this, index] { Restore(index); });
  }

  void Restore(std::size_t index) {
    const PlannedChange& planned = change(index);
    const RotationSetting& prior = histories_[index].write->prior.rotation;
    const std::string operation = OperationFor(prior);
    client(index).Call(operation, planned.region,
                       EnableBody(planned, prior.enabled ? &prior.period_days : nullptr),
                       [this, index, operation](const client::CallResult& result) {
                         if (!result) {
                           FinishFailedWrite(index, FailureOf(operation, result.error()),
                                             result.error().http_status);
                           return;
                         }
                         Note(index, ChangeOutcome::kDone, std::string(kNotVerifiedYet),
                              result->request_id);
                         Confirm(index, ChangeOutcome::kDone);
                       });
  }

  // Confirm: that a key is as before counts once it has been seen: it is left alone from then on.
  void Confirm(std::size_t index, ChangeOutcome outcome) {
    const RotationSetting prior = histories_[index].write->prior.rotation;
    AwaitSetting(index, prior, false, [this, index, prior, outcome](const Sighting& sighting) {
      if (sighting.seen) {
        Finish(index, outcome,
               outcome == ChangeOutcome::kDone
                   ? "verified: rotation is " + SettingText(prior)
                   : "rotation is " + SettingText(prior) + " already, as before apply");
      } else if (sighting.stopped) {
        Drop(index);
      } else {
        Finish(index, ChangeOutcome::kFailed, "not seen yet; last seen: " + sighting.last, {},
               true);
      }
    });
  }
};

std::vector<std::string> BackoutNotes(const std::vector<ChangeLine>& lines) {
  std::vector<std::string> notes;
  notes.emplace_back(
      "Key material that was rotated in the meantime stays, and goes on decrypting what it "
      "encrypted; that cannot be undone.");
  for (const ChangeLine& line : lines) {
    if (line.wanted.enabled) {
      notes.emplace_back(
          "Where a period is restored the schedule starts anew: the next rotation is one period "
          "after this.");
      break;
    }
  }
  return notes;
}

// OnlyOurs keeps the lines of changes that are taken back, in the direction of backout.
void OnlyOurs(const std::vector<KeyHistory>& histories, std::vector<ChangeLine>& lines) {
  const std::vector<std::size_t> ours = Written(histories);
  for (const std::size_t i : ours) {
    lines[i].before = histories[i].write->wanted;
    lines[i].wanted = histories[i].write->prior.rotation;
  }
  Only(ours, lines);
}

}  // namespace

Result<ChangeRecord> Apply(const Journal& journal, JournalSink& sink, const ChangeContext& context,
                           const ApplyBounds& bounds) {
  if (HasBackout(journal)) {
    return Fail(ErrorCode::kUsage,
                journal.path + ": its changes are being taken back; make a new plan");
  }
  ApplyLoop loop(journal, sink, context, bounds);
  KT_ASSIGN(ChangeRecord record, loop.Run(loop.indexes(), {}));
  loop.FillSettled(record);
  loop.HoldBack(record);
  return record;
}

Result<ChangeRecord> Verify(const Journal& journal, JournalSink& sink,
                            const ChangeContext& context) {
  VerifyLoop loop(journal, sink, context);
  KT_ASSIGN(ChangeRecord record, loop.Run(loop.indexes(), {}));
  loop.FillWanted(record);
  return record;
}

Result<ChangeRecord> Backout(const Journal& journal, JournalSink& sink, const std::string& reason,
                             const ChangeContext& context) {
  if (reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Fail(ErrorCode::kUsage, "a backout needs a reason: why is disabling justified?");
  }
  const std::vector<KeyHistory> histories = HistoriesOf(journal);
  BackoutLoop loop(journal, sink, context);
  KT_ASSIGN(ChangeRecord record, loop.Run(Written(histories), reason));
  OnlyOurs(histories, record.lines);
  record.notes = BackoutNotes(record.lines);
  return record;
}

ChangeRecord PreviewBackout(const Journal& journal) {
  const std::vector<KeyHistory> histories = HistoriesOf(journal);
  ChangeRecord record;
  record.phase = Phase::kBackout;
  record.journal = journal.path;
  record.plan_sha256 = journal.header.plan_sha256;
  for (std::size_t i = 0; i < journal.changes.size(); ++i) {
    ChangeLine& line = record.lines.emplace_back(LineOf(journal.changes[i]));
    if (!histories[i].taken_back) continue;
    line.outcome = ChangeOutcome::kUnchanged;
    line.detail = kTakenBack;
  }
  OnlyOurs(histories, record.lines);
  record.notes = BackoutNotes(record.lines);
  return record;
}

}  // namespace keyturn::control
