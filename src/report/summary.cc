#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
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

bool SpokenToAws(const AuditRun& run) { return run.endpoint.empty() || run.endpoint == "AWS"; }

std::string EndpointFlag(const AuditRun& run) {
  return SpokenToAws(run) ? "" : " --endpoint-url " + ShellWord(Harmless(run.endpoint));
}

}  // namespace

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
          EndpointFlag(run);
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
  std::string line = "keyturn plan" + EndpointFlag(run);
  if (!regions.empty()) {
    line += " --region " + ShellWord(regions);
  }
  if (run.max_period_days != 365) {
    line += fmt::format(" --max-period {}", run.max_period_days);
  }
  if (run.strict_disabled) {
    line += " --strict-disabled";
  }
  return line + " --out rotation.plan";
}

std::vector<RegionGroup> GroupByRegion(const AuditRun& run) {
  std::vector<RegionGroup> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> index;  // (account, region)
  const auto group_at = [&](const std::string& account, const std::string& name) -> RegionGroup& {
    const auto [it, added] = index.try_emplace({account, name}, groups.size());
    if (added) {
      groups.push_back(
          RegionGroup{.region = nullptr, .account = account, .name = name, .keys = {}});
    }
    return groups[it->second];
  };
  for (const auto& region : run.regions) {
    group_at(region.account, region.region).region = &region;
  }
  for (const auto& key : run.keys) {
    const bool without_account = !index.contains({key.facts.account, key.facts.region}) &&
                                 index.contains({"", key.facts.region});
    RegionGroup& group = group_at(without_account ? "" : key.facts.account, key.facts.region);
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
  const std::uint64_t failed = count(Verdict::kFail) + count(Verdict::kFailPeriod);
  const std::uint64_t judged = failed + count(Verdict::kPass);
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
  if (run.cancelled) {
    text += " The audit was stopped before it was done.";
  }
  if (const std::uint64_t unknown = count(Verdict::kUnknown); unknown > 0) {
    text += fmt::format(" {} could not be judged.", Counted(unknown, "key"));
  }
  const auto unscanned = std::count_if(run.regions.begin(), run.regions.end(), [](const auto& r) {
    return r.status != control::RegionStatus::kScanned;
  });
  if (unscanned > 0) {
    text += fmt::format(" {} could not be scanned.",
                        Counted(static_cast<std::uint64_t>(unscanned), "region"));
  }
  return text;
}

}  // namespace keyturn::report
