// JobProgress: what a job's journal says about each of its keys, kept up to date as lines are
// added.
//
// Thread-safety: a value; the owner locks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "console/jobs/job.h"
#include "control/journal.h"

namespace keyturn::console {

struct KeyProgress {
  bool counts = true;               // false: taking back has nothing to do with this key
  control::RotationSetting before;  // as read just before the change, until then as planned
  control::RotationSetting wanted;
  control::ChangeOutcome outcome = control::ChangeOutcome::kPending;
  std::string detail;
  std::string request_id;
  std::optional<bool> seen;  // read back afterwards: as wanted, or not
  std::string seen_detail;
};

class JobProgress {
 public:
  explicit JobProgress(const control::Journal& journal);
  // Absorb takes the next entry of the journal; its index is one of the journal's changes.
  void Absorb(const control::JournalEntry& entry);

  const std::vector<KeyProgress>& keys() const { return keys_; }
  const std::vector<control::PlannedChange>& changes() const { return changes_; }
  control::Phase phase() const { return phase_; }
  JobCounts counts() const;

 private:
  // Write: the write of ours that took effect, or may have, as control::Backout sees it.
  struct Write {
    bool ours = false;
    bool acknowledged = false;
  };
  void TurnBack();
  void AbsorbIntent(const control::JournalEntry& entry);
  void AbsorbResult(const control::JournalEntry& entry);

  std::vector<control::PlannedChange> changes_;
  std::vector<KeyProgress> keys_;
  std::vector<Write> writes_;
  control::Phase phase_ = control::Phase::kApply;
  bool turned_back_ = false;
};

}  // namespace keyturn::console
