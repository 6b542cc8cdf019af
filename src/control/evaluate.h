// Evaluate: the verdict of a key from recorded facts. Pure: it never calls anything.
//
// docs/control.md has the table of rows; Judgement::row names the row that decided. What is not
// known is UNKNOWN, never PASS and never FAIL.
// Thread-safety: pure functions.
#pragma once

#include <vector>

#include "base/time.h"
#include "control/exceptions.h"
#include "control/run.h"

namespace keyturn::control {

inline constexpr int kPeriodDaysMin = 90;
inline constexpr int kPeriodDaysMax = 2560;
inline constexpr int kDefaultPeriodDays = 365;

struct EvaluationPolicy {
  int max_period_days = kDefaultPeriodDays;
  // strict_disabled: a disabled key is judged by the setting it keeps instead of being skipped.
  bool strict_disabled = false;
};

// EvaluateKey judges one key by rows 1 to 10 and 12 to 14. A multi-Region replica is judged by its
// own copy of its primary's setting and is not remediable (row 11 for a primary out of scope).
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

// JudgeAll judges every key: each on its own, then replicas by their primaries, then exceptions
// (row 15, valid on the day of now), and returns what is to be said about the exceptions.
std::vector<ExceptionNote> JudgeAll(std::vector<KeyResult>& keys, const EvaluationPolicy& policy,
                                    const ExceptionList& exceptions, TimePoint now);

}  // namespace keyturn::control
