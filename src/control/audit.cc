#include "control/audit.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/uuid.h"
#include "control/inventory.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

// IsRegionName is wider than AWS's names: other endpoints have their own.
bool IsRegionName(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

Status Check(const AuditOptions& options) {
  if (options.regions.empty()) {
    return Fail(ErrorCode::kUsage, "no region: give --region, or set AWS_REGION");
  }
  std::set<std::string> seen;
  for (const std::string& region : options.regions) {
    if (!IsRegionName(region)) {
      return Fail(ErrorCode::kUsage, "'" + WellFormed(region) + "' is not the name of a region");
    }
    if (!seen.insert(region).second) {
      return Fail(ErrorCode::kUsage, "region " + region + " is named twice");
    }
  }
  const int period = options.policy.max_period_days;
  if (period < kPeriodDaysMin || period > kPeriodDaysMax) {
    return Fail(ErrorCode::kUsage, "the maximum period must be 90 to 2560 days");
  }
  return {};
}

// FailingKeys: those that an exception could matter to.
std::vector<std::size_t> FailingKeys(const std::vector<KeyResult>& keys,
                                     const EvaluationPolicy& policy) {
  std::vector<std::size_t> failing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Verdict verdict = EvaluateKey(keys[i].facts, policy).verdict;
    if (verdict == Verdict::kFail || verdict == Verdict::kFailPeriod) failing.push_back(i);
  }
  return failing;
}

}  // namespace

Result<AuditRun> RunAudit(client::KmsClient& client, const AuditOptions& options,
                          const ExceptionList& exceptions, const Clock& clock, RandomSource& random,
                          const Monitor& monitor) {
  KT_TRY(Check(options));
  AuditRun run;
  run.tool_version = options.tool_version;
  run.run_id = NewUuid(random);
  run.started = clock.Now();
  run.endpoint = options.endpoint.empty() ? "AWS" : options.endpoint;
  run.max_period_days = options.policy.max_period_days;
  run.strict_disabled = options.policy.strict_disabled;
  const auto before = client.counts();

  Inventory inventory(client, options.regions, clock, monitor);
  inventory.Read();
  if (exceptions.UsesTags() && !inventory.cancelled()) {
    inventory.ReadTags(FailingKeys(inventory.keys(), options.policy));
  }
  run.cancelled = inventory.cancelled();
  run.regions = inventory.Regions();
  run.keys = std::move(inventory.keys());
  std::sort(run.regions.begin(), run.regions.end(), [](const auto& a, const auto& b) {
    return std::tie(a.account, a.region) < std::tie(b.account, b.region);
  });
  std::sort(run.keys.begin(), run.keys.end(), [](const auto& a, const auto& b) {
    return std::tie(a.facts.region, a.facts.arn) < std::tie(b.facts.region, b.facts.arn);
  });
  run.finished = clock.Now();
  run.exception_notes = JudgeAll(run.keys, options.policy, exceptions, run.started);
  run.totals = CountTotals(run.keys);
  for (const auto& [operation, count] : client.counts()) {
    const auto earlier = before.find(operation);
    const client::OperationCount base =
        earlier == before.end() ? client::OperationCount{} : earlier->second;
    run.calls[operation] = {count.calls - base.calls, count.throttled - base.throttled,
                            count.failed - base.failed};
  }
  return run;
}

}  // namespace keyturn::control
