// RecordsOf: a journal told again, one record for each run of a phase.
#include "control/change_loop.h"
#include "control/history.h"
#include "control/journal.h"

namespace keyturn::control {
namespace {

using Kind = JournalEntry::Kind;

ChangeRecord Begin(const Journal& journal, const JournalEntry& begin) {
  ChangeRecord record;
  record.phase = begin.phase;
  record.journal = journal.path;
  record.plan_sha256 = journal.header.plan_sha256;
  if (begin.phase == Phase::kApply && journal.header.approval) {
    record.approval = ApprovalText(*journal.header.approval);
  }
  record.reason = begin.reason;
  record.started = begin.time;
  record.cancelled = true;  // until its end is found
  for (const PlannedChange& change : journal.changes) record.lines.push_back(LineOf(change));
  return record;
}

void Add(const JournalEntry& entry, ChangeRecord& record, std::vector<bool>& touched) {
  ChangeLine& line = record.lines[entry.index];
  touched[entry.index] = true;
  if (entry.kind == Kind::kIntent) {
    line.before = entry.prior.rotation;
    line.wanted = entry.wanted;
    line.outcome = ChangeOutcome::kPending;
    line.detail = "interrupted: its outcome is not known";
    return;
  }
  line.outcome = entry.outcome;
  line.detail = entry.detail;
  if (!entry.request_id.empty()) line.request_id = entry.request_id;
}

}  // namespace

std::vector<ChangeRecord> RecordsOf(const Journal& journal) {
  std::vector<ChangeRecord> records;
  std::vector<bool> touched;
  // An apply shows all that is left to do, but for one that was to do some of it only; a resumed
  // one leaves out what was settled before it, and a backout what is not its business; a verify
  // after a backout leaves out what was never written.
  std::vector<bool> settled(journal.changes.size(), false);
  const std::vector<KeyHistory> histories = HistoriesOf(journal);
  bool bounded = false;
  bool taking_back = false;
  const auto finish = [&] {
    if (records.empty()) return;
    ChangeRecord& record = records.back();
    std::vector<ChangeLine> kept;
    for (std::size_t i = 0; i < record.lines.size(); ++i) {
      const bool left = record.phase == Phase::kApply && !settled[i];
      const bool verified =
          record.phase == Phase::kVerify && (!taking_back || histories[i].write.has_value());
      const bool show = touched[i] || (left && !bounded) || verified;
      if (left && !show) ++record.held_back;
      if (record.phase == Phase::kApply && touched[i]) {
        settled[i] = record.lines[i].outcome != ChangeOutcome::kFailed &&
                     record.lines[i].outcome != ChangeOutcome::kPending;
      }
      if (show) kept.push_back(std::move(record.lines[i]));
    }
    record.lines = std::move(kept);
  };
  for (const JournalEntry& entry : journal.entries) {
    switch (entry.kind) {
      case Kind::kBegin:
        finish();
        records.push_back(Begin(journal, entry));
        touched.assign(journal.changes.size(), false);
        bounded = entry.first.has_value();
        taking_back = taking_back || entry.phase == Phase::kBackout;
        break;
      case Kind::kIntent:
      case Kind::kResult:
        if (!records.empty()) Add(entry, records.back(), touched);
        break;
      case Kind::kStop:
        if (!records.empty()) records.back().notes.push_back(entry.reason);
        break;
      case Kind::kEnd:
        if (!records.empty()) {
          records.back().finished = entry.time;
          records.back().cancelled = false;
        }
        break;
    }
  }
  finish();
  return records;
}

}  // namespace keyturn::control
