// Recording: the evidence of one command, from its flags to the finished bundle.
//
// Thread-safety: one thread. Errors: as control/evidence.h; kUsage for keys that cannot sign.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cli/control_commands.h"
#include "control/evidence.h"
#include "control/exceptions.h"
#include "control/policy_file.h"
#include "control/run.h"

namespace keyturn::cli {

class Recording {
 public:
  using Arguments = std::vector<std::pair<std::string, std::string>>;

  // Start makes the directory, and finds out whether the keys can sign. clock must outlive it.
  static Result<Recording> Start(const RecordFlags& flags, const std::string& run_id,
                                 const std::string& command, Arguments arguments,
                                 const Clock& clock);

  control::EvidenceRecorder& recorder() { return *recorder_; }

  // FinishAudit and FinishChange write the rest of the bundle. The files of exceptions and policy
  // must be what was read before the run.
  Status FinishAudit(const control::AuditRun& run, const control::ExceptionList& exceptions,
                     const std::optional<control::PolicyFile>& policy);
  Status FinishChange(const std::string& journal_path, bool cancelled);

 private:
  std::unique_ptr<control::EvidenceRecorder> recorder_;
  control::EvidenceRecorder::Sign sign_;
};

// ArgumentsOf: what an audit was told to do, for its manifest.
Recording::Arguments ArgumentsOf(const ConnectionFlags& connection, const PolicyFlags& policy);

}  // namespace keyturn::cli
