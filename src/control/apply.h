// Apply, verify, backout: the three things that are done with a plan.
//
// Each key is read just before it is written; the intent, with what was read, is on disk before the
// call. One key that drifted, or whose call fails, stops none of the others. When the journal
// cannot be written, nothing more is sent and the error is returned. Thread-safety: one thread,
// which pumps the access.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "control/change.h"
#include "control/journal.h"
#include "control/monitor.h"
#include "control/plan.h"
#include "control/target.h"

namespace keyturn::control {

struct ChangeContext {
  Access& access;
  const Clock& clock;
  const Monitor& monitor;
  // What IAM tells late is read again for this long, with this pause between two reads.
  std::chrono::milliseconds verify_patience{60000};
  std::chrono::milliseconds verify_pause{1000};
};

// ApplyBounds: how much of a plan one run does at most. What it leaves is done by a later one.
struct ApplyBounds {
  // first: so many keys that are not settled, in the plan's order. Each counts as done once it has
  // been seen as wanted in two reads in a row. Absent: all, and reading back is Verify's business.
  std::optional<std::size_t> first;
  // max_failure_percent: the run is stopped once more than that share of the last
  // kFailureWindow keys (of all where it has fewer to do) failed or were refused; 0: by the first.
  // The share is always of the whole window, so early failures stop a run before it is full.
  std::optional<double> max_failure_percent;
};
inline constexpr std::size_t kFailureWindow = 100;

// Apply makes the changes of journal.changes that no entry shows as done. With an empty journal
// that is all of them; with one that was interrupted, keys with an intent are reconciled by reading
// first. EnableKeyRotation is never sent to a key that is as wanted already.
Result<ChangeRecord> Apply(const Journal& journal, JournalSink& sink, const ChangeContext& context,
                           const ApplyBounds& bounds = {});

// Verify reads every key of the journal until the state that its last change wanted was seen in two
// reads in a row: kDone, or kFailed with what was seen. Keys that the journal shows as not changed
// are read, too, until a backout has begun: then only those that were written count.
Result<ChangeRecord> Verify(const Journal& journal, JournalSink& sink,
                            const ChangeContext& context);

// Backout takes back what the journal shows as done by us, once, and only that; a key whose state
// is not what was written is kRefused. Then it verifies. reason must not be blank (kUsage); it is
// journaled. Interrupted, it can be called again with the journal read anew.
Result<ChangeRecord> Backout(const Journal& journal, JournalSink& sink, const std::string& reason,
                             const ChangeContext& context);

// PreviewBackout: what Backout would do, as pending lines, without a call.
ChangeRecord PreviewBackout(const Journal& journal);

}  // namespace keyturn::control
