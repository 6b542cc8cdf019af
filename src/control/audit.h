// Audit: inventory of the keys of many accounts, regions and endpoints, judged.
//
// Per region of an account: ListKeys beside ListAliases; DescribeKey for each key that no
// alias/aws/ name marks as AWS managed; GetKeyRotationStatus where DescribeKey says that it can
// matter, and for replicas only when their primary's is not known; ListResourceTags for failing
// keys only when an exception matches by tag, and for keys whose scope depends on a tag;
// ListKeyRotations where a policy judges by it. A failed call spoils one key or one region, never
// the run. Thread-safety: one thread, which pumps the access.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "client/kms_client.h"
#include "control/evaluate.h"
#include "control/exceptions.h"
#include "control/monitor.h"
#include "control/run.h"
#include "control/target.h"

namespace keyturn::control {

struct AuditOptions {
  EvaluationPolicy policy;      // its 'at' is set by the run
  std::vector<int> also_judge;  // further maxima to count by
  PolicyRecord policy_record;   // of the policy file, if there is one
  std::string tool_version;
  std::string run_id;      // empty: drawn
  bool read_tags = false;  // of keys that fail and can be put right, to tell whose they are
  std::string cache_path;  // control/facts_cache.h; empty: none
  std::string state_path;  // control/audit_state.h; empty: a run that is stopped begins anew
};

// RunAudit: kUsage when there is no target, or a target's regions (at least one, each once) or the
// period (90 to 2560) are wrong; everything else is in the record, which has a RegionResult for
// every region of every target. A cancelled run is returned with what is known; keys not reached
// are UNKNOWN.
Result<AuditRun> RunAudit(Access& access, const std::vector<Target>& targets,
                          const AuditOptions& options, const ExceptionList& exceptions,
                          const Clock& clock, RandomSource& random, const Monitor& monitor);

}  // namespace keyturn::control
