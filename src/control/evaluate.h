// Evaluate: the verdict of a key from recorded facts. Pure: it never calls anything.
//
// docs/control.md has the table of rows; Judgement::row names the row that decided. What is not
// known is UNKNOWN, never PASS and never FAIL.
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "control/exceptions.h"
#include "control/run.h"
#include "control/scope.h"

namespace keyturn::control {

inline constexpr int kPeriodDaysMin = 90;
inline constexpr int kPeriodDaysMax = 2560;
inline constexpr int kDefaultPeriodDays = 365;
inline constexpr int kAgeDaysMax = 36'500;

struct EvaluationPolicy {
  int max_period_days = kDefaultPeriodDays;
  // strict_disabled: a disabled key is judged by the setting it keeps instead of being skipped.
  bool strict_disabled = false;
  // judge_imported: enabled keys with imported material are judged by when they were last rotated
  // on demand, or made; absent: within max_period_days.
  bool judge_imported = false;
  std::optional<int> imported_max_age_days{};
  // on_demand_counts: a key without automatic rotation passes for so long after a rotation on
  // demand; absent: for max_period_days.
  bool on_demand_counts = false;
  std::optional<int> on_demand_max_age_days{};
  Scope scope{};
  // at: when ages are counted to; the start of the run.
  TimePoint at{};
};

// EvaluateKey judges one key by rows 1 to 10, 12 to 14 and 16. A multi-Region replica is judged by
// its own copy of its primary's setting and is not remediable (row 11 for a primary that was not
// audited).
Judgement EvaluateKey(const KeyFacts& facts, const EvaluationPolicy& policy);

// FollowPrimary is row 11 with the primary at hand: the primary's verdict where the primary could
// be judged, else the replica's own.
Judgement FollowPrimary(const KeyFacts& replica, const KeyResult& primary,
                        const EvaluationPolicy& policy);

// IsReplica: a multi-Region replica, as DescribeKey says.
bool IsReplica(const KeyFacts& facts);

// MayRotate: DescribeKey says that automatic rotation is possible and the state can have a status,
// so GetKeyRotationStatus is worth a call.
bool MayRotate(const KeyFacts& facts);

// WantsRotations: the verdict depends on when the key was last rotated, so ListKeyRotations is
// worth a call.
bool WantsRotations(const KeyFacts& facts, const EvaluationPolicy& policy);

// WantsScopeTags: the verdict depends on tags that have not been read.
bool WantsScopeTags(const KeyFacts& facts, const EvaluationPolicy& policy);

// JudgeAll judges every key: each on its own, then replicas by their primaries, then exceptions
// (row 15, valid on the day of now), and returns what is to be said about the exceptions.
std::vector<ExceptionNote> JudgeAll(std::vector<KeyResult>& keys, const EvaluationPolicy& policy,
                                    const ExceptionList& exceptions, TimePoint now);

}  // namespace keyturn::control
