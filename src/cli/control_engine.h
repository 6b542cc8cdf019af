// ControlEngine: what the control's commands need of the control room, as one interface, so that
// the commands (files checked first, questions, exit codes, what is printed where) are tested
// without a network.
//
// Thread-safety: a call blocks; progress may be called from any thread. Errors: kUsage for what the
// user can put right (file, profile, region, URL), others as they come; the message is for people.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/control_commands.h"
#include "control/monitor.h"
#include "control/policy_file.h"
#include "control/preflight.h"
#include "control/run.h"
#include "report/report.h"

namespace keyturn::cli {

// Watch: how a long call is followed and stopped. A stopped call returns what it has.
struct Watch {
  const std::atomic<bool>* cancelled = nullptr;
  std::optional<TimePoint> deadline;
  std::function<void(const control::Progress&)> progress;
};

// PlanView: a plan for reading: its changes as lines that are still pending, its costs as notes.
struct PlanView {
  report::ChangeReport changes;
  bool audit_incomplete = false;  // only what could be judged is planned
};

class ControlEngine {
 public:
  virtual ~ControlEngine() = default;

  // Audit with a state file goes on with the run that the file is of, and removes it once the run
  // is complete.
  virtual Result<control::AuditRun> Audit(const ConnectionFlags& connection,
                                          const PolicyFlags& policy, const std::string& state_path,
                                          const RecordFlags& record, const Watch& watch) = 0;
  // PolicyOf: the policy file of the flags; nothing when they name none.
  virtual Result<std::optional<control::PolicyFile>> PolicyOf(const PolicyFlags& policy) = 0;
  // ExceptionsPathOf: the exceptions file of the flags or of their policy file; empty: none.
  virtual Result<std::string> ExceptionsPathOf(const PolicyFlags& policy) = 0;
  virtual Result<std::vector<report::ExceptionEntry>> ReadExceptions(const std::string& path) = 0;
  // ReadJournal: what was done under a journal so far, in order: apply, verify, backout.
  virtual Result<std::vector<report::ChangeReport>> ReadJournal(const std::string& path) = 0;

  // Preflight: an organization whose accounts cannot be listed is a finding, not an error.
  virtual Result<control::PreflightRun> Preflight(const PreflightFlags& flags,
                                                  const Watch& watch) = 0;

  // MakePlan audits and writes the plan to flags.out.
  virtual Result<PlanView> MakePlan(const PlanFlags& flags, const Watch& watch) = 0;
  // PlanFor writes the plan of a run, with the changes of those ARNs only, to out.
  virtual Status PlanFor(const control::AuditRun& run, const PlanFlags& flags,
                         const std::set<std::string>& arns) = 0;
  virtual Result<PlanView> ReadPlan(const std::string& path) = 0;
  virtual Result<report::ChangeReport> Apply(const ApplyFlags& flags, const Watch& watch) = 0;
  virtual Result<report::ChangeReport> Verify(const VerifyFlags& flags, const Watch& watch) = 0;
  // PreviewBackout: what Backout would do, without a call.
  virtual Result<PlanView> PreviewBackout(const BackoutFlags& flags) = 0;
  virtual Result<report::ChangeReport> Backout(const BackoutFlags& flags, const Watch& watch) = 0;
};

}  // namespace keyturn::cli
