// Run: what one audit recorded and judged. Everything that is rendered comes from this record, so a
// report is the same whenever it is made.
//
// Wire values (KeySpec, KeyState, ...) stay strings here: an endpoint may be newer than we are, and
// an unknown value must be shown and judged, not lost.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "control/compact.h"

namespace keyturn::control {

// Verdict of one key. docs/control.md has the table of rows.
enum class Verdict : std::uint8_t {
  kPass,
  kFail,           // rotation is off
  kFailPeriod,     // on, but the period is longer than the maximum
  kNotApplicable,  // AWS managed, asymmetric, HMAC, custom key store, imported
  kSkipped,        // pending deletion; disabled (unless strict)
  kUnknown,        // could not be judged: never counted as compliant
  kExcepted,       // a FAIL under a valid exception
  kGone,           // deleted between ListKeys and DescribeKey
};
inline constexpr std::size_t kVerdictCount = 8;

// VerdictName: "PASS", "FAIL", "FAIL_PERIOD", "NOT_APPLICABLE", "SKIPPED", "UNKNOWN", "EXCEPTED",
// "GONE".
std::string_view VerdictName(Verdict verdict);
std::optional<Verdict> ParseVerdict(std::string_view name);

// CallFailure: the error of a call that failed for good.
struct CallFailure {
  std::string operation;   // "GetKeyRotationStatus"
  std::string error_code;  // wire name, or "NetworkError", "Timeout", "Throttled"
  std::string message;
  std::string request_id;
  bool operator==(const CallFailure&) const = default;
};

struct RotationFacts {
  bool enabled = false;
  std::optional<int> period_days;
  std::optional<TimePoint> next_rotation_date;
  std::optional<TimePoint> on_demand_start_date;
  bool operator==(const RotationFacts&) const = default;
};

// KeyFacts: what the endpoint said about one key. Empty strings: not said.
struct KeyFacts {
  std::string arn;
  std::string key_id;
  Atom endpoint_url;  // empty: AWS's own
  Atom account;
  Atom region;
  std::vector<std::string> aliases;  // names with "alias/", sorted
  bool aliases_unknown = false;      // they could not be read
  Atom key_manager;                  // "AWS", "CUSTOMER"
  Atom key_spec;
  Atom key_usage;
  Atom origin;
  Atom key_state;
  std::string description;
  std::optional<TimePoint> creation_date;
  std::optional<TimePoint> deletion_date;
  bool multi_region = false;
  Atom multi_region_type;  // "PRIMARY", "REPLICA"
  std::string primary_arn;
  Atom primary_region;
  std::vector<std::string> replica_arns;  // of a primary, as DescribeKey lists them
  std::optional<RotationFacts> rotation;  // absent: not asked for, or failed
  // last_rotation: the last on demand, else the last one; read only where a policy asks for it.
  std::optional<TimePoint> last_rotation_date;
  Atom last_rotation_type;  // "ON_DEMAND", "AUTOMATIC"
  bool rotations_read = false;
  Rare<CallFailure> describe_failure;
  Rare<CallFailure> rotation_failure;
  Rare<CallFailure> rotations_failure;  // of ListKeyRotations
  // tags: read only when an exception or a policy's scope matches by tag.
  std::vector<std::pair<std::string, std::string>> tags;
  Rare<CallFailure> tags_failure;
  bool operator==(const KeyFacts&) const = default;
};

struct Judgement {
  Verdict verdict = Verdict::kUnknown;
  // raw_verdict differs from verdict under an exception, or where one may be about the key, only.
  Verdict raw_verdict = Verdict::kUnknown;
  int row = 0;              // row of the verdict table that decided
  Atom reason;              // one sentence for people
  bool remediable = false;  // plan may contain a change for this key
  Atom exception_id;        // of the exception that applied, has expired, or may be about the key
  // follows_primary: a replica with its primary's verdict. The multi-Region key counts once, in its
  // primary: such a replica is in no percentage.
  bool follows_primary = false;
  bool operator==(const Judgement&) const = default;
};

struct KeyResult {
  KeyFacts facts;
  Judgement judgement;
};

enum class RegionStatus : std::uint8_t {
  kScanned,
  kDenied,
  kNotEnabled,  // the account has not opted in to the region
  kClosed,      // the account is suspended, closed or on its way there: nobody can call it
  kError,
};
// RegionStatusName: "scanned", "denied", "not enabled", "account closed", "error".
std::string_view RegionStatusName(RegionStatus status);
std::optional<RegionStatus> ParseRegionStatus(std::string_view name);

// RegionResult: what became of one region of one account on one endpoint. Every one that was asked
// for has its result.
struct RegionResult {
  std::string endpoint_url;  // empty: AWS's own
  std::string account;       // empty when no call told it
  std::string region;
  RegionStatus status = RegionStatus::kError;
  std::string detail;  // the error, for people
  std::uint64_t keys_listed = 0;
  // excused: it was not asked for by name, and the account or its organization says that there is
  // nothing to scan. It is in the coverage, and the run is complete without it.
  bool excused = false;
  // IsGap: keys may be there that the run has not seen.
  bool IsGap() const { return status != RegionStatus::kScanned && !excused; }
  bool operator==(const RegionResult&) const = default;
};

struct Totals {
  std::uint64_t listed = 0;
  std::map<Verdict, std::uint64_t> by_verdict;  // every verdict present, zeros too
  // followers: replicas with their primary's verdict, which are counted above, too.
  std::uint64_t followers = 0;
  // compliance_percent: PASS of PASS + FAIL + FAIL_PERIOD, without followers; absent when there is
  // nothing to judge.
  std::optional<double> compliance_percent;
};

struct CallCount {
  std::uint64_t calls = 0;
  std::uint64_t throttled = 0;
  std::uint64_t failed = 0;
};

struct ExceptionNote {
  std::string id;
  std::string problem;  // "expired on 2026-01-01", "matches no key", "overlaps with X"
  bool operator==(const ExceptionNote&) const = default;
};

// PolicyRecord: the policy file that a run was judged by.
struct PolicyRecord {
  std::string name;
  std::string sha256;              // of the file, hex; empty: there was none
  std::vector<std::string> rules;  // what it says beside the maximum period, for people
  bool operator==(const PolicyRecord&) const = default;
};

// PeriodResult: the totals that the same facts have under another maximum period.
struct PeriodResult {
  int max_period_days = 0;
  Totals totals;
};

struct AuditRun {
  std::string tool_version;
  std::string run_id;
  TimePoint started;
  TimePoint finished;
  std::string endpoint;  // URL, or "AWS"; several with commas
  int max_period_days = 365;
  bool strict_disabled = false;
  PolicyRecord policy;
  std::vector<PeriodResult> also_judged;  // longest first; the exit code is not about them
  std::vector<RegionResult> regions;      // sorted by endpoint, account, region
  std::vector<KeyResult> keys;            // sorted by endpoint, account, region, ARN
  Totals totals;
  std::map<std::string, CallCount> calls;  // by operation
  std::vector<ExceptionNote> exception_notes;
  std::vector<std::string> notes;  // what a reader should know about how the run was made
  bool cancelled = false;

  // incomplete: a region is a gap, a verdict is UNKNOWN, or the run was cancelled.
  bool incomplete() const;
};

// EndpointName: "AWS", or the URL.
std::string EndpointName(std::string_view endpoint_url);

// CountTotals recomputes totals from keys; the accounting identity listed = sum of verdicts holds.
Totals CountTotals(const std::vector<KeyResult>& keys);

// Exit codes of the control commands.
inline constexpr int kExitCompliant = 0;
inline constexpr int kExitUsage = 1;
inline constexpr int kExitInternal = 2;
inline constexpr int kExitFindings = 3;
inline constexpr int kExitIncomplete = 4;
inline constexpr int kExitChangeFailed = 5;

// AuditExitCode: incomplete beats findings beats compliant.
int AuditExitCode(const AuditRun& run);

}  // namespace keyturn::control
