#include "control/policy_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace keyturn::control {
namespace {

PolicyFinding Expired(const ExceptionList& list, const Exception& entry) {
  return {
      PolicyFinding::Kind::kExpired, list.place, entry.line, entry.id,
      fmt::format("expired on {}; renew it with {} or remove it", entry.expires, entry.approver)};
}

constexpr Days kSoon{30};

// IsWithin: every key that inner matches is matched by outer, as far as the texts say so.
bool IsWithin(const ExceptionMatch& inner, const ExceptionMatch& outer) {
  const auto same = [](const std::string& wanted, const std::string& given) {
    return wanted.empty() || wanted == given;
  };
  const bool glob = outer.glob.empty() || outer.glob == inner.glob ||
                    (!inner.arn.empty() && GlobMatches(outer.glob, inner.arn)) ||
                    (!inner.alias.empty() && GlobMatches(outer.glob, inner.alias));
  return same(outer.arn, inner.arn) && same(outer.alias, inner.alias) &&
         same(outer.account, inner.account) && same(outer.region, inner.region) &&
         same(outer.tag_key, inner.tag_key) && same(outer.tag_value, inner.tag_value) && glob;
}

// Use: which keys of a run an exception is about.
struct Use {
  std::size_t keys = 0;
  std::size_t failing = 0;  // that it is needed for
};

class Checker {
 public:
  Checker(const ExceptionList& exceptions, const AuditRun* run, TimePoint now)
      : exceptions_(exceptions), run_(run), now_(now), uses_(exceptions.entries.size()) {
    if (run_ == nullptr) return;
    for (const KeyResult& key : run_->keys) Count(key);
  }

  void Exceptions(PolicyCheck& check) const {
    const auto& entries = exceptions_.entries;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Exception& entry = entries[i];
      const auto add = [&](PolicyFinding::Kind kind, std::string text) {
        check.findings.push_back({kind, exceptions_.place, entry.line, entry.id, std::move(text)});
      };
      if (entry.ExpiredAt(now_)) {
        check.findings.push_back(Expired(exceptions_, entry));
      } else if (entry.ExpiredAt(now_ + kSoon)) {
        check.notes.push_back(fmt::format("{} expires on {} (owner {}, {})", entry.id,
                                          entry.expires, entry.owner, entry.ticket));
      }
      if (run_ != nullptr) Unused(entry, uses_[i], add);
      for (std::size_t j = 0; j < i; ++j) Overlap(i, j, add);
    }
  }

  void UnusedScope(const PolicyFile& policy, PolicyCheck& check) const {
    if (run_ == nullptr) return;
    const auto each = [&](std::string_view name, const std::vector<ExceptionMatch>& matches) {
      for (const ExceptionMatch& match : matches) {
        const bool used = std::any_of(run_->keys.begin(), run_->keys.end(),
                                      [&match](const KeyResult& key) { return May(match, key); });
        if (used) continue;
        // Tags are read only of keys whose scope depends on them.
        check.findings.push_back(
            {PolicyFinding::Kind::kUnusedScope,
             policy.place,
             match.line,
             {},
             fmt::format("'{}' with {} matches no key{}", name, DescribeMatch(match),
                         match.tag_key.empty() ? "" : " whose tags were read")});
      }
    };
    each("include", policy.evaluation.scope.include);
    each("exclude", policy.evaluation.scope.exclude);
  }

 private:
  // May: a match is not called unused for what could not be read of a key.
  static bool May(const ExceptionMatch& match, const KeyResult& key) {
    return FitOf(match, key.facts, !key.facts.tags_failure) != Fit::kNo;
  }

  void Count(const KeyResult& key) {
    const Verdict raw = key.judgement.raw_verdict;
    const bool failing = raw == Verdict::kFail || raw == Verdict::kFailPeriod;
    std::vector<std::size_t> mine;
    for (std::size_t i = 0; i < exceptions_.entries.size(); ++i) {
      if (!May(exceptions_.entries[i].match, key)) continue;
      ++uses_[i].keys;
      if (failing) ++uses_[i].failing;
      if (!Matches(exceptions_.entries[i].match, key.facts)) continue;
      for (const std::size_t other : mine) overlaps_.emplace(other, i);
      mine.push_back(i);
    }
  }

  template <typename Add>
  static void Unused(const Exception& entry, const Use& use, const Add& add) {
    if (use.failing > 0) return;
    if (use.keys > 0) {
      add(PolicyFinding::Kind::kUnused,
          fmt::format("is not needed: {} with {} {} not fail",
                      use.keys == 1 ? "the key" : "the keys", DescribeMatch(entry.match),
                      use.keys == 1 ? "does" : "do"));
      return;
    }
    // Tags are read of failing keys only.
    add(PolicyFinding::Kind::kUnused,
        fmt::format("matches no {}key: {}", entry.match.tag_key.empty() ? "" : "failing ",
                    DescribeMatch(entry.match)));
  }

  template <typename Add>
  void Overlap(std::size_t i, std::size_t j, const Add& add) const {
    const Exception& entry = exceptions_.entries[i];
    const Exception& earlier = exceptions_.entries[j];
    const bool within = IsWithin(entry.match, earlier.match);
    if (!within && !IsWithin(earlier.match, entry.match) && !overlaps_.contains({j, i})) return;
    add(PolicyFinding::Kind::kOverlapping,
        fmt::format("overlaps with {} in line {}{}", earlier.id, earlier.line,
                    within ? ", which has every key of it" : ""));
  }

  const ExceptionList& exceptions_;
  const AuditRun* const run_;
  const TimePoint now_;
  std::vector<Use> uses_;
  std::set<std::pair<std::size_t, std::size_t>> overlaps_;
};

}  // namespace

std::string_view PolicyFindingName(PolicyFinding::Kind kind) {
  switch (kind) {
    case PolicyFinding::Kind::kExpired:
      return "expired";
    case PolicyFinding::Kind::kUnused:
      return "unused";
    case PolicyFinding::Kind::kOverlapping:
      return "overlapping";
    case PolicyFinding::Kind::kUnusedScope:
      return "unused scope";
  }
  return "expired";
}

std::vector<PolicyFinding> ExpiredExceptions(const ExceptionList& exceptions, TimePoint now) {
  std::vector<PolicyFinding> findings;
  for (const Exception& entry : exceptions.entries) {
    if (entry.ExpiredAt(now)) findings.push_back(Expired(exceptions, entry));
  }
  return findings;
}

PolicyCheck CheckPolicy(const std::optional<PolicyFile>& policy, const ExceptionList& exceptions,
                        const AuditRun* run, TimePoint now) {
  PolicyCheck check;
  const Checker checker(exceptions, run, now);
  if (policy) checker.UnusedScope(*policy, check);
  checker.Exceptions(check);
  if (run == nullptr) {
    check.notes.emplace_back(
        "which exceptions are unused is known with --from RUN, a recorded audit");
  } else if (policy && run->policy.sha256 != policy->sha256) {
    check.notes.push_back("run " + run->run_id + " was judged by " +
                          (run->policy.sha256.empty()
                               ? "no policy file"
                               : "the policy with SHA-256 " + run->policy.sha256));
  }
  if (run != nullptr && run->incomplete()) {
    check.notes.push_back(
        "run " + run->run_id +
        " is incomplete: what seems unused may be about keys that it has not seen");
  }
  return check;
}

}  // namespace keyturn::control
