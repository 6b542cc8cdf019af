// ChangeReport: what apply, verify or backout did to each key, or what a plan would do, for
// rendering. Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace keyturn::report {

enum class ChangeKind : std::uint8_t { kPlan, kApply, kVerify, kBackout };
// ChangeKindName: "plan", "apply", "verify", "backout".
std::string_view ChangeKindName(ChangeKind kind);

enum class Outcome : std::uint8_t {
  kDone,       // the write was acknowledged; for verify: the wanted state was seen
  kUnchanged,  // nothing to do: the key was in the wanted state already
  kRefused,    // left alone on purpose: the key drifted, or its state is not what we wrote
  kFailed,     // the endpoint refused or never answered; for verify: another state was seen
  kPending,    // not reached: a resumed run goes on here
};
inline constexpr Outcome kOutcomes[] = {Outcome::kFailed, Outcome::kRefused, Outcome::kPending,
                                        Outcome::kUnchanged, Outcome::kDone};
// OutcomeName: "done", "unchanged", "refused", "failed", "pending".
std::string_view OutcomeName(Outcome outcome);

struct ChangeLine {
  std::string arn;
  std::string region;
  std::string before;  // "off", "on, every 365 days"
  std::string after;   // wanted state, in the same words
  Outcome outcome = Outcome::kPending;
  std::string detail;  // why; empty when there is nothing to say
  std::string request_id;
  std::string account{};
  std::string endpoint = "AWS";  // or its URL
};

struct ChangeReport {
  ChangeKind kind = ChangeKind::kApply;
  std::string journal;   // path, as given
  std::string plan_id;   // hash of the plan, where known
  std::string approval;  // of an apply: who approved; empty: not known
  std::string reason;    // of a backout
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  std::vector<ChangeLine> lines;
  // held_back: changes of the plan that this run was told not to reach; not in lines.
  std::uint64_t held_back = 0;
  bool incomplete = false;         // of a plan: there was more than could be judged
  std::vector<std::string> notes;  // what cannot be undone, what to do next
};

// CountOutcome: lines with that outcome.
std::uint64_t CountOutcome(const ChangeReport& report, Outcome outcome);
// Differs: the lines do not all have the same in that field, so that a reader must be told.
bool Differs(const ChangeReport& report, std::string ChangeLine::*field);

}  // namespace keyturn::report
