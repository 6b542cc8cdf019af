// Preflight: what a run would find missing, told before it: permissions by phase, regions that are
// not enabled, endpoints that do not answer, a clock that is wrong. It changes nothing.
//
// Reads are tried on a sample of each region's keys. Writes have no dry run; and a key that does
// not exist says nothing, for KMS looks a key up before it authorizes the call. So they are tried
// on an asymmetric key, where there is one: KMS authorizes the call and then finds that such a key
// cannot rotate. What a key is for never changes, so this cannot change anything. Where there is
// none, only trying on a real key could tell, and that is said. Thread-safety: values; RunPreflight
// pumps the access on the caller's thread. Source: KMS API Reference, EnableKeyRotation (asymmetric
// keys: UnsupportedOperationException); KMS Developer Guide, "Key policies" (each key has its own).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/monitor.h"
#include "control/run.h"
#include "control/target.h"

namespace keyturn::control {

enum class Found : std::uint8_t {
  kAllowed,
  kMissing,
  kUnknown,  // could not be found out
  kNothing,  // there is no key here that would need it
};
std::string_view FoundName(Found found);  // "allowed", "missing", "unknown", "nothing to try"

// PermissionCheck: one permission for one phase.
struct PermissionCheck {
  std::string phase;   // "audit", "apply", "backout", "organization"
  std::string action;  // "kms:ListKeys"
  bool optional = false;
  Found found = Found::kUnknown;
  std::string detail;  // why; empty when there is nothing to say
  bool operator==(const PermissionCheck&) const = default;
};

// PreflightPlace: one region of an account; region is empty for what concerns the account alone.
struct PreflightPlace {
  std::string endpoint_url;  // empty: AWS's own
  std::string account;       // empty when no call told it
  std::string region;
  RegionStatus status = RegionStatus::kError;
  // asked_for: false for one of all regions that the account has not opted in to, and for an
  // account of the organization that is suspended.
  bool asked_for = true;
  std::string detail;  // of the status, for people
  std::string caller_arn;
  // clock_skew: the endpoint's time less ours; absent when it did not say.
  std::optional<std::chrono::seconds> clock_skew;
  std::vector<PermissionCheck> checks;
};

struct PreflightRun {
  std::string tool_version;
  TimePoint started;
  TimePoint finished;
  bool cancelled = false;
  std::vector<PreflightPlace> places;  // by endpoint, account, region
  std::vector<std::string> notes;
};

// kClockSkewMax: AWS refuses signatures that are further off.
inline constexpr std::chrono::seconds kClockSkewMax{300};

struct PreflightOptions {
  std::string tool_version;
  bool apply = true;  // permissions of these phases, too
  bool backout = true;
  bool try_writes = true;  // on asymmetric keys; false: what writes need is unknown
};

// RunPreflight: kUsage when there is no target; everything else is in the run.
Result<PreflightRun> RunPreflight(Access& access, const std::vector<Target>& targets,
                                  const PreflightOptions& options, const Clock& clock,
                                  const Monitor& monitor);

// OrganizationRefused: the run of an organization whose accounts cannot be listed.
PreflightRun OrganizationRefused(const Error& error, const PreflightOptions& options,
                                 TimePoint now);

// PreflightExitCode: 3 when something is missing, else 4 when something could not be found out,
// else 0. Optional permissions do not count.
int PreflightExitCode(const PreflightRun& run);

}  // namespace keyturn::control
