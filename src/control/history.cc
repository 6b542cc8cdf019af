#include "control/history.h"

#include <algorithm>

namespace keyturn::control {
namespace {

using Kind = JournalEntry::Kind;

// Note follows intents and results of one phase.
void Note(const JournalEntry& entry, std::optional<JournalEntry>& write, bool& acknowledged,
          std::optional<JournalEntry>& result) {
  if (entry.kind == Kind::kIntent) {
    // A second intent means that the first was found without effect.
    write = entry;
    acknowledged = false;
    return;
  }
  result = entry;
  if (entry.outcome == ChangeOutcome::kDone) {
    acknowledged = write.has_value();
  } else if (!acknowledged && !entry.uncertain) {
    // The endpoint refused, or the state was read: that write changed nothing.
    write.reset();
  }
}

}  // namespace

bool KeyHistory::settled() const { return apply && apply->outcome != ChangeOutcome::kFailed; }

std::vector<KeyHistory> HistoriesOf(const Journal& journal) {
  std::vector<KeyHistory> histories(journal.changes.size());
  for (const JournalEntry& entry : journal.entries) {
    if (entry.kind != Kind::kIntent && entry.kind != Kind::kResult) continue;
    KeyHistory& history = histories[entry.index];
    switch (entry.phase) {
      case Phase::kApply:
        if (entry.kind == Kind::kIntent) history.apply.reset();
        Note(entry, history.write, history.write_acknowledged, history.apply);
        break;
      case Phase::kBackout:
        if (entry.kind == Kind::kIntent) history.backout.reset();
        Note(entry, history.backout_write, history.backout_acknowledged, history.backout);
        break;
      case Phase::kVerify:
        break;
    }
  }
  return histories;
}

bool HasBackout(const Journal& journal) {
  return std::any_of(journal.entries.begin(), journal.entries.end(),
                     [](const JournalEntry& entry) { return entry.phase == Phase::kBackout; });
}

}  // namespace keyturn::control
