// The control's commands: check what can be checked first, ask where there is someone to ask, do
// it, print it, and say with the exit code how it went.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "cli/app.h"
#include "cli/control_commands.h"
#include "cli/control_engine.h"
#include "cli/control_output.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "control/approval.h"
#include "crypto/ssh_signature.h"
#include "report/preflight.h"
#include "report/text.h"
#include "service/files.h"

namespace keyturn::cli {
namespace {

using report::ChangeReport;
using report::Outcome;

Watch MakeWatch(const RunFlags& flags, ProgressShow& show) {
  Watch watch;
  watch.cancelled = &CatchInterrupts();
  watch.progress = [&show](const control::Progress& progress) { show.Show(progress); };
  // It was checked with the command line.
  if (const auto time = ParseDuration(flags.deadline)) watch.deadline = SystemClock().Now() + *time;
  return watch;
}

// ChangeExitCode: a refusal or failure outweighs what is still to do.
int ChangeExitCode(const ChangeReport& report) {
  if (CountOutcome(report, Outcome::kFailed) + CountOutcome(report, Outcome::kRefused) > 0) {
    return control::kExitChangeFailed;
  }
  return CountOutcome(report, Outcome::kPending) > 0 ? control::kExitIncomplete
                                                     : control::kExitCompliant;
}

int EmitChanges(std::string_view place, const ChangeReport& report, const std::string& format,
                const Terminal& terminal) {
  const bool written = WriteOut(format == "json" ? report::RenderChangesJson(report)
                                                 : report::RenderChanges(report, terminal.style));
  if (!written) {
    PrintError(place, "standard output cannot be written");
    return control::kExitUsage;
  }
  return ChangeExitCode(report);
}

// Approved asks on a terminal; where nobody can answer, that is a usage error.
enum class Approval { kGiven, kRefused, kNobodyToAsk };
Approval Approve(std::string_view place, const PlanView& view, std::string_view question,
                 const Terminal& terminal) {
  if (!terminal.input_is_terminal) {
    PrintError(place, "the changes must be confirmed, and standard input is no terminal",
               "run it in a terminal, or add --auto-approve");
    return Approval::kNobodyToAsk;
  }
  if (!WriteOut(report::RenderChanges(view.changes, terminal.style) + '\n')) {
    return Approval::kRefused;
  }
  return AskYes(question) ? Approval::kGiven : Approval::kRefused;
}

// ApprovalExit prints a refusal and returns the exit code for it.
int ApprovalExit(std::string_view place, Approval approval) {
  if (approval == Approval::kRefused) {
    PrintError(place, "not confirmed, so nothing was changed");
    return control::kExitChangeFailed;
  }
  return control::kExitUsage;
}

// SignPlan signs as `ssh-keygen -Y sign` does.
Status SignPlan(const std::string& sha256, const std::string& key_path, const std::string& out) {
  KT_ASSIGN(const SecretBytes key, service::ReadSmallFile(key_path));
  const auto signer = crypto::SshSigner::FromPrivateKey(key.reveal());
  if (!signer) return Fail(ErrorCode::kUsage, key_path + ": " + signer.error().message);
  return WriteFile(out, signer->Sign(AsBytes(sha256 + '\n'), control::kPlanNamespace));
}

// AuditOutputFor gathers what the reports need beside the run, before the run is paid for.
Result<AuditOutput> AuditOutputFor(const AuditFlags& flags, ControlEngine& engine) {
  AuditOutput output;
  output.all = flags.all;
  KT_ASSIGN(output.outputs, PlanOutputs(flags.formats, flags.outs));
  for (const auto& each : output.outputs) {
    if (!each.path.empty()) {
      KT_TRY(CheckWritable(each.path));
    }
  }
  KT_ASSIGN(const std::string exceptions, engine.ExceptionsPathOf(flags.policy));
  if (!exceptions.empty()) {
    KT_ASSIGN(output.html.exceptions, engine.ReadExceptions(exceptions));
  }
  for (const auto& path : flags.journals) {
    KT_ASSIGN(auto changes, engine.ReadJournal(path));
    std::move(changes.begin(), changes.end(), std::back_inserter(output.html.changes));
  }
  return output;
}

}  // namespace

int RunAudit(const AuditFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  const auto output = AuditOutputFor(flags, engine);
  if (!output) {
    return ReportError("audit", output.error());
  }
  ProgressShow show(flags.connection.run.progress, terminal);
  auto run = engine.Audit(flags.connection, flags.policy, flags.state_path, flags.record,
                          MakeWatch(flags.connection.run, show));
  show.Clear();
  if (!run) {
    return ReportError("audit", run.error());
  }
  run->tool_version = ToolVersion();
  for (const std::string& note : run->notes) PrintError("audit", note);
  if (const Status written = EmitAudit(*run, *output, terminal); !written) {
    return ReportError("audit", written.error());
  }
  return control::AuditExitCode(*run);
}

int RunPreflight(const PreflightFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  ProgressShow show(flags.connection.run.progress, terminal);
  const auto run = engine.Preflight(flags, MakeWatch(flags.connection.run, show));
  show.Clear();
  if (!run) {
    return ReportError("preflight", run.error());
  }
  const bool written =
      WriteOut(flags.format == "json" ? report::RenderPreflightJson(*run)
                                      : report::RenderPreflight(*run, terminal.style));
  if (!written) {
    PrintError("preflight", "standard output cannot be written");
    return control::kExitUsage;
  }
  return control::PreflightExitCode(*run);
}

int RunPlan(const PlanFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  if (const Status writable = CheckWritable(flags.out); !writable) {
    return ReportError("plan", writable.error());
  }
  ProgressShow show(flags.connection.run.progress, terminal);
  const auto plan = engine.MakePlan(flags, MakeWatch(flags.connection.run, show));
  show.Clear();
  if (!plan) {
    return ReportError("plan", plan.error());
  }
  std::string text = report::RenderChanges(plan->changes, terminal.style);
  if (!plan->changes.lines.empty()) {
    text +=
        "\nNext\n  keyturn apply " + report::ShellWord(flags.out) + " --journal rotation.journal\n";
  }
  WriteOut(text);
  return plan->audit_incomplete ? control::kExitIncomplete : control::kExitCompliant;
}

int RunApply(const ApplyFlags& given, ControlEngine& engine, const Terminal& terminal) {
  ApplyFlags flags = given;
  if (!flags.resume) {
    const auto plan = engine.ReadPlan(flags.plan);
    if (!plan) {
      return ReportError("apply", plan.error());
    }
    if (const Status writable = CheckWritable(flags.journal); !writable) {
      return ReportError("apply", writable.error());
    }
    // What is applied is what is shown or approved here, whatever becomes of the file meanwhile.
    flags.shown_sha256 = plan->changes.plan_id;
    const bool approved =
        flags.auto_approve || !flags.approve.empty() || !flags.approval_signature.empty();
    if (!approved && !plan->changes.lines.empty()) {
      const Approval approval =
          Approve("apply", *plan, "Make these changes? Only 'yes' is accepted:", terminal);
      if (approval != Approval::kGiven) {
        return ApprovalExit("apply", approval);
      }
    }
  }
  ProgressShow show(flags.run.progress, terminal);
  const auto done = engine.Apply(flags, MakeWatch(flags.run, show));
  show.Clear();
  return done ? EmitChanges("apply", *done, flags.format, terminal)
              : ReportError("apply", done.error());
}

int RunApprove(const ApproveFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  const auto plan = engine.ReadPlan(flags.plan);
  if (!plan) {
    return ReportError("approve", plan.error());
  }
  const std::string out = flags.out.empty() ? flags.plan + ".sig" : flags.out;
  const std::string name = report::ShellWord(flags.plan);
  if (flags.sign_key.empty()) {
    WriteOut(report::RenderChanges(plan->changes, terminal.style) +
             "\nTo approve it\n  keyturn apply " + name +
             " --journal rotation.journal --approve \\\n    " + plan->changes.plan_id +
             "\nTo sign it for somebody who applies it\n  echo " + plan->changes.plan_id +
             " |\n    ssh-keygen -Y sign -n " + std::string(control::kPlanNamespace) +
             " -f ~/.ssh/id_ed25519 > " + report::ShellWord(out) + '\n');
    return control::kExitCompliant;
  }
  if (!flags.auto_approve) {
    const Approval approval =
        Approve("approve", *plan, "Sign this plan? Only 'yes' is accepted:", terminal);
    if (approval != Approval::kGiven) {
      return ApprovalExit("approve", approval);
    }
  }
  const Status signed_plan = SignPlan(plan->changes.plan_id, flags.sign_key, out);
  if (!signed_plan) {
    return ReportError("approve", signed_plan.error());
  }
  WriteOut("Signed: " + out + "\nNext\n  keyturn apply " + name +
           " --journal rotation.journal \\\n    --approval-signature " + report::ShellWord(out) +
           " --allowed-signers approvers\n");
  return control::kExitCompliant;
}

int RunVerify(const VerifyFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  ProgressShow show(flags.run.progress, terminal);
  const auto done = engine.Verify(flags, MakeWatch(flags.run, show));
  show.Clear();
  return done ? EmitChanges("verify", *done, flags.format, terminal)
              : ReportError("verify", done.error());
}

int RunBackout(const BackoutFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  // The reason is the approval the control asks for; on a terminal the changes are shown as well.
  if (!flags.auto_approve && terminal.input_is_terminal) {
    const auto preview = engine.PreviewBackout(flags);
    if (!preview) {
      return ReportError("backout", preview.error());
    }
    const Approval approval =
        Approve("backout", *preview, "Take these changes back? Only 'yes' is accepted:", terminal);
    if (approval != Approval::kGiven) {
      return ApprovalExit("backout", approval);
    }
  }
  ProgressShow show(flags.run.progress, terminal);
  const auto done = engine.Backout(flags, MakeWatch(flags.run, show));
  show.Clear();
  return done ? EmitChanges("backout", *done, flags.format, terminal)
              : ReportError("backout", done.error());
}

}  // namespace keyturn::cli
