#include "control/scope.h"

#include <algorithm>

namespace keyturn::control {
namespace {

struct BestFit {
  Fit fit = Fit::kNo;
  const ExceptionMatch* match = nullptr;
};

BestFit BestOf(const std::vector<ExceptionMatch>& matches, const KeyFacts& facts, bool tags_known) {
  BestFit best;
  for (const ExceptionMatch& match : matches) {
    const Fit fit = FitOf(match, facts, tags_known);
    if (fit > best.fit) best = {fit, &match};
  }
  return best;
}

ScopeFinding Find(const Scope& scope, const KeyFacts& facts, bool tags_known) {
  const BestFit excluded = BestOf(scope.exclude, facts, tags_known);
  if (excluded.fit == Fit::kYes) {
    return {ScopeAnswer::kOut,
            "out of the policy's scope: excluded by " + DescribeMatch(*excluded.match)};
  }
  const BestFit included = scope.include.empty() ? BestFit{Fit::kYes, nullptr}
                                                 : BestOf(scope.include, facts, tags_known);
  if (included.fit == Fit::kNo) {
    return {ScopeAnswer::kOut, "out of the policy's scope: included by none of its matches"};
  }
  if (included.fit == Fit::kYes && excluded.fit == Fit::kNo) return {};
  const ExceptionMatch& match = excluded.fit == Fit::kMaybe ? *excluded.match : *included.match;
  return {ScopeAnswer::kUnknown,
          "whether the policy is about the key is not known (" + UnreadText(match, facts) + ")"};
}

}  // namespace

ScopeFinding FindScope(const Scope& scope, const KeyFacts& facts) {
  return scope.empty() ? ScopeFinding{} : Find(scope, facts, !facts.tags_failure);
}

bool ScopeNeedsTags(const Scope& scope, const KeyFacts& facts) {
  const auto by_tag = [](const ExceptionMatch& match) { return !match.tag_key.empty(); };
  if (std::none_of(scope.include.begin(), scope.include.end(), by_tag) &&
      std::none_of(scope.exclude.begin(), scope.exclude.end(), by_tag)) {
    return false;
  }
  return Find(scope, facts, false).answer == ScopeAnswer::kUnknown;
}

}  // namespace keyturn::control
