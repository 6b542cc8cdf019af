// The control's commands over the control and client rooms.
#include "cli/control_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/uuid.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/recording.h"
#include "cli/terminal.h"
#include "client/credentials.h"
#include "control/apply.h"
#include "control/audit.h"
#include "control/exceptions.h"
#include "control/fleet.h"
#include "control/journal.h"
#include "control/permissions.h"
#include "control/plan.h"
#include "control/policy_check.h"
#include "control/policy_file.h"
#include "control/targets_file.h"
#include "crypto/random.h"
#include "http/client.h"

namespace keyturn::cli {
namespace {

// An endpoint that does not answer is what preflight is to find.
constexpr int kPreflightAttempts = 2;

client::Outside OutsideOf(const Clock& clock) {
  return {.open_http = [](const std::string& ca_bundle_file,
                          bool direct) -> Result<std::unique_ptr<http::Client>> {
            return http::Client::Create({.ca_bundle_file = ca_bundle_file, .direct = direct});
          },
          .clock = &clock};
}

Result<std::unique_ptr<control::Fleet>> MakeFleet(std::vector<control::FleetEntry> entries,
                                                  control::SessionPurpose purpose,
                                                  double quota_share, bool identify,
                                                  const Clock& clock, int attempts_max = 8) {
  control::FleetOptions options;
  options.attempts_max = attempts_max;
  options.quota_share = quota_share;
  options.identify = identify;
  options.user_agent = "keyturn/" + std::string(ToolVersion());
  options.session_policy = control::SessionPolicy(purpose);
  return control::Fleet::Create(std::move(entries), std::move(options),
                                client::ProcessEnvironment(), OutsideOf(clock),
                                crypto::SystemRandom());
}

// BaseEntries: one for each set of credentials of the flags.
std::vector<control::FleetEntry> BaseEntries(const CallerFlags& caller,
                                             const std::string& endpoint_url) {
  std::vector<std::string> profiles = caller.profiles;
  if (profiles.empty()) profiles.emplace_back();
  std::vector<control::FleetEntry> entries;
  for (const std::string& profile : profiles) {
    control::FleetEntry& entry = entries.emplace_back();
    entry.place = profile.empty() ? "the credentials found" : "profile " + profile;
    if (!endpoint_url.empty()) entry.place += " at " + endpoint_url;
    entry.flags.profile = profile;
    entry.flags.endpoint_url = endpoint_url;
    entry.flags.ca_bundle_file = caller.ca_bundle;
    entry.flags.role_arn = caller.role_arn;
    entry.role_name = caller.role_name;
    (caller.role_arn.empty() ? entry.role_external_id : entry.flags.external_id) =
        caller.external_id;
  }
  return entries;
}

Result<std::vector<control::FleetEntry>> EntriesOf(const ConnectionFlags& connection) {
  if (!connection.caller.targets_path.empty()) {
    return control::ReadTargetsFile(connection.caller.targets_path);
  }
  auto entries = BaseEntries(connection.caller, connection.endpoint_url);
  for (control::FleetEntry& entry : entries) {
    entry.regions = connection.regions;
    entry.accounts = connection.accounts;
    entry.organization = connection.organization;
  }
  return entries;
}

// EntriesFor: those of the flags, on the endpoints that the changes name.
Result<std::vector<control::FleetEntry>> EntriesFor(
    const CallerFlags& caller, const std::vector<control::PlannedChange>& changes) {
  std::set<std::string> endpoints;
  for (const control::PlannedChange& change : changes) endpoints.insert(change.endpoint_url);
  std::vector<control::FleetEntry> entries;
  if (caller.targets_path.empty()) {
    for (const std::string& endpoint : endpoints) {
      for (control::FleetEntry& entry : BaseEntries(caller, endpoint)) {
        entry.flags.only_endpoint_url = true;
        entries.push_back(std::move(entry));
      }
    }
    return entries;
  }
  KT_ASSIGN(auto all, control::ReadTargetsFile(caller.targets_path));
  for (control::FleetEntry& entry : all) {
    if (endpoints.contains(entry.flags.endpoint_url)) entries.push_back(std::move(entry));
  }
  return entries;
}

// CheckPolicy: a plan that is to follow a policy must have been made under it, as it is now.
Status CheckPolicy(const control::Plan& plan, const ApplyFlags& flags) {
  if (flags.policy_path.empty()) return {};
  KT_ASSIGN(const auto policy, control::ReadPolicyFile(flags.policy_path));
  if (plan.policy_sha256 == policy.sha256) return {};
  return Fail(ErrorCode::kUsage,
              flags.plan + ": was made under " +
                  (plan.policy_sha256.empty() ? "no policy file"
                                              : "the policy with SHA-256 " + plan.policy_sha256) +
                  ", and " + flags.policy_path + " has " + policy.sha256 + "; make a new plan");
}

control::Monitor MonitorOf(const Watch& watch) {
  control::Monitor monitor;
  monitor.cancelled = watch.cancelled;
  monitor.deadline = watch.deadline;
  monitor.progress = watch.progress;
  return monitor;
}

// Judging: what verdicts are judged by, as the flags or their files say.
struct Judging {
  std::optional<control::PolicyFile> file;
  control::AuditOptions options;  // what the policy says of them
  control::ExceptionList exceptions;
};

Result<Judging> JudgingOf(const PolicyFlags& flags) {
  Judging judging;
  std::string exceptions_path = flags.exceptions_path;
  judging.options.policy.max_period_days = flags.max_period_days;
  judging.options.policy.strict_disabled = flags.strict_disabled;
  if (!flags.policy_path.empty()) {
    KT_ASSIGN(judging.file, control::ReadPolicyFile(flags.policy_path));
    judging.file->Fill(judging.options);
    if (exceptions_path.empty()) exceptions_path = judging.file->exceptions_path;
  }
  if (!exceptions_path.empty()) {
    KT_ASSIGN(judging.exceptions, control::ReadExceptions(exceptions_path));
  }
  return judging;
}

// SayExpired: an exception that has expired protects nothing any more, which its file does not
// show.
void SayExpired(const control::ExceptionList& exceptions, TimePoint now) {
  for (const auto& finding : control::ExpiredExceptions(exceptions, now)) {
    PrintError(fmt::format("{}:{}", finding.place, finding.line),
               fmt::format("exception {} {}", finding.id, finding.text));
  }
}

report::Outcome OutcomeOf(control::ChangeOutcome outcome) {
  switch (outcome) {
    case control::ChangeOutcome::kDone:
      return report::Outcome::kDone;
    case control::ChangeOutcome::kUnchanged:
      return report::Outcome::kUnchanged;
    case control::ChangeOutcome::kRefused:
      return report::Outcome::kRefused;
    case control::ChangeOutcome::kFailed:
      return report::Outcome::kFailed;
    case control::ChangeOutcome::kPending:
      return report::Outcome::kPending;
  }
  return report::Outcome::kFailed;
}

report::ChangeKind KindOf(control::Phase phase) {
  switch (phase) {
    case control::Phase::kApply:
      return report::ChangeKind::kApply;
    case control::Phase::kVerify:
      return report::ChangeKind::kVerify;
    case control::Phase::kBackout:
      return report::ChangeKind::kBackout;
  }
  return report::ChangeKind::kApply;
}

report::ChangeReport ReportOf(const control::ChangeRecord& record) {
  report::ChangeReport report;
  report.kind = KindOf(record.phase);
  report.journal = record.journal;
  report.plan_id = record.plan_sha256;
  report.approval = record.approval;
  report.reason = record.reason;
  report.started = record.started;
  report.finished = record.finished;
  report.notes = record.notes;
  report.held_back = record.held_back;
  for (const control::ChangeLine& line : record.lines) {
    report.lines.push_back({line.arn, line.region, control::SettingText(line.before),
                            control::SettingText(line.wanted), OutcomeOf(line.outcome), line.detail,
                            line.request_id, line.account,
                            control::EndpointName(line.endpoint_url)});
  }
  return report;
}

std::string ReasonOf(const control::PlannedChange& change) {
  return change.owner ? change.reason + "; belongs to " + control::OwnerText(*change.owner)
                      : change.reason;
}

PlanView ViewOf(const control::Plan& plan) {
  PlanView view;
  view.audit_incomplete = plan.audit_incomplete;
  view.changes.kind = report::ChangeKind::kPlan;
  view.changes.incomplete = plan.audit_incomplete;
  view.changes.plan_id = plan.sha256;
  view.changes.notes = control::PlanNotes(plan);
  for (const control::PlannedChange& change : plan.changes) {
    view.changes.lines.push_back({change.arn,
                                  change.region,
                                  control::SettingText(change.before.rotation),
                                  control::SettingText(change.wanted),
                                  report::Outcome::kPending,
                                  ReasonOf(change),
                                  {},
                                  change.account,
                                  control::EndpointName(change.endpoint_url)});
  }
  return view;
}

class Engine final : public ControlEngine {
 public:
  Result<control::AuditRun> Audit(const ConnectionFlags& connection, const PolicyFlags& policy,
                                  const std::string& state_path, const RecordFlags& record,
                                  const Watch& watch) override {
    KT_ASSIGN(Judging judging, JudgingOf(policy));
    judging.options.read_tags = policy.read_tags;
    if (record.directory.empty()) {
      return RunAudit(connection, judging, state_path, nullptr, watch);
    }
    const std::string run_id = NewUuid(crypto::SystemRandom());
    KT_ASSIGN(auto recording,
              Recording::Start(record, run_id, "audit", ArgumentsOf(connection, policy), clock_));
    auto run = RunAudit(connection, judging, state_path, &recording.recorder(), watch);
    if (run) {
      KT_TRY(recording.FinishAudit(*run, judging.exceptions, judging.file));
    } else {
      recording.recorder().DiscardUnused();
    }
    return run;
  }

  Result<std::optional<control::PolicyFile>> PolicyOf(const PolicyFlags& policy) override {
    if (policy.policy_path.empty()) return std::optional<control::PolicyFile>();
    KT_ASSIGN(auto file, control::ReadPolicyFile(policy.policy_path));
    return std::optional<control::PolicyFile>(std::move(file));
  }

  Result<std::string> ExceptionsPathOf(const PolicyFlags& policy) override {
    if (policy.policy_path.empty() || !policy.exceptions_path.empty()) {
      return policy.exceptions_path;
    }
    KT_ASSIGN(const auto file, control::ReadPolicyFile(policy.policy_path));
    return file.exceptions_path;
  }

  Result<std::vector<report::ExceptionEntry>> ReadExceptions(const std::string& path) override {
    KT_ASSIGN(const auto list, control::ReadExceptions(path));
    std::vector<report::ExceptionEntry> entries;
    for (const control::Exception& each : list.entries) {
      entries.push_back({each.id, control::DescribeMatch(each.match), each.owner, each.approver,
                         each.ticket, each.reason, each.expires});
    }
    return entries;
  }

  Result<std::vector<report::ChangeReport>> ReadJournal(const std::string& path) override {
    KT_ASSIGN(const auto journal, control::ReadJournal(path));
    std::vector<report::ChangeReport> reports;
    for (const control::ChangeRecord& record : control::RecordsOf(journal)) {
      reports.push_back(ReportOf(record));
    }
    return reports;
  }

  Result<control::PreflightRun> Preflight(const PreflightFlags& flags,
                                          const Watch& watch) override {
    const auto wants = [&flags](std::string_view phase) {
      return flags.phases.empty() ||
             std::find(flags.phases.begin(), flags.phases.end(), phase) != flags.phases.end();
    };
    control::PreflightOptions options;
    options.tool_version = ToolVersion();
    options.apply = wants("apply");
    options.backout = wants("backout");
    options.try_writes = !flags.no_write_trial;
    KT_ASSIGN(auto entries, EntriesOf(flags.connection));
    KT_ASSIGN(const auto fleet,
              MakeFleet(std::move(entries), control::SessionPurpose::kPreflight,
                        flags.connection.run.quota_share, true, clock_, kPreflightAttempts));
    const auto targets = fleet->Targets();
    if (!targets) {
      if (!flags.connection.organization) return tl::unexpected(targets.error());
      return control::OrganizationRefused(targets.error(), options, clock_.Now());
    }
    return control::RunPreflight(*fleet, *targets, options, clock_, MonitorOf(watch));
  }

  Result<PlanView> MakePlan(const PlanFlags& flags, const Watch& watch) override {
    KT_ASSIGN(Judging judging, JudgingOf(flags.policy));
    judging.options.read_tags = true;
    KT_ASSIGN(const auto run, RunAudit(flags.connection, judging, {}, nullptr, watch));
    control::PlanOptions options;
    options.quota_share = flags.connection.run.quota_share;
    options.exceptions_sha256 = judging.exceptions.sha256;
    options.allow_iac_managed = flags.allow_iac_managed;
    KT_ASSIGN(const auto plan, control::MakePlan(run, options));
    KT_TRY(control::WritePlan(plan, flags.out));
    PlanView view = ViewOf(plan);
    const auto unscanned = control::UnscannedNotes(run);
    view.changes.notes.insert(view.changes.notes.begin(), unscanned.begin(), unscanned.end());
    return view;
  }

  Status PlanFor(const control::AuditRun& run, const PlanFlags& flags,
                 const std::set<std::string>& arns) override {
    KT_ASSIGN(const Judging judging, JudgingOf(flags.policy));
    control::PlanOptions options;
    options.quota_share = flags.connection.run.quota_share;
    options.exceptions_sha256 = judging.exceptions.sha256;
    options.only = arns;
    KT_ASSIGN(const auto plan, control::MakePlan(run, options));
    return control::WritePlan(plan, flags.out);
  }

  Result<PlanView> ReadPlan(const std::string& path) override {
    KT_ASSIGN(const auto plan, control::ReadPlan(path));
    return ViewOf(plan);
  }

  Result<report::ChangeReport> Apply(const ApplyFlags& flags, const Watch& watch) override {
    std::unique_ptr<control::Fleet> fleet;
    std::optional<control::Plan> plan;
    control::Approval approval;
    if (!flags.resume) {
      // The journal is made once it is known that every change can be called.
      KT_ASSIGN(plan, control::ReadPlan(flags.plan));
      KT_TRY(CheckPolicy(*plan, flags));
      KT_ASSIGN(approval, Approve(flags, *plan));
      KT_ASSIGN(fleet, Reach(flags, plan->changes, control::SessionPurpose::kApply));
    }
    KT_ASSIGN(const auto recording, RecordingOf(flags, "apply"));
    if (plan) {
      const auto made =
          control::CreateJournal(flags.journal, *plan, clock_, ToolVersion(), approval);
      if (!made) {
        if (recording) recording->recorder().DiscardUnused();
        return tl::unexpected(made.error());
      }
    }
    return Change(
        flags, control::SessionPurpose::kApply, std::move(fleet), recording.get(), watch,
        [&flags](const control::Journal& journal, control::JournalSink& sink,
                 const control::ChangeContext& context) {
          return control::Apply(journal, sink, context, {flags.first, flags.max_failure_percent});
        });
  }

  Result<report::ChangeReport> Verify(const VerifyFlags& flags, const Watch& watch) override {
    KT_ASSIGN(const auto recording, RecordingOf(flags, "verify"));
    return Change(flags, control::SessionPurpose::kVerify, nullptr, recording.get(), watch,
                  [](const control::Journal& journal, control::JournalSink& sink,
                     const control::ChangeContext& context) {
                    return control::Verify(journal, sink, context);
                  });
  }

  Result<PlanView> PreviewBackout(const BackoutFlags& flags) override {
    KT_ASSIGN(const auto journal, control::ReadJournal(flags.journal));
    return PlanView{ReportOf(control::PreviewBackout(journal)), false};
  }

  Result<report::ChangeReport> Backout(const BackoutFlags& flags, const Watch& watch) override {
    KT_ASSIGN(const auto recording, RecordingOf(flags, "backout"));
    return Change(flags, control::SessionPurpose::kBackout, nullptr, recording.get(), watch,
                  [&flags](const control::Journal& journal, control::JournalSink& sink,
                           const control::ChangeContext& context) {
                    return control::Backout(journal, sink, flags.reason, context);
                  });
  }

 private:
  // Approve: how the plan that is about to be applied was approved.
  Result<control::Approval> Approve(const ApplyFlags& flags, const control::Plan& plan) const {
    if (!flags.shown_sha256.empty() && plan.sha256 != flags.shown_sha256) {
      return Fail(ErrorCode::kUsage,
                  flags.plan + ": was replaced by another plan meanwhile; nothing was changed");
    }
    if (!flags.approve.empty()) {
      KT_TRY(control::CheckApprovedHash(plan, flags.approve));
    }
    if (!flags.approval_signature.empty()) {
      return control::ApprovalOf(plan, flags.approval_signature, flags.allowed_signers,
                                 clock_.Now());
    }
    control::Approval approval;
    approval.how = !flags.approve.empty() ? "hash"
                   : flags.auto_approve   ? "auto-approve"
                                          : "confirmed";
    return approval;
  }

  // RecordingOf: null when nothing is to be recorded.
  template <typename Flags>
  Result<std::unique_ptr<Recording>> RecordingOf(const Flags& flags, const char* command) {
    if (flags.record.directory.empty()) return std::unique_ptr<Recording>();
    Recording::Arguments arguments = {{"journal", flags.journal}};
    if constexpr (requires { flags.reason; }) arguments.emplace_back("reason", flags.reason);
    KT_ASSIGN(auto recording, Recording::Start(flags.record, NewUuid(crypto::SystemRandom()),
                                               command, std::move(arguments), clock_));
    return std::make_unique<Recording>(std::move(recording));
  }

  Result<control::AuditRun> RunAudit(const ConnectionFlags& connection, const Judging& judging,
                                     const std::string& state_path,
                                     control::EvidenceRecorder* recorder, const Watch& watch) {
    control::AuditOptions options = judging.options;
    const control::ExceptionList& exceptions = judging.exceptions;
    SayExpired(exceptions, clock_.Now());
    options.tool_version = ToolVersion();
    options.cache_path = connection.cache_path;
    options.state_path = state_path;
    KT_ASSIGN(auto entries, EntriesOf(connection));
    KT_ASSIGN(const auto fleet, MakeFleet(std::move(entries), control::SessionPurpose::kAudit,
                                          connection.run.quota_share, recorder != nullptr, clock_));
    KT_ASSIGN(const auto targets, fleet->Targets());
    if (recorder != nullptr) {
      options.run_id = recorder->run_id();
      for (const control::Target& target : targets) recorder->AddTarget(target);
      control::RecordingAccess access(*fleet, *recorder);
      return control::RunAudit(access, targets, options, exceptions, clock_, crypto::SystemRandom(),
                               MonitorOf(watch));
    }
    return control::RunAudit(*fleet, targets, options, exceptions, clock_, crypto::SystemRandom(),
                             MonitorOf(watch));
  }

  // Reach finds the credentials for changes.
  template <typename Flags>
  Result<std::unique_ptr<control::Fleet>> Reach(const Flags& flags,
                                                const std::vector<control::PlannedChange>& changes,
                                                control::SessionPurpose purpose) {
    KT_ASSIGN(auto entries, EntriesFor(flags.caller, changes));
    KT_ASSIGN(auto fleet, MakeFleet(std::move(entries), purpose, flags.run.quota_share,
                                    !flags.record.directory.empty(), clock_));
    KT_TRY(fleet->CheckChanges(changes));
    return fleet;
  }

  // Change reads the journal and runs one phase on the accounts that it names; fleet may be null.
  template <typename Flags, typename PhaseFunction>
  Result<report::ChangeReport> Change(const Flags& flags, control::SessionPurpose purpose,
                                      std::unique_ptr<control::Fleet> fleet, Recording* recording,
                                      const Watch& watch, PhaseFunction phase) {
    KT_ASSIGN(const auto journal, control::ReadJournal(flags.journal));
    if (!fleet) {
      KT_ASSIGN(fleet, Reach(flags, journal.changes, purpose));
    }
    KT_ASSIGN(const auto sink, control::OpenJournal(journal));
    const control::Monitor monitor = MonitorOf(watch);
    if (recording == nullptr) {
      const control::ChangeContext context{*fleet, clock_, monitor};
      KT_ASSIGN(const auto record, phase(journal, *sink, context));
      return ReportOf(record);
    }
    control::RecordingAccess access(*fleet, recording->recorder());
    const control::ChangeContext context{access, clock_, monitor};
    KT_ASSIGN(const auto record, phase(journal, *sink, context));
    report::ChangeReport report = ReportOf(record);
    const bool stopped = CountOutcome(report, report::Outcome::kPending) > 0;
    if (const Status done = recording->FinishChange(flags.journal, stopped); !done) {
      return Fail(done.error().code,
                  done.error().message + "; what was changed is in " + flags.journal);
    }
    return report;
  }

  SystemClock clock_;
};

}  // namespace

void AddControlCommands(CLI::App& app, Invocation& invocation) {
  const MakeEngine engine = [] { return std::make_shared<Engine>(); };
  AddControlCommandsWith(engine, app, invocation);
  AddRecordedCommandsWith(engine, app, invocation);
  AddWatchCommandWith(engine, app, invocation);
}

}  // namespace keyturn::cli
