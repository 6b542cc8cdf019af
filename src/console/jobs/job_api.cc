#include "console/jobs/job_api.h"

#include <array>

#include "api/errors.h"
#include "base/uuid.h"
#include "console/jobs/job_request.h"
#include "json/json.h"
#include "server/form.h"
#include "service/access.h"

namespace keyturn::console {
namespace {

using control::ChangeOutcome;
using control::Phase;
using server::RequestState;

Error ConfirmFirst() {
  return {ErrorCode::kAccessDeniedException, "Confirm this with your secret access key first.", {}};
}

Error NoSuchJob() { return {ErrorCode::kNotFoundException, "There is no such job.", {}}; }

// OnWire: what a caller is told of an error of the book.
Error OnWire(const Error& error) {
  if (error.code == ErrorCode::kNotFound) return NoSuchJob();
  if (api::IsWireError(error.code)) return error;
  return {ErrorCode::kKMSInternalException, "The job's record cannot be written or read.",
          error.message};
}

void WriteSetting(std::string_view name, const control::RotationSetting& setting,
                  json::Writer& out) {
  out.Key(name).BeginObject().Key("Enabled").Bool(setting.enabled);
  if (setting.period_days) out.Key("PeriodInDays").Int(*setting.period_days);
  out.EndObject();
}

void WriteKeyName(const control::PlannedChange& change, json::Writer& out) {
  out.Key("Arn").String(change.arn).Key("Region").String(change.region);
  out.Key("KeyId").String(std::string_view(change.arn).substr(change.arn.rfind('/') + 1));
  out.Key("Aliases").BeginArray();
  for (const std::string& alias : change.aliases) out.String(alias);
  out.EndArray();
}

void WriteCounts(const JobCounts& counts, json::Writer& out) {
  out.Key("Counts").BeginObject();
  const std::pair<std::string_view, std::uint64_t> all[] = {
      {"Keys", counts.keys},        {"Done", counts.done},     {"Unchanged", counts.unchanged},
      {"Refused", counts.refused},  {"Failed", counts.failed}, {"Pending", counts.pending},
      {"Verified", counts.verified}};
  for (const auto& each : all) out.Key(each.first).Int(static_cast<std::int64_t>(each.second));
  out.EndObject();
}

std::string_view PhaseText(Phase phase) {
  return phase == Phase::kBackout ? "BACKOUT" : phase == Phase::kVerify ? "VERIFY" : "APPLY";
}

std::string_view OutcomeText(ChangeOutcome outcome) {
  constexpr std::array<std::string_view, 5> kNames = {"DONE", "UNCHANGED", "REFUSED", "FAILED",
                                                      "PENDING"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

void WriteLines(const JobProgress& progress, json::Writer& out) {
  out.Key("Lines").BeginArray();
  for (std::size_t i = 0; i < progress.keys().size(); ++i) {
    const KeyProgress& key = progress.keys()[i];
    if (!key.counts) continue;
    out.BeginObject();
    WriteKeyName(progress.changes()[i], out);
    WriteSetting("Before", key.before, out);
    WriteSetting("Wanted", key.wanted, out);
    out.Key("Outcome").String(OutcomeText(key.outcome));
    if (!key.detail.empty()) out.Key("Detail").String(key.detail);
    if (!key.request_id.empty()) out.Key("RequestId").String(key.request_id);
    if (key.seen) out.Key("Seen").Bool(*key.seen);
    if (!key.seen_detail.empty()) out.Key("SeenDetail").String(key.seen_detail);
    out.EndObject();
  }
  out.EndArray();
}

void WritePlan(const JobPlan& made, json::Writer& out) {
  out.Key("Changes").BeginArray();
  for (const control::PlannedChange& change : made.plan.changes) {
    out.BeginObject();
    WriteKeyName(change, out);
    WriteSetting("Before", change.before.rotation, out);
    WriteSetting("Wanted", change.wanted, out);
    out.EndObject();
  }
  out.EndArray().Key("LeftAlone").BeginArray();
  for (const JobPlan::LeftAlone& each : made.left_alone) {
    out.BeginObject().Key("Arn").String(each.key).Key("Reason").String(each.reason).EndObject();
  }
  out.EndArray();
}

// NoteJob puts the job into the trail's record of the request.
void NoteJob(RequestState& request, const std::string& id, const std::string& justification) {
  request.audit.read_only = false;
  json::Writer w(request.audit.additional_event_data);
  w.BeginObject().Key("jobId").String(id);
  if (!justification.empty()) w.Key("justification").String(justification);
  w.EndObject();
}

std::string_view BodyOf(const RequestState& request) { return request.exchange->request().body; }

}  // namespace

const JobApi::Action* JobApi::Find(std::string_view method, std::string_view path,
                                   std::string& id) {
  static constexpr std::array<Action, 6> kActions = {{
      {"GET", "", false, "ListRotationJobs", &JobApi::List},
      {"POST", "", false, "CreateRotationJob", &JobApi::Create},
      {"GET", "", true, "GetRotationJob", &JobApi::Show},
      {"POST", "cancel", true, "CancelRotationJob", &JobApi::Cancel},
      {"POST", "resume", true, "ResumeRotationJob", &JobApi::Resume},
      {"POST", "backout", true, "BackOutRotationJob", &JobApi::BackOut},
  }};
  std::string_view name;
  const bool of_one = path.starts_with("/");
  if (of_one) {
    path.remove_prefix(1);
    const std::size_t slash = std::min(path.find('/'), path.size());
    id = path.substr(0, slash);
    name = path.substr(std::min(slash + 1, path.size()));
    // "jobs/<id>/" is no request.
    if (!IsUuid(id) || (slash != path.size() && name.empty())) return nullptr;
  } else if (!path.empty()) {
    return nullptr;
  }
  for (const Action& each : kActions) {
    if (each.method == method && each.name == name && each.of_one == of_one) return &each;
  }
  return nullptr;
}

bool JobApi::MaySeeAll(const RequestState& request) const {
  const service::Environment& environment = service_.environment();
  const service::Call call{environment, request.caller, request.region, request.now,
                           environment.tables};
  return service::AuthorizeResource(call, "keyturn:LookupEvents", "*").has_value();
}

Result<Job> JobApi::Take(const RequestState& request, const std::string& id) const {
  auto job = book_.Find(id);
  if (!job || job->account != request.caller.account().text()) return Fail(NoSuchJob());
  if (job->owner() != request.caller.arn() && !MaySeeAll(request)) return Fail(NoSuchJob());
  return std::move(*job);
}

Result<Job> JobApi::TakeOwn(const RequestState& request, const std::string& id) const {
  KT_ASSIGN(Job job, Take(request, id));
  if (job.owner() != request.caller.arn()) {
    return Fail(ErrorCode::kAccessDeniedException, "Only who asked for the job may change it.");
  }
  return job;
}

void JobApi::WriteSummary(const RequestState& request, const Job& job, json::Writer& out) const {
  JobCounts counts = job.counts;
  std::string_view state = job.state == JobState::kFinished ? "FINISHED" : "CANCELLED";
  std::string reason;
  if (job.state == JobState::kOpen) {
    JobActivity activity = runner_.ActivityOf(job);
    if (activity.counts) counts = *activity.counts;
    state = activity.kind == JobActivity::Kind::kRunning   ? "RUNNING"
            : activity.kind == JobActivity::Kind::kWaiting ? "WAITING"
                                                           : "QUEUED";
    reason = std::move(activity.reason);
  }
  out.Key("JobId").String(job.id).Key("Created").EpochSeconds(job.created);
  out.Key("State").String(state);
  if (!reason.empty()) out.Key("Reason").String(reason);
  WriteSetting("Wanted", job.wanted, out);
  out.Key("Phase").String(PhaseText(job.step().phase)).Key("Owner").String(job.owner());
  out.Key("Mine").Bool(job.owner() == request.caller.arn());
  out.Key("Steps").BeginArray();
  for (const JobStep& step : job.steps) {
    out.BeginObject().Key("Phase").String(PhaseText(step.phase)).Key("By").String(step.by);
    if (!step.justification.empty()) out.Key("Justification").String(step.justification);
    out.Key("Asked").EpochSeconds(step.asked).EndObject();
  }
  out.EndArray();
  WriteCounts(counts, out);
}

Status JobApi::Create(RequestState& request, const SignIn& session, const std::string& /*id*/) {
  KT_ASSIGN(const JobRequest asked, ParseJobRequest(BodyOf(request)));
  if (!asked.dry_run && !asked.wanted.enabled && session.confirmed_until <= request.now) {
    return Fail(ConfirmFirst());
  }
  const JobPlan made = PlanJob(service_.environment(), request, asked);
  if (asked.dry_run) {
    json::Writer out(request.body);
    out.BeginObject();
    WritePlan(made, out);
    out.EndObject();
    return {};
  }
  if (made.plan.changes.empty()) {
    return Fail(ErrorCode::kValidationException, "None of the keys can be changed.");
  }
  Job job;
  job.id = NewUuid(service_.environment().random);
  job.account = request.caller.account().text();
  job.created = request.now;
  job.wanted = asked.wanted;
  job.steps.push_back({Phase::kApply, request.caller.arn(), asked.justification, request.now});
  job.counts.keys = job.counts.pending = made.plan.changes.size();
  NoteJob(request, job.id, asked.justification);
  if (const Status kept = book_.Create(job, made.plan, service_.environment().clock); !kept) {
    return Fail(OnWire(kept.error()));
  }
  runner_.Wake();
  json::Writer out(request.body);
  out.BeginObject();
  WriteSummary(request, job, out);
  WritePlan(made, out);
  out.EndObject();
  return {};
}

Status JobApi::List(RequestState& request, const SignIn& /*session*/, const std::string& /*id*/) {
  const bool all = MaySeeAll(request);
  json::Writer out(request.body);
  out.BeginObject().Key("Jobs").BeginArray();
  for (const Job& job : book_.List(std::string(request.caller.account().text()))) {
    if (!all && job.owner() != request.caller.arn()) continue;
    out.BeginObject();
    WriteSummary(request, job, out);
    out.EndObject();
  }
  out.EndArray().EndObject();
  return {};
}

Status JobApi::Show(RequestState& request, const SignIn& /*session*/, const std::string& id) {
  KT_ASSIGN(const Job job, Take(request, id));
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  json::Writer out(request.body);
  out.BeginObject();
  WriteSummary(request, job, out);
  if (query->Get("lines") != "false") {
    const auto progress = runner_.Progress(id);
    if (!progress) {
      request.body.clear();
      return Fail(OnWire(progress.error()));
    }
    WriteLines(*progress, out);
  }
  out.EndObject();
  return {};
}

Status JobApi::Cancel(RequestState& request, const SignIn& /*session*/, const std::string& id) {
  KT_TRY(TakeOwn(request, id));
  NoteJob(request, id, {});
  const auto changed = book_.Update(id, [](Job& job) -> Status {
    if (job.state != JobState::kOpen) {
      return Fail(ErrorCode::kConflictException, "The job has stopped already.");
    }
    job.state = JobState::kCancelled;
    return {};
  });
  if (!changed) return Fail(OnWire(changed.error()));
  runner_.Interrupt(id);
  json::Writer out(request.body);
  out.BeginObject();
  WriteSummary(request, *changed, out);
  out.EndObject();
  return {};
}

Status JobApi::TakeUp(RequestState& request, const SignIn& session, const std::string& id,
                      Phase phase, const std::string& justification) {
  NoteJob(request, id, justification);
  const auto changed = book_.Update(id, [&](Job& job) -> Status {
    // One that was cancelled may still be finishing its last calls: it goes on after them.
    if (job.state == JobState::kOpen && runner_.IsRunning(id)) {
      return Fail(ErrorCode::kConflictException, "The job is being worked on. Cancel it first.");
    }
    const bool back = phase == Phase::kBackout;
    if ((back || job.turns_off()) && session.confirmed_until <= request.now) {
      return Fail(ConfirmFirst());
    }
    if (back && job.state == JobState::kOpen && !job.backing_out()) {
      return Fail(ErrorCode::kConflictException, "The job is at work. Cancel it first.");
    }
    JobStep step = job.step();
    if (!justification.empty()) step.justification = justification;
    step.phase = back ? Phase::kBackout : step.phase;
    step.asked = request.now;
    // Who goes on with the same step has said it all.
    const bool same =
        step.phase == job.step().phase && step.justification == job.step().justification;
    if (!same && job.steps.size() >= kStepsMax) {
      return Fail(ErrorCode::kLimitExceededException, "The job has been taken up too often.");
    }
    if (same) {
      job.steps.back().asked = request.now;
    } else {
      job.steps.push_back(std::move(step));
    }
    job.state = JobState::kOpen;
    return {};
  });
  if (!changed) return Fail(OnWire(changed.error()));
  runner_.Interrupt(id);  // what kept it from going on is forgotten
  runner_.Wake();
  json::Writer out(request.body);
  out.BeginObject();
  WriteSummary(request, *changed, out);
  out.EndObject();
  return {};
}

Status JobApi::Resume(RequestState& request, const SignIn& session, const std::string& id) {
  KT_ASSIGN(const Job job, TakeOwn(request, id));
  return TakeUp(request, session, id, job.step().phase, {});
}

Status JobApi::BackOut(RequestState& request, const SignIn& session, const std::string& id) {
  KT_TRY(TakeOwn(request, id));
  KT_ASSIGN(const std::string justification, ParseJustification(BodyOf(request)));
  if (justification.empty()) {
    return Fail(ErrorCode::kValidationException,
                "Justification: say why taking the changes back is justified.");
  }
  return TakeUp(request, session, id, Phase::kBackout, justification);
}

}  // namespace keyturn::console
