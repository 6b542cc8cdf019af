// Journal: what was about to be done to each key and what came of it, written before the call.
// docs/formats/journal.md has the file format.
//
// A file of JSON lines. It is created whole, with the plan's changes in it; after that lines are
// only appended, and an intent is on disk before its call is sent. A last line that a crash cut
// short is dropped.
// Thread-safety: one writer, enforced by a lock on the file; reading is free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/approval.h"
#include "control/change.h"
#include "control/plan.h"

namespace keyturn::control {

struct JournalHeader {
  std::string tool_version;
  std::string plan_sha256;
  TimePoint created;
  std::size_t changes = 0;
  std::optional<Approval> approval;
};

// JournalEntry: one appended line.
struct JournalEntry {
  enum class Kind { kBegin, kIntent, kResult, kEnd, kStop };
  Kind kind = Kind::kBegin;
  Phase phase = Phase::kApply;
  TimePoint time;
  std::string reason;                               // kBegin of a backout; kStop: why
  std::optional<std::size_t> first;                 // kBegin of an apply that does so many keys
  std::size_t index = 0;                            // kIntent, kResult: of the planned change
  KeyCondition prior;                               // kIntent: as read just before
  RotationSetting wanted;                           // kIntent: what the call is to bring about
  ChangeOutcome outcome = ChangeOutcome::kPending;  // kResult
  std::string detail;
  std::string request_id;
  bool uncertain = false;  // kResult, kFailed: the call may have taken effect all the same
};

struct Journal {
  std::string path;
  JournalHeader header;
  std::vector<PlannedChange> changes;
  std::vector<JournalEntry> entries;
  std::uint64_t file_bytes = 0;
  std::uint64_t valid_bytes = 0;  // up to the end of the last whole line; what follows was dropped
};

// ParseJournal: kUsage for a text that is no journal, kNewerFormat, kCorrupt naming the line.
Result<Journal> ParseJournal(std::string_view text, std::string_view place);
Result<Journal> ReadJournal(const std::string& path);

// JournalSink: where lines go. Append returns once they are on disk; after a failure nothing more
// is appended.
class JournalSink {
 public:
  virtual ~JournalSink() = default;
  virtual Status Append(const std::vector<JournalEntry>& entries) = 0;
};

// CreateJournal writes a new journal for a plan: kUsage when the path holds something already,
// kNoSpace, kReadOnly, kIo; nothing is left behind then.
Result<std::unique_ptr<JournalSink>> CreateJournal(const std::string& path, const Plan& plan,
                                                   const Clock& clock,
                                                   std::string_view tool_version,
                                                   const Approval& approval = {});
// OpenJournal goes on with one that was read: cuts a torn line off; kLocked while another process
// writes it, kConflict when it has grown since it was read.
Result<std::unique_ptr<JournalSink>> OpenJournal(const Journal& journal);

// kNotVerifiedYet: the detail of a backout's first result; a second one says what was seen.
inline constexpr std::string_view kNotVerifiedYet = "acknowledged, not verified yet";

// JournalText: the text of a new journal.
std::string JournalText(const Plan& plan, TimePoint created, std::string_view tool_version,
                        const Approval& approval = {});
// AppendEntryText appends one line, with its line break.
void AppendEntryText(const JournalEntry& entry, std::string& out);

// RecordsOf: what each phase of a journal did, in order; verify and resumed runs are records of
// their own. For reports.
std::vector<ChangeRecord> RecordsOf(const Journal& journal);

}  // namespace keyturn::control
