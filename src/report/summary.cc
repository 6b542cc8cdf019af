#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "report/text.h"

namespace keyturn::report {

using control::AuditRun;
using control::KeyResult;
using control::Verdict;

std::string_view VerdictWords(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kFailPeriod:
      return "fail (period)";
    case Verdict::kNotApplicable:
      return "not applicable";
    case Verdict::kSkipped:
      return "skipped";
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kExcepted:
      return "excepted";
    case Verdict::kGone:
      return "gone";
  }
  return "unknown";
}

std::string_view VerdictMeaning(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "Automatic rotation is on, and at least as often as the maximum period asks.";
    case Verdict::kFail:
      return "The key could rotate automatically and does not.";
    case Verdict::kFailPeriod:
      return "The key rotates, but less often than the maximum period allows.";
    case Verdict::kNotApplicable:
      return "Automatic rotation is not yours to set: AWS manages the key, or no automatic "
             "rotation "
             "exists for its kind (asymmetric, HMAC, imported material, custom key store).";
    case Verdict::kSkipped:
      return "The key cannot be used now (disabled, or waiting to be deleted), so its setting has "
             "no effect until that changes.";
    case Verdict::kUnknown:
      return "The facts could not be read. It counts neither as compliant nor as failed, and makes "
             "the audit incomplete.";
    case Verdict::kExcepted:
      return "The key fails, and a valid exception with an owner and an expiry date covers it.";
    case Verdict::kGone:
      return "The key was deleted while the audit ran.";
  }
  return "";
}

namespace {

std::string EndpointFlag(const std::string& endpoint_url) {
  return endpoint_url.empty() ? "" : " --endpoint-url " + ShellWord(Harmless(endpoint_url));
}

// HadExceptions: some of them matter, or need attention.
bool HadExceptions(const AuditRun& run) {
  return !run.exception_notes.empty() ||
         std::any_of(run.keys.begin(), run.keys.end(),
                     [](const KeyResult& key) { return !key.judgement.exception_id.empty(); });
}

// WithoutFollowers counts each multi-Region key once, as the percentage does.
std::uint64_t WithoutFollowers(const AuditRun& run, Verdict verdict) {
  return static_cast<std::uint64_t>(
      std::count_if(run.keys.begin(), run.keys.end(), [verdict](const KeyResult& key) {
        return key.judgement.verdict == verdict && !key.judgement.follows_primary;
      }));
}

}  // namespace

bool HasSeveralTargets(const AuditRun& run) {
  const std::string* account = nullptr;
  for (const auto& region : run.regions) {
    if (region.account.empty()) continue;
    if (account != nullptr && *account != region.account) return true;
    account = &region.account;
  }
  return HasSeveralEndpoints(run);
}

std::string RemediationCommand(const KeyResult& key, const AuditRun& run) {
  if (!key.judgement.remediable) {
    return "";
  }
  const bool replica =
      key.facts.multi_region_type == "REPLICA" && !key.facts.primary_region.empty();
  std::string line =
      "aws kms enable-key-rotation --key-id " + ShellWord(Harmless(key.facts.key_id));
  // A key whose period is the problem, or a maximum that AWS's default of 365 days would break.
  if (key.judgement.raw_verdict == Verdict::kFailPeriod || run.max_period_days < 365) {
    line += fmt::format(" --rotation-period-in-days {}", run.max_period_days);
  }
  line += " --region " +
          ShellWord(Harmless(replica ? key.facts.primary_region : key.facts.region)) +
          EndpointFlag(key.facts.endpoint_url);
  return line;
}

std::string PlanCommand(const AuditRun& run) {
  std::set<std::string> names;
  for (const auto& region : run.regions) {
    if (region.status == control::RegionStatus::kScanned) {
      names.insert(Harmless(region.region));
    }
  }
  std::string regions;
  for (const auto& name : names) {
    regions += (regions.empty() ? "" : ",") + name;
  }
  // Which accounts, and as whom, is not in the record.
  const bool several = HasSeveralTargets(run);
  std::string line = "keyturn plan";
  if (several) {
    line += " ACCOUNTS-AND-REGIONS-AS-HERE";
  } else if (!run.regions.empty()) {
    line += EndpointFlag(run.regions.front().endpoint_url);
  }
  if (!regions.empty() && !several) {
    line += " --region " + ShellWord(regions);
  }
  if (!run.policy.sha256.empty()) {
    line += " --policy POLICY-AS-HERE";
  } else {
    if (run.max_period_days != 365) {
      line += fmt::format(" --max-period {}", run.max_period_days);
    }
    if (run.strict_disabled) {
      line += " --strict-disabled";
    }
  }
  // Without them the plan would change what they protect.
  if (HadExceptions(run)) {
    line += " --exceptions EXCEPTIONS-AS-HERE";
  }
  return line + " --out rotation.plan";
}

bool HasSeveralEndpoints(const AuditRun& run) {
  return std::any_of(run.regions.begin(), run.regions.end(), [&run](const auto& region) {
    return region.endpoint_url != run.regions.front().endpoint_url;
  });
}

std::vector<RegionGroup> GroupByRegion(const AuditRun& run) {
  std::vector<RegionGroup> groups;
  // By endpoint, account and region, which live in the run.
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::size_t> index;
  const auto group_at = [&](std::string_view endpoint_url, std::string_view account,
                            std::string_view name) -> RegionGroup& {
    const auto [it, added] = index.try_emplace({endpoint_url, account, name}, groups.size());
    if (added) {
      groups.push_back({.region = nullptr,
                        .endpoint_url = std::string(endpoint_url),
                        .account = std::string(account),
                        .name = std::string(name),
                        .keys = {}});
    }
    return groups[it->second];
  };
  for (const auto& region : run.regions) {
    const control::RegionResult*& known =
        group_at(region.endpoint_url, region.account, region.region).region;
    const control::RegionResult* other = &region;
    // Two callers of one account: its keys belong to the one that scanned them.
    if (known == nullptr || region.status == control::RegionStatus::kScanned) {
      std::swap(known, other);
    }
    if (other != nullptr) {
      groups.push_back({.region = other,
                        .endpoint_url = other->endpoint_url,
                        .account = other->account,
                        .name = other->region,
                        .keys = {}});
    }
  }
  for (const auto& key : run.keys) {
    const control::KeyFacts& facts = key.facts;
    const bool without_account =
        !index.contains({facts.endpoint_url, facts.account, facts.region}) &&
        index.contains({facts.endpoint_url, "", facts.region});
    RegionGroup& group =
        group_at(facts.endpoint_url, without_account ? std::string_view() : facts.account.text(),
                 facts.region);
    ++group.counts[static_cast<std::size_t>(key.judgement.verdict)];
    group.keys.push_back(&key);
  }
  std::array<std::size_t, control::kVerdictCount> rank{};
  for (std::size_t i = 0; i < kVerdictOrder.size(); ++i) {
    rank[static_cast<std::size_t>(kVerdictOrder[i])] = i;
  }
  for (auto& group : groups) {
    std::stable_sort(group.keys.begin(), group.keys.end(),
                     [&rank](const KeyResult* a, const KeyResult* b) {
                       const auto of = [&rank](const KeyResult* k) {
                         return rank[static_cast<std::size_t>(k->judgement.verdict)];
                       };
                       return std::pair(of(a), std::string_view(a->facts.arn)) <
                              std::pair(of(b), std::string_view(b->facts.arn));
                     });
  }
  return groups;
}

Answer AnswerOf(const AuditRun& run) {
  const auto count = [&run](Verdict v) {
    const auto it = run.totals.by_verdict.find(v);
    return it == run.totals.by_verdict.end() ? std::uint64_t{0} : it->second;
  };
  if (count(Verdict::kFail) + count(Verdict::kFailPeriod) > 0) {
    return Answer::kNotCompliant;
  }
  return run.incomplete() ? Answer::kIncomplete : Answer::kCompliant;
}

std::string AnswerTitle(const AuditRun& run) {
  switch (AnswerOf(run)) {
    case Answer::kCompliant:
      return "Compliant";
    case Answer::kNotCompliant:
      return run.incomplete() ? "Not compliant, and incomplete" : "Not compliant";
    case Answer::kIncomplete:
      return "Incomplete";
  }
  return "Incomplete";
}

std::string AnswerSentence(const AuditRun& run) {
  const auto& by = run.totals.by_verdict;
  const auto count = [&by](Verdict v) {
    const auto it = by.find(v);
    return it == by.end() ? std::uint64_t{0} : it->second;
  };
  const std::uint64_t failed =
      WithoutFollowers(run, Verdict::kFail) + WithoutFollowers(run, Verdict::kFailPeriod);
  const std::uint64_t judged = failed + WithoutFollowers(run, Verdict::kPass);
  std::string text;
  if (judged == 0) {
    text = "No key was found that automatic rotation could apply to.";
  } else if (failed == 0) {
    text = judged == 1 ? "The only key in scope rotates as required."
                       : fmt::format("All {} keys in scope rotate as required.", Thousands(judged));
  } else {
    text = fmt::format("{} of {} in scope {} not rotate as required.", Thousands(failed),
                       Counted(judged, "key"), failed == 1 ? "does" : "do");
  }
  if (const std::uint64_t followers = run.totals.followers; followers > 0) {
    text += fmt::format(" {} {} with {}.", Counted(followers, "replica"),
                        followers == 1 ? "counts" : "count",
                        followers == 1 ? "its primary" : "their primaries");
  }
  if (run.cancelled) {
    text += " The audit was stopped before it was done.";
  }
  if (const std::uint64_t unknown = count(Verdict::kUnknown); unknown > 0) {
    text += fmt::format(" {} could not be judged.", Counted(unknown, "key"));
  }
  const auto unscanned = std::count_if(run.regions.begin(), run.regions.end(),
                                       [](const auto& region) { return region.IsGap(); });
  if (unscanned > 0) {
    text += fmt::format(" {} could not be scanned.",
                        Counted(static_cast<std::uint64_t>(unscanned), "region"));
  }
  return text;
}

}  // namespace keyturn::report
