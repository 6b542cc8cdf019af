#include "console/jobs/job_progress.h"

#include <utility>

namespace keyturn::console {

using control::ChangeOutcome;
using control::JournalEntry;
using control::Phase;

JobProgress::JobProgress(const control::Journal& journal)
    : changes_(journal.changes), writes_(journal.changes.size()) {
  keys_.reserve(changes_.size());
  for (const control::PlannedChange& change : changes_) {
    KeyProgress key;
    key.before = change.before.rotation;
    key.wanted = change.wanted;
    keys_.push_back(std::move(key));
  }
  for (const JournalEntry& entry : journal.entries) Absorb(entry);
}

void JobProgress::Absorb(const JournalEntry& entry) {
  switch (entry.kind) {
    case JournalEntry::Kind::kBegin:
      phase_ = entry.phase;
      if (phase_ == Phase::kBackout) TurnBack();
      break;
    case JournalEntry::Kind::kIntent:
      AbsorbIntent(entry);
      break;
    case JournalEntry::Kind::kResult:
      AbsorbResult(entry);
      break;
    case JournalEntry::Kind::kStop:
    case JournalEntry::Kind::kEnd:
      break;
  }
}

// TurnBack: from here on it is about the way back, of those keys that we have written to.
void JobProgress::TurnBack() {
  if (std::exchange(turned_back_, true)) return;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    KeyProgress& key = keys_[i];
    KeyProgress back;
    back.counts = writes_[i].ours;
    back.before = key.wanted;
    back.wanted = key.before;
    if (back.counts) key = std::move(back);
    key.counts = writes_[i].ours;
  }
}

void JobProgress::AbsorbIntent(const JournalEntry& entry) {
  KeyProgress& key = keys_[entry.index];
  if (entry.phase == Phase::kApply) writes_[entry.index] = {true, false};
  key.before = entry.prior.rotation;
  key.wanted = entry.wanted;
  key.outcome = ChangeOutcome::kPending;
  key.detail.clear();
  key.seen.reset();
  key.seen_detail.clear();
}

void JobProgress::AbsorbResult(const JournalEntry& entry) {
  KeyProgress& key = keys_[entry.index];
  if (entry.phase == Phase::kVerify) {
    key.seen = entry.outcome == ChangeOutcome::kDone;
    key.seen_detail = entry.detail;
    return;
  }
  key.outcome = entry.outcome;
  key.detail = entry.detail;
  if (!entry.request_id.empty()) key.request_id = entry.request_id;
  if (entry.phase == Phase::kApply) {
    Write& write = writes_[entry.index];
    if (entry.outcome == ChangeOutcome::kDone) {
      write.acknowledged = write.ours;
    } else if (!write.acknowledged && !entry.uncertain) {
      write.ours = false;
    }
    return;
  }
  // A way back is seen when it is done; its first result only says that it was acknowledged.
  if (entry.outcome == ChangeOutcome::kDone) {
    key.seen.reset();
    if (entry.detail != control::kNotVerifiedYet) key.seen = true;
  } else if (entry.outcome == ChangeOutcome::kUnchanged) {
    key.seen = true;
  } else {
    key.seen = false;
  }
}

JobCounts JobProgress::counts() const {
  JobCounts counts;
  for (const KeyProgress& key : keys_) {
    if (!key.counts) continue;
    ++counts.keys;
    if (key.seen == true) ++counts.verified;
    switch (key.outcome) {
      case ChangeOutcome::kDone:
        ++counts.done;
        break;
      case ChangeOutcome::kUnchanged:
        ++counts.unchanged;
        break;
      case ChangeOutcome::kRefused:
        ++counts.refused;
        break;
      case ChangeOutcome::kFailed:
        ++counts.failed;
        break;
      case ChangeOutcome::kPending:
        ++counts.pending;
        break;
    }
  }
  return counts;
}

}  // namespace keyturn::console
