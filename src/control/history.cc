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

// IsTakenBack: a first result says only that the write was acknowledged.
bool IsTakenBack(const JournalEntry& entry) {
  return entry.kind == Kind::kResult &&
         (entry.outcome == ChangeOutcome::kUnchanged ||
          (entry.outcome == ChangeOutcome::kDone && entry.detail != kNotVerifiedYet));
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
        history.taken_back = history.taken_back || IsTakenBack(entry);
        break;
      case Phase::kVerify:
        break;
    }
  }
  return histories;
}

std::vector<std::size_t> Written(const std::vector<KeyHistory>& histories) {
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    if (histories[i].write) indexes.push_back(i);
  }
  return indexes;
}

bool HasBackout(const Journal& journal) {
  return std::any_of(journal.entries.begin(), journal.entries.end(),
                     [](const JournalEntry& entry) { return entry.phase == Phase::kBackout; });
}

}  // namespace keyturn::control
