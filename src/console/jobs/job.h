// Job: one setting of automatic rotation for many keys, asked for by a person and carried out by
// the server. Its changes and what became of them are a journal of the control
// (control/journal.h); this is what stands beside it: who asked for what, and whether it goes on.
//
// Thread-safety: values and pure functions. docs/formats/store.md has the files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/change.h"

namespace keyturn::console {

// JobStep: apply, or the taking back of it.
struct JobStep {
  control::Phase phase = control::Phase::kApply;
  std::string by;  // ARN of who asked; the calls are made with a session of theirs
  std::string justification;
  TimePoint asked;
};

enum class JobState : std::uint8_t {
  kOpen,       // not done, and to be worked on
  kCancelled,  // a person stopped it; it can be taken up again
  kFinished,   // every key was reached
};

// JobCounts: keys by what became of them; verified: seen as wanted afterwards.
struct JobCounts {
  std::uint64_t keys = 0;
  std::uint64_t done = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t pending = 0;
  std::uint64_t verified = 0;
  bool operator==(const JobCounts&) const = default;
};

struct Job {
  std::string id;  // a UUID
  std::string account;
  TimePoint created;
  control::RotationSetting wanted;
  std::vector<JobStep> steps;  // the last one is the present one
  JobState state = JobState::kOpen;
  JobCounts counts;  // as of its last stop

  const JobStep& step() const { return steps.back(); }
  const std::string& owner() const { return steps.back().by; }
  bool backing_out() const { return step().phase == control::Phase::kBackout; }
  // turns_off: the present step can leave keys without automatic rotation.
  bool turns_off() const { return backing_out() || !wanted.enabled; }
};

inline constexpr std::size_t kStepsMax = 20;
inline constexpr std::size_t kJustificationBytesMax = 2000;

// JobText is the text of a job's file.
std::string JobText(const Job& job);
// ParseJob: kNewerFormat for a later format, kCorrupt with the reason for anything else.
Result<Job> ParseJob(std::string_view text);

}  // namespace keyturn::console
