// Policy file: the rules of an organisation for the rotation of its keys, as YAML.
// docs/formats/policy.md has the format.
//
// The command line's --max-period and --strict-disabled are the same policy without a file.
// Thread-safety: pure functions, but for ReadPolicyFile. Errors: kUsage with file and line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/audit.h"
#include "control/evaluate.h"

namespace keyturn::control {

// WatchBounds: what `keyturn watch` may change without being asked; nothing by default.
struct WatchBounds {
  bool apply = false;
  int keys_per_run_max = 10;  // the others wait for the next run
  int keys_per_day_max = 50;  // in any 24 hours
  // When more keys than these fail at once, something else is wrong: nothing is changed.
  int failing_keys_max = 500;
  // A key is changed once so many runs in a row have seen it fail.
  int failing_runs_min = 2;
  // Hours of the day, UTC, from and to (24: midnight); the window may go over midnight.
  int from_hour = 0;
  int to_hour = 24;

  // MayApplyAt: changes may begin at that time of day.
  bool MayApplyAt(TimePoint now) const;
};

struct PolicyFile {
  std::string place;   // path, for messages
  std::string sha256;  // of the file's bytes, hex
  std::string name;
  EvaluationPolicy evaluation;  // its maximum is the primary one
  std::vector<int> also_judge;  // further maxima, for the reports only
  std::string exceptions_path;  // relative to the working directory; empty: none
  std::string exceptions_name;  // as it stands in the file
  WatchBounds watch;

  // Rules: what the policy says beside the maximum period, as sentences for people.
  std::vector<std::string> Rules() const;
  // Fill sets what an audit is judged by.
  void Fill(AuditOptions& options) const;
};

Result<PolicyFile> ParsePolicyFile(std::string_view text, std::string_view place);
Result<PolicyFile> ReadPolicyFile(const std::string& path);

}  // namespace keyturn::control
