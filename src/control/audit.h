// Audit: inventory of an account's keys in some regions, judged.
//
// Per region: ListKeys beside ListAliases; DescribeKey for each key that no alias/aws/ name marks
// as AWS managed; GetKeyRotationStatus where DescribeKey says that it can matter, and for replicas
// only when their primary's is not known; ListResourceTags for failing keys only when an exception
// matches by tag. A failed call spoils one key or one region, never the run.
// Thread-safety: one thread, which pumps the client.
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

namespace keyturn::control {

struct AuditOptions {
  std::vector<std::string> regions;  // at least one; each once
  EvaluationPolicy policy;
  std::string endpoint;  // for the record: the URL; empty becomes "AWS"
  std::string tool_version;
};

// RunAudit: kUsage when regions or the period (90 to 2560) are wrong; everything else is in the
// record. A cancelled run is returned with what is known; keys not reached are UNKNOWN.
Result<AuditRun> RunAudit(client::KmsClient& client, const AuditOptions& options,
                          const ExceptionList& exceptions, const Clock& clock, RandomSource& random,
                          const Monitor& monitor);

}  // namespace keyturn::control
