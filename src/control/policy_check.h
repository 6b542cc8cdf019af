// PolicyCheck: what is to be said about a policy file and its exceptions before they are used:
// exceptions that have expired, that are about no key, or that say the same twice.
//
// Thread-safety: pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "control/exceptions.h"
#include "control/policy_file.h"
#include "control/run.h"

namespace keyturn::control {

struct PolicyFinding {
  enum class Kind : std::uint8_t { kExpired, kUnused, kOverlapping, kUnusedScope };
  Kind kind = Kind::kExpired;
  std::string place;  // the file
  int line = 0;
  std::string id;    // of the exception; empty for a scope
  std::string text;  // one sentence for people, without place and id
};
// PolicyFindingName: "expired", "unused", "overlapping", "unused scope".
std::string_view PolicyFindingName(PolicyFinding::Kind kind);

struct PolicyCheck {
  std::vector<PolicyFinding> findings;  // in the order of the files
  std::vector<std::string> notes;       // what a reader should know; not wrong
};

// ExpiredExceptions: a finding for each that has expired, in the order of the file.
std::vector<PolicyFinding> ExpiredExceptions(const ExceptionList& exceptions, TimePoint now);

// CheckPolicy: policy may be absent; without a run nothing can be said about unused ones, and two
// exceptions overlap where every key of one is a key of the other.
PolicyCheck CheckPolicy(const std::optional<PolicyFile>& policy, const ExceptionList& exceptions,
                        const AuditRun* run, TimePoint now);

}  // namespace keyturn::control
