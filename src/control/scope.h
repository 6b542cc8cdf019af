// Scope: which keys a policy is about, by account, region, alias, tag or ARN. A key that is not
// counts as NOT_APPLICABLE, so that every listed key is still accounted for.
//
// Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/exceptions.h"
#include "control/run.h"

namespace keyturn::control {

struct Scope {
  // A key is in scope when one of include matches, or include is empty, and none of exclude does.
  std::vector<ExceptionMatch> include;
  std::vector<ExceptionMatch> exclude;

  bool empty() const { return include.empty() && exclude.empty(); }
};

// ScopeAnswer: kUnknown when it depends on aliases or tags that could not be read.
enum class ScopeAnswer : std::uint8_t { kIn, kOut, kUnknown };

struct ScopeFinding {
  ScopeAnswer answer = ScopeAnswer::kIn;
  std::string reason;  // for people; empty with kIn
};

ScopeFinding FindScope(const Scope& scope, const KeyFacts& facts);

// ScopeNeedsTags: the answer depends on tags that have not been asked for.
bool ScopeNeedsTags(const Scope& scope, const KeyFacts& facts);

}  // namespace keyturn::control
