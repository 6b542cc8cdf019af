#include "control/run.h"

#include <algorithm>
#include <array>

namespace keyturn::control {
namespace {

constexpr std::array<std::string_view, kVerdictCount> kVerdictNames = {
    "PASS", "FAIL", "FAIL_PERIOD", "NOT_APPLICABLE", "SKIPPED", "UNKNOWN", "EXCEPTED", "GONE"};

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  return kVerdictNames.at(static_cast<std::size_t>(verdict));
}

std::optional<Verdict> ParseVerdict(std::string_view name) {
  const auto* const found = std::find(kVerdictNames.begin(), kVerdictNames.end(), name);
  if (found == kVerdictNames.end()) return std::nullopt;
  return static_cast<Verdict>(found - kVerdictNames.begin());
}

std::string_view RegionStatusName(RegionStatus status) {
  switch (status) {
    case RegionStatus::kScanned:
      return "scanned";
    case RegionStatus::kDenied:
      return "denied";
    case RegionStatus::kNotEnabled:
      return "not enabled";
    case RegionStatus::kClosed:
      return "account closed";
    case RegionStatus::kError:
      return "error";
  }
  return "error";
}

std::string EndpointName(std::string_view endpoint_url) {
  return endpoint_url.empty() ? "AWS" : std::string(endpoint_url);
}

std::optional<RegionStatus> ParseRegionStatus(std::string_view name) {
  for (const RegionStatus status :
       {RegionStatus::kScanned, RegionStatus::kDenied, RegionStatus::kNotEnabled,
        RegionStatus::kClosed, RegionStatus::kError}) {
    if (RegionStatusName(status) == name) return status;
  }
  return std::nullopt;
}

bool AuditRun::incomplete() const {
  const bool gap = std::any_of(regions.begin(), regions.end(),
                               [](const RegionResult& region) { return region.IsGap(); });
  const bool unknown = std::any_of(keys.begin(), keys.end(), [](const KeyResult& key) {
    return key.judgement.verdict == Verdict::kUnknown;
  });
  return cancelled || gap || unknown;
}

Totals CountTotals(const std::vector<KeyResult>& keys) {
  Totals totals;
  for (std::size_t i = 0; i < kVerdictCount; ++i) totals.by_verdict[static_cast<Verdict>(i)] = 0;
  totals.listed = keys.size();
  std::uint64_t pass = 0;
  std::uint64_t judged = 0;
  for (const KeyResult& key : keys) {
    const Verdict verdict = key.judgement.verdict;
    ++totals.by_verdict[verdict];
    if (key.judgement.follows_primary) {
      ++totals.followers;
    } else if (verdict == Verdict::kPass) {
      ++pass;
      ++judged;
    } else if (verdict == Verdict::kFail || verdict == Verdict::kFailPeriod) {
      ++judged;
    }
  }
  if (judged > 0) {
    totals.compliance_percent = 100.0 * static_cast<double>(pass) / static_cast<double>(judged);
  }
  return totals;
}

int AuditExitCode(const AuditRun& run) {
  if (run.incomplete()) return kExitIncomplete;
  const bool findings = std::any_of(run.keys.begin(), run.keys.end(), [](const KeyResult& key) {
    return key.judgement.verdict == Verdict::kFail || key.judgement.verdict == Verdict::kFailPeriod;
  });
  return findings ? kExitFindings : kExitCompliant;
}

}  // namespace keyturn::control
