// The control's commands over the control and client rooms.
#include "cli/control_engine.h"

#include <algorithm>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "client/credentials.h"
#include "client/kms_client.h"
#include "control/apply.h"
#include "control/audit.h"
#include "control/exceptions.h"
#include "control/journal.h"
#include "control/permissions.h"
#include "control/plan.h"
#include "crypto/random.h"
#include "http/client.h"

namespace keyturn::cli {
namespace {

// Connection: a client and what it needs to live.
struct Connection {
  client::Config config;
  std::unique_ptr<client::CredentialKeeper> keeper;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<client::KmsClient> kms;
};

// Purpose: a role that reads has a session that can do nothing else, whatever the role may do.
enum class Purpose { kRead, kChange };

Result<std::unique_ptr<Connection>> Connect(const CallerFlags& caller, Purpose purpose,
                                            const std::string& endpoint_url, double quota_share,
                                            const Clock& clock) {
  auto connection = std::make_unique<Connection>();
  client::ConfigFlags flags;
  flags.profile = caller.profile;
  flags.endpoint_url = endpoint_url;
  flags.role_arn = caller.role_arn;
  flags.external_id = caller.external_id;
  if (purpose == Purpose::kRead) {
    flags.session_policy = control::PolicyDocument(control::PolicyPurpose::kAudit);
  }
  const auto environment = client::ProcessEnvironment();
  const client::Outside outside{
      .open_http = [](const std::string& ca_bundle_file,
                      bool direct) -> Result<std::unique_ptr<http::Client>> {
        return http::Client::Create({.ca_bundle_file = ca_bundle_file, .direct = direct});
      },
      .clock = &clock};
  KT_ASSIGN(connection->config, client::LoadConfig(flags, environment, outside));
  connection->keeper =
      std::make_unique<client::CredentialKeeper>(flags, environment, outside, connection->config);
  KT_ASSIGN(connection->http,
            http::Client::Create({.ca_bundle_file = connection->config.ca_bundle_file}));
  client::KmsClientOptions options;
  options.endpoint_url = connection->config.endpoint_url;
  options.quota_share = quota_share;
  options.user_agent = "keyturn/" + std::string(ToolVersion());
  options.before_signing = [keeper = connection->keeper.get()] { keeper->Renew(); };
  KT_ASSIGN(connection->kms,
            client::KmsClient::Create(*connection->http, connection->config.credentials, clock,
                                      crypto::SystemRandom(), std::move(options)));
  return connection;
}

control::Monitor MonitorOf(const Watch& watch) {
  control::Monitor monitor;
  monitor.cancelled = watch.cancelled;
  if (watch.progress) {
    monitor.progress = [show = watch.progress](const control::Progress& progress) {
      show(control::ProgressText(progress));
    };
  }
  return monitor;
}

Result<control::ExceptionList> ExceptionsOf(const std::string& path) {
  if (path.empty()) return control::ExceptionList{};
  return control::ReadExceptions(path);
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
  report.reason = record.reason;
  report.started = record.started;
  report.finished = record.finished;
  report.notes = record.notes;
  for (const control::ChangeLine& line : record.lines) {
    report.lines.push_back({line.arn, line.region, control::SettingText(line.before),
                            control::SettingText(line.wanted), OutcomeOf(line.outcome), line.detail,
                            line.request_id});
  }
  return report;
}

PlanView ViewOf(const control::Plan& plan) {
  PlanView view;
  view.audit_incomplete = plan.audit_incomplete;
  view.changes.kind = report::ChangeKind::kPlan;
  view.changes.plan_id = plan.sha256;
  view.changes.notes = control::PlanNotes(plan);
  for (const control::PlannedChange& change : plan.changes) {
    view.changes.lines.push_back({change.arn,
                                  change.region,
                                  control::SettingText(change.before.rotation),
                                  control::SettingText(change.wanted),
                                  report::Outcome::kPending,
                                  change.reason,
                                  {}});
  }
  return view;
}

class Engine final : public ControlEngine {
 public:
  Result<control::AuditRun> Audit(const ConnectionFlags& connection, const PolicyFlags& policy,
                                  const Watch& watch) override {
    KT_ASSIGN(const auto exceptions, ExceptionsOf(policy.exceptions_path));
    KT_ASSIGN(const auto connected,
              Connect(connection.caller, Purpose::kRead, connection.endpoint_url,
                      connection.quota_share, clock_));
    return RunAudit(*connected, connection, policy, exceptions, watch);
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

  Result<PlanView> MakePlan(const PlanFlags& flags, const Watch& watch) override {
    KT_ASSIGN(const auto exceptions, ExceptionsOf(flags.policy.exceptions_path));
    KT_ASSIGN(const auto connected,
              Connect(flags.connection.caller, Purpose::kRead, flags.connection.endpoint_url,
                      flags.connection.quota_share, clock_));
    KT_ASSIGN(const auto run,
              RunAudit(*connected, flags.connection, flags.policy, exceptions, watch));
    control::PlanOptions options;
    options.endpoint_url = connected->config.endpoint_url;
    options.is_aws = connected->kms->is_aws();
    options.quota_share = flags.connection.quota_share;
    options.exceptions_sha256 = exceptions.sha256;
    KT_ASSIGN(const auto plan, control::MakePlan(run, options));
    KT_TRY(control::WritePlan(plan, flags.out));
    return ViewOf(plan);
  }

  Result<PlanView> ReadPlan(const std::string& path) override {
    KT_ASSIGN(const auto plan, control::ReadPlan(path));
    return ViewOf(plan);
  }

  Result<report::ChangeReport> Apply(const ApplyFlags& flags, const Watch& watch) override {
    if (!flags.resume) {
      KT_ASSIGN(const auto plan, control::ReadPlan(flags.plan));
      KT_TRY(control::CreateJournal(flags.journal, plan, clock_, ToolVersion()));
    }
    return Change(flags.journal, flags.caller, flags.quota_share, watch,
                  [](const control::Journal& journal, control::JournalSink& sink,
                     const control::ChangeContext& context) {
                    return control::Apply(journal, sink, context);
                  });
  }

  Result<report::ChangeReport> Verify(const VerifyFlags& flags, const Watch& watch) override {
    return Change(flags.journal, flags.caller, flags.quota_share, watch,
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
    return Change(flags.journal, flags.caller, flags.quota_share, watch,
                  [&flags](const control::Journal& journal, control::JournalSink& sink,
                           const control::ChangeContext& context) {
                    return control::Backout(journal, sink, flags.reason, context);
                  });
  }

 private:
  Result<control::AuditRun> RunAudit(Connection& connected, const ConnectionFlags& connection,
                                     const PolicyFlags& policy,
                                     const control::ExceptionList& exceptions, const Watch& watch) {
    control::AuditOptions options;
    options.regions = connection.regions;
    if (options.regions.empty() && !connected.config.region.empty()) {
      options.regions = {connected.config.region};
    }
    if (options.regions.empty()) {
      return Fail(ErrorCode::kUsage, "no region: give --region, or set AWS_REGION");
    }
    options.policy = {policy.max_period_days, policy.strict_disabled};
    options.endpoint = connected.config.endpoint_url;
    options.tool_version = ToolVersion();
    return control::RunAudit(*connected.kms, options, exceptions, clock_, crypto::SystemRandom(),
                             MonitorOf(watch));
  }

  // Change reads the journal, connects to the endpoint that it names, and runs one phase.
  template <typename PhaseFunction>
  Result<report::ChangeReport> Change(const std::string& path, const CallerFlags& caller,
                                      double quota_share, const Watch& watch, PhaseFunction phase) {
    KT_ASSIGN(const auto journal, control::ReadJournal(path));
    KT_ASSIGN(const auto sink, control::OpenJournal(journal));
    KT_ASSIGN(const auto connected,
              Connect(caller, Purpose::kChange, journal.header.endpoint_url, quota_share, clock_));
    const control::Monitor monitor = MonitorOf(watch);
    const control::ChangeContext context{*connected->kms, clock_, monitor};
    KT_ASSIGN(const auto record, phase(journal, *sink, context));
    return ReportOf(record);
  }

  SystemClock clock_;
};

}  // namespace

void AddControlCommands(CLI::App& app, Invocation& invocation) {
  AddControlCommandsWith([] { return std::make_shared<Engine>(); }, app, invocation);
}

}  // namespace keyturn::cli
