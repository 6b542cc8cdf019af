// RunCompare: whether two records of one run say the same, and what changed between two runs.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/run.h"

namespace keyturn::control {

// FirstDifference: in words, what the second says otherwise than the first; nullopt: nothing. Keys
// of a cancelled run that were not reached are compared by verdict only.
std::optional<std::string> FirstDifference(const AuditRun& recorded, const AuditRun& derived,
                                           bool cancelled);

// Change: how one key, or one region, differs between two runs.
enum class DiffKind : std::uint8_t {
  kWorse,    // from compliant, or judged, to failing or unknown; or a failing key came
  kBetter,   // from failing or unknown to compliant, accepted or out of scope
  kChanged,  // another verdict, neither better nor worse
  kPeriod,   // the same verdict, another period
  kNewlyExcepted,
  kNew,          // the key was not there, and does not fail
  kGone,         // the key is not there any more
  kRegionLost,   // the region was scanned, and is not now: a regression
  kRegionFound,  // the reverse
};
std::string_view DiffKindName(DiffKind kind);  // "worse", "better", "changed", "period", ...
// IsRegression: worse, or a region lost.
bool IsRegression(DiffKind kind);

struct DiffLine {
  DiffKind kind = DiffKind::kChanged;
  std::string endpoint_url;
  std::string account;
  std::string region;
  std::string arn;     // empty: the region
  std::string name;    // first alias, or empty
  std::string before;  // verdict, period, status; empty: was not there
  std::string after;
  std::string reason;  // of the newer run
};

struct RunDiff {
  std::string old_run_id;
  std::string new_run_id;
  TimePoint old_started;
  TimePoint new_started;
  int old_max_period_days = 0;
  int new_max_period_days = 0;
  Totals old_totals;
  Totals new_totals;
  std::vector<DiffLine> lines;  // worst first, then by endpoint, account, region, ARN
  std::uint64_t unchanged = 0;  // keys

  bool HasRegression() const;
};

// DiffRuns compares by endpoint, account, region and ARN. Keys of a region that one of the runs did
// not scan are not called gone or new: nobody looked.
RunDiff DiffRuns(const AuditRun& older, const AuditRun& newer);

}  // namespace keyturn::control
