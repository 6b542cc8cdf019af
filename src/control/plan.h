// Plan: the changes that would put the failing keys of an audit right, with their preconditions.
// docs/formats/plan.md has the file format.
//
// Thread-safety: values and pure functions, but for ReadPlan and WritePlan.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/change.h"
#include "control/run.h"

namespace keyturn::control {

// LeftAlone: a key that does not pass and that the plan does not touch.
struct LeftAlone {
  std::string endpoint_url;  // empty: AWS's own
  std::string arn;
  Verdict verdict = Verdict::kUnknown;
  std::string reason;
  std::optional<CodeOwner> owner;  // infrastructure code that the key belongs to
};

struct PlanPreview {
  std::map<std::string, std::uint64_t> calls;  // by operation: apply, then verify
  // At the chosen share of AWS's quotas, accounts and regions side by side: apply and verify, and
  // taking all of it back. Absent for other endpoints.
  std::optional<double> seconds;
  std::optional<double> backout_seconds;
  // US dollars a month at most, once each key has rotated once and twice; later rotations cost
  // nothing more. Absent for endpoints that are not AWS's.
  std::optional<double> monthly_cost_after_first;
  std::optional<double> monthly_cost_after_second;
};

// PlanScope: regions of an account that the audit was about.
struct PlanScope {
  std::string endpoint_url;  // empty: AWS's own
  std::string account;       // empty: no call told it
  std::vector<std::string> regions;
};

struct Plan {
  std::string tool_version;
  std::string run_id;  // of the audit
  TimePoint created;
  std::vector<PlanScope> scope;
  int max_period_days = 365;
  bool strict_disabled = false;
  std::string policy_sha256;       // empty: no policy file
  std::string exceptions_sha256;   // empty: no exceptions
  bool allow_iac_managed = false;  // keys that infrastructure code owns are among the changes
  double quota_share = 0.3;
  bool audit_incomplete = false;
  std::vector<PlannedChange> changes;  // by endpoint, account, region, ARN
  std::vector<LeftAlone> left_alone;
  PlanPreview preview;
  std::string sha256;  // hex, over the canonical content; set by MakePlan and ParsePlan
};

struct PlanOptions {
  double quota_share = 0.3;
  std::string exceptions_sha256;
  std::optional<std::set<std::string>> only{};  // ARNs; other keys are left alone
  std::optional<int> period_days{};             // asked for; else AWS's default where it passes
  // allow_iac_managed: plan keys, too, that belong to infrastructure code by their tags. Without
  // it they are left alone.
  bool allow_iac_managed = false;
};

// MakePlan: kUsage when a period is asked for that the audit's policy would fail.
Result<Plan> MakePlan(const AuditRun& run, const PlanOptions& options);

// HashOf: the plan's SHA-256 as it is written, in hex.
std::string HashOf(const Plan& plan);

// PlanText is the file's text; the same plan gives the same bytes.
std::string PlanText(const Plan& plan);
// ParsePlan: kUsage for a text that is no plan, naming the member that is wrong or not known,
// kNewerFormat for a later format, kCorrupt when the content is not what was hashed. place is for
// messages.
Result<Plan> ParsePlan(std::string_view text, std::string_view place);

Status WritePlan(const Plan& plan, const std::string& path);
Result<Plan> ReadPlan(const std::string& path);

// PlanNotes: costs and warnings of a plan as sentences, for people.
std::vector<std::string> PlanNotes(const Plan& plan);
// UnscannedNotes: the regions whose keys a plan of the run does not know, and why.
std::vector<std::string> UnscannedNotes(const AuditRun& run);

}  // namespace keyturn::control
