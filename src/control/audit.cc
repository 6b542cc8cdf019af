#include "control/audit.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "base/uuid.h"
#include "control/inventory.h"
#include "control/targets_file.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

Status CheckTarget(const Target& target) {
  if (target.regions.empty()) {
    return Fail(ErrorCode::kUsage, "no region: give --region, or set AWS_REGION");
  }
  std::set<std::string_view> seen;
  for (const std::string& region : target.regions) {
    if (!IsRegionName(region)) {
      return Fail(ErrorCode::kUsage, "'" + WellFormed(region) + "' is not the name of a region");
    }
    if (!seen.insert(region).second) {
      return Fail(ErrorCode::kUsage, "region " + region + " is named twice");
    }
  }
  return {};
}

Status Check(const std::vector<Target>& targets, const AuditOptions& options) {
  if (targets.empty()) return Fail(ErrorCode::kUsage, "there is no account to audit");
  for (const Target& target : targets) KT_TRY(CheckTarget(target));
  const auto good = [](int days) { return days >= kPeriodDaysMin && days <= kPeriodDaysMax; };
  if (!good(options.policy.max_period_days) ||
      !std::all_of(options.also_judge.begin(), options.also_judge.end(), good)) {
    return Fail(ErrorCode::kUsage, "the maximum period must be 90 to 2560 days");
  }
  return {};
}

// EndpointNames: each once, in the order of the targets.
std::string EndpointNames(const std::vector<Target>& targets) {
  std::set<std::string_view> seen;
  std::string names;
  for (const Target& target : targets) {
    if (!seen.insert(target.endpoint_url).second) continue;
    names += (names.empty() ? "" : ", ") + EndpointName(target.endpoint_url);
  }
  return names;
}

// IsFailing: an exception could matter to the key.
bool IsFailing(const KeyFacts& facts, const EvaluationPolicy& policy) {
  const Verdict verdict = EvaluateKey(facts, policy).verdict;
  return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod;
}

// WhatToRead: policy and exceptions must outlive what it returns.
InventoryOptions WhatToRead(const EvaluationPolicy& policy, const ExceptionList& exceptions,
                            bool read_tags) {
  InventoryOptions options;
  if (exceptions.UsesTags()) {
    options.wants_tags = [&policy](const KeyFacts& facts) {
      return IsFailing(facts, policy) || WantsScopeTags(facts, policy);
    };
  } else if (read_tags) {
    options.wants_tags = [&policy](const KeyFacts& facts) {
      return WantsScopeTags(facts, policy) ||
             (IsFailing(facts, policy) && EvaluateKey(facts, policy).remediable);
    };
  } else if (!policy.scope.empty()) {
    options.wants_tags = [&policy](const KeyFacts& facts) { return WantsScopeTags(facts, policy); };
  }
  if (policy.judge_imported || policy.on_demand_counts) {
    options.wants_rotations = [&policy](const KeyFacts& facts) {
      return WantsRotations(facts, policy);
    };
  }
  return options;
}

// Conclude judges the keys, last by the primary maximum.
void Conclude(const AuditOptions& options, EvaluationPolicy policy, const ExceptionList& exceptions,
              AuditRun& run) {
  for (const int days : options.also_judge) {
    policy.max_period_days = days;
    JudgeAll(run.keys, policy, exceptions, run.started);
    run.also_judged.push_back({days, CountTotals(run.keys)});
  }
  policy.max_period_days = options.policy.max_period_days;
  run.exception_notes = JudgeAll(run.keys, policy, exceptions, run.started);
  run.totals = CountTotals(run.keys);
}

void Sort(AuditRun& run) {
  std::stable_sort(run.regions.begin(), run.regions.end(), [](const auto& a, const auto& b) {
    return std::tie(a.endpoint_url, a.account, a.region) <
           std::tie(b.endpoint_url, b.account, b.region);
  });
  std::stable_sort(run.keys.begin(), run.keys.end(), [](const auto& a, const auto& b) {
    return std::tie(a.facts.endpoint_url, a.facts.account, a.facts.region, a.facts.arn) <
           std::tie(b.facts.endpoint_url, b.facts.account, b.facts.region, b.facts.arn);
  });
}

// Kept: what earlier runs have left in files.
struct Kept {
  std::optional<FactsCache> cache;
  std::unique_ptr<AuditState> state;
};

Result<Kept> OpenKept(const AuditOptions& options, const Clock& clock, AuditRun& run) {
  Kept kept;
  if (!options.cache_path.empty()) {
    KT_ASSIGN(kept.cache, FactsCache::Read(options.cache_path));
    if (!kept.cache->problem().empty()) run.notes.push_back(kept.cache->problem());
  }
  if (options.state_path.empty()) return kept;
  KT_ASSIGN(kept.state, AuditState::Open(options.state_path, clock));
  // The oldest facts are of then.
  run.started = kept.state->started();
  if (kept.state->known() > 0) {
    run.notes.push_back("goes on with " + std::to_string(kept.state->known()) +
                        " keys that were read since " + FormatIso8601(run.started) + " (" +
                        options.state_path + ")");
  }
  return kept;
}

// CloseKept: the audit is made; that a file cannot be written is told, and spoils nothing.
void CloseKept(const AuditOptions& options, const std::set<FactsCache::Place>& listed, Kept& kept,
               AuditRun& run) {
  Status written;
  if (kept.cache) {
    kept.cache->DropUnseen(listed);
    if (written = kept.cache->Write(options.cache_path); !written) {
      run.notes.push_back("the cache is not kept: " + written.error().message);
    }
  }
  if (!kept.state) return;
  written = run.cancelled ? kept.state->Flush() : kept.state->Remove();
  if (!written) {
    run.notes.push_back("the state is not kept: " + written.error().message);
  } else if (run.cancelled) {
    run.notes.push_back("stopped; the same command goes on from " + options.state_path);
  }
}

}  // namespace

Result<AuditRun> RunAudit(Access& access, const std::vector<Target>& targets,
                          const AuditOptions& options, const ExceptionList& exceptions,
                          const Clock& clock, RandomSource& random, const Monitor& monitor) {
  KT_TRY(Check(targets, options));
  AuditRun run;
  run.tool_version = options.tool_version;
  run.run_id = options.run_id.empty() ? NewUuid(random) : options.run_id;
  run.started = clock.Now();
  run.endpoint = EndpointNames(targets);
  run.max_period_days = options.policy.max_period_days;
  run.strict_disabled = options.policy.strict_disabled;
  run.policy = options.policy_record;
  const auto before = access.counts();

  KT_ASSIGN(auto kept, OpenKept(options, clock, run));
  EvaluationPolicy policy = options.policy;
  policy.at = run.started;
  InventoryOptions inventory_options = WhatToRead(policy, exceptions, options.read_tags);
  inventory_options.cache = kept.cache ? &*kept.cache : nullptr;
  inventory_options.state = kept.state.get();
  Inventory inventory(access, targets, clock, monitor, std::move(inventory_options));
  inventory.Read();
  run.cancelled = inventory.cancelled();
  run.regions = inventory.Regions();
  run.notes.insert(run.notes.end(), inventory.notes().begin(), inventory.notes().end());
  CloseKept(options, inventory.Listed(), kept, run);
  run.keys = inventory.TakeKeys();
  Sort(run);
  run.finished = clock.Now();
  Conclude(options, policy, exceptions, run);
  for (const auto& [operation, count] : access.counts()) {
    const auto earlier = before.find(operation);
    const client::OperationCount base =
        earlier == before.end() ? client::OperationCount{} : earlier->second;
    run.calls[operation] = {count.calls - base.calls, count.throttled - base.throttled,
                            count.failed - base.failed};
  }
  return run;
}

}  // namespace keyturn::control
