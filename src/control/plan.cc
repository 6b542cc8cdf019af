#include "control/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "client/endpoint.h"
#include "client/kms_client.h"
#include "client/limiter.h"
#include "control/evaluate.h"
#include "control/key_reader.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

// AWS KMS pricing: a key costs this much a month, and so does each of its first two rotations;
// further rotations cost nothing. Multi-Region keys cost it in each Region.
constexpr double kDollarsPerRotationAndMonth = 1.0;
// Reads of one key in apply and in verify, which wants two in a row.
constexpr std::uint64_t kVerifyReads = 2;
// So many keys of infrastructure code are named on a terminal; the file has all.
constexpr std::size_t kOwnersShown = 10;

// The audit's report has all.
constexpr std::size_t kUnscannedShown = 10;

bool IsFailure(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod;
}

PlannedChange ChangeFor(const KeyResult& key, int period_days, bool asked) {
  const KeyFacts& facts = key.facts;
  PlannedChange change;
  change.endpoint_url = facts.endpoint_url;
  change.arn = facts.arn;
  change.account = facts.account;
  change.region = facts.region;
  change.aliases = facts.aliases;
  change.reason = key.judgement.reason;
  change.before.key_state = facts.key_state;
  if (facts.rotation) {
    change.before.rotation = {facts.rotation->enabled, facts.rotation->period_days};
    change.before.next_rotation_date = facts.rotation->next_rotation_date;
  }
  change.before.primary_region = facts.primary_region;
  change.wanted = {true, period_days};
  // A key whose rotation is off gets AWS's default without being asked for a period.
  change.send_period = asked || change.before.rotation.enabled || period_days != kDefaultPeriodDays;
  change.owner = OwnerOf(
      facts.tags, change.send_period ? std::optional<int>(period_days) : std::optional<int>());
  if (facts.tags_failure) change.owner_unknown = WellFormed(FailureText(*facts.tags_failure));
  return change;
}

PlanPreview Preview(const AuditRun& run, const std::vector<PlannedChange>& changes,
                    const PlanOptions& options) {
  PlanPreview preview;
  const auto count = static_cast<std::uint64_t>(changes.size());
  preview.calls["DescribeKey"] = count;
  preview.calls["GetKeyRotationStatus"] = count * (1 + kVerifyReads);
  preview.calls["EnableKeyRotation"] = count;

  std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> by_region;
  for (const PlannedChange& change : changes) {
    if (client::IsAwsEndpoint(change.endpoint_url)) ++by_region[{change.account, change.region}];
  }
  if (by_region.empty()) return preview;
  // Where the most keys are takes longest. Apply is as fast as its writes, verify as its reads.
  std::uint64_t most = 0;
  for (const auto& [place, in_region] : by_region) most = std::max(most, in_region);
  const auto seconds = [&options, most](std::string_view operation, std::uint64_t calls_a_key) {
    const double rate = client::QuotaPerSecond(operation).value_or(1) * options.quota_share;
    return static_cast<double>(most * calls_a_key) / rate;
  };
  const double verify = seconds("GetKeyRotationStatus", kVerifyReads);
  preview.seconds = std::ceil(seconds("EnableKeyRotation", 1) + verify);
  preview.backout_seconds = std::ceil(seconds("DisableKeyRotation", 1) + verify);

  std::map<std::string_view, std::size_t> copies;
  for (const KeyResult& key : run.keys) {
    if (client::IsAwsEndpoint(key.facts.endpoint_url)) {
      copies[key.facts.arn] = 1 + key.facts.replica_arns.size();
    }
  }
  double keys = 0;
  for (const PlannedChange& change : changes) {
    if (client::IsAwsEndpoint(change.endpoint_url)) keys += static_cast<double>(copies[change.arn]);
  }
  preview.monthly_cost_after_first = keys * kDollarsPerRotationAndMonth;
  preview.monthly_cost_after_second = 2 * keys * kDollarsPerRotationAndMonth;
  return preview;
}

// WasStopped: nothing refused the call; another run may find out.
bool WasStopped(const Rare<CallFailure>& failure) {
  return failure && failure->error_code == client::kCancelled;
}

// NeedsExplanation: keys that pass, or that the control does not apply to, need no explanation.
bool NeedsExplanation(Verdict verdict) {
  return verdict != Verdict::kPass && verdict != Verdict::kNotApplicable &&
         verdict != Verdict::kGone;
}

std::string Duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string_view KeysAre(std::size_t count) { return count == 1 ? "key is" : "keys are"; }

// InOneLine: what a snippet sets, without the lines around it.
std::string InOneLine(const std::string& snippet) {
  std::string line;
  std::size_t begin = 0;
  while (begin < snippet.size()) {
    const std::size_t end = std::min(snippet.find('\n', begin), snippet.size());
    std::string_view part(snippet.data() + begin, end - begin);
    begin = end + 1;
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    if (part.find("otation") != std::string_view::npos)
      line += (line.empty() ? "" : ", ") + std::string(part);
  }
  return line;
}

// AddOwnerNotes: which keys belong to infrastructure code, and what to change in it.
void AddOwnerNotes(const Plan& plan, std::vector<std::string>& notes) {
  std::size_t owned = 0;
  for (const LeftAlone& key : plan.left_alone) owned += key.owner ? 1 : 0;
  if (owned > 0) {
    notes.push_back(fmt::format(
        "{} {} left alone: infrastructure code owns {}. Change that code, as the plan's file says "
        "for each, or plan with --allow-iac-managed:",
        owned, KeysAre(owned), owned == 1 ? "it" : "them"));
  }
  std::size_t shown = 0;
  for (const LeftAlone& key : plan.left_alone) {
    if (!key.owner) continue;
    if (++shown > kOwnersShown) {
      notes.push_back(fmt::format("... and {} more", owned - kOwnersShown));
      break;
    }
    notes.push_back(
        fmt::format("{}: {}: {}", key.arn, OwnerText(*key.owner), InOneLine(key.owner->snippet)));
  }
  std::size_t changed = 0;
  std::size_t unknown = 0;
  for (const PlannedChange& change : plan.changes) {
    changed += change.owner ? 1 : 0;
    unknown += change.owner_unknown.empty() ? 0 : 1;
  }
  if (changed > 0) {
    notes.push_back(
        fmt::format("Infrastructure code owns {} of the keys that would change: what it "
                    "does not say, its next run may undo.",
                    changed));
  }
  if (unknown > 0) {
    notes.push_back(
        fmt::format("Whether infrastructure code owns {} of the keys is not known: "
                    "their tags cannot be read (kms:ListResourceTags).",
                    unknown));
  }
}

}  // namespace

std::vector<std::string> UnscannedNotes(const AuditRun& run) {
  std::vector<std::string> notes;
  std::size_t unscanned = 0;
  for (const RegionResult& region : run.regions) {
    if (!region.IsGap() || ++unscanned > kUnscannedShown) continue;
    notes.push_back(fmt::format("{}{}{} was not scanned: {}{}{}", region.account,
                                region.account.empty() ? "" : " ", region.region,
                                RegionStatusName(region.status), region.detail.empty() ? "" : ": ",
                                region.detail));
  }
  if (unscanned > kUnscannedShown) {
    notes.push_back(fmt::format("... and {} more", unscanned - kUnscannedShown));
  }
  return notes;
}

Result<Plan> MakePlan(const AuditRun& run, const PlanOptions& options) {
  const int period =
      options.period_days.value_or(std::min(run.max_period_days, kDefaultPeriodDays));
  if (period < kPeriodDaysMin || period > kPeriodDaysMax) {
    return Fail(ErrorCode::kUsage, "a rotation period must be 90 to 2560 days");
  }
  if (period > run.max_period_days) {
    return Fail(ErrorCode::kUsage,
                fmt::format("a period of {} days would fail the audit's maximum of {}", period,
                            run.max_period_days));
  }
  Plan plan;
  plan.tool_version = run.tool_version;
  plan.run_id = run.run_id;
  plan.created = run.finished;
  for (const RegionResult& region : run.regions) {
    if (plan.scope.empty() || plan.scope.back().endpoint_url != region.endpoint_url ||
        plan.scope.back().account != region.account) {
      plan.scope.push_back({region.endpoint_url, region.account, {}});
    }
    plan.scope.back().regions.push_back(region.region);
  }
  plan.max_period_days = run.max_period_days;
  plan.strict_disabled = run.strict_disabled;
  plan.policy_sha256 = run.policy.sha256;
  plan.exceptions_sha256 = options.exceptions_sha256;
  plan.allow_iac_managed = options.allow_iac_managed;
  plan.quota_share = options.quota_share;
  plan.audit_incomplete = run.incomplete();
  for (const KeyResult& key : run.keys) {
    const Judgement& judgement = key.judgement;
    const bool chosen = !options.only || options.only->contains(key.facts.arn);
    if (IsFailure(judgement.verdict) && judgement.remediable && chosen) {
      PlannedChange change = ChangeFor(key, period, options.period_days.has_value());
      if (change.owner && !options.allow_iac_managed) {
        plan.left_alone.push_back({key.facts.endpoint_url, key.facts.arn, judgement.verdict,
                                   "belongs to " + OwnerText(*change.owner) +
                                       ": change it there, or plan with --allow-iac-managed",
                                   change.owner});
      } else if (WasStopped(key.facts.tags_failure) && !options.allow_iac_managed) {
        plan.left_alone.push_back({key.facts.endpoint_url,
                                   key.facts.arn,
                                   judgement.verdict,
                                   "the run was stopped before the key's tags were read, and "
                                   "infrastructure code may own it",
                                   {}});
      } else {
        plan.changes.push_back(std::move(change));
      }
    } else if (NeedsExplanation(judgement.verdict) && !judgement.follows_primary) {
      plan.left_alone.push_back(
          {key.facts.endpoint_url, key.facts.arn, judgement.verdict, judgement.reason, {}});
    }
  }
  plan.preview = Preview(run, plan.changes, options);
  plan.sha256 = HashOf(plan);
  return plan;
}

std::vector<std::string> PlanNotes(const Plan& plan) {
  std::vector<std::string> notes;
  if (plan.audit_incomplete) {
    notes.emplace_back("The audit was incomplete: only what could be judged is planned.");
  }
  if (!plan.policy_sha256.empty()) {
    notes.push_back("Made under the policy with SHA-256 " + plan.policy_sha256 + ".");
  }
  std::map<Verdict, std::size_t> left;
  for (const LeftAlone& key : plan.left_alone) left[key.verdict] += key.owner ? 0 : 1;
  for (const auto& [verdict, count] : left) {
    if (count > 0) {
      notes.push_back(
          fmt::format("{} {} left alone: {}", count, KeysAre(count), VerdictName(verdict)));
    }
  }
  AddOwnerNotes(plan, notes);
  if (plan.changes.empty()) return notes;
  std::string calls;
  for (const auto& [operation, count] : plan.preview.calls) {
    calls += fmt::format("{}{} {}", calls.empty() ? "" : ", ", count, operation);
  }
  notes.push_back("Calls: " + calls + ".");
  if (plan.preview.seconds) {
    notes.push_back(fmt::format("At {:g} of AWS's quotas this takes about {}.", plan.quota_share,
                                Duration(*plan.preview.seconds)));
  }
  if (plan.preview.backout_seconds) {
    notes.push_back(fmt::format("Taking all of it back would take about {}.",
                                Duration(*plan.preview.backout_seconds)));
  }
  if (plan.preview.monthly_cost_after_first && plan.preview.monthly_cost_after_second) {
    notes.push_back(fmt::format(
        "Kept key material costs at most ${:.0f} more a month after the first rotation of each "
        "key, ${:.0f} after the second, and no more after that.",
        *plan.preview.monthly_cost_after_first, *plan.preview.monthly_cost_after_second));
  }
  return notes;
}

}  // namespace keyturn::control
