// JSON: the whole record, for programs. docs/formats/audit-json.md is the contract.
#include "json/json.h"

#include "base/check.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::CallFailure;
using control::KeyResult;
using json::Writer;

constexpr std::size_t kPieceBytes = 64 << 10;

// The Writer takes UTF-8 only; a value from an endpoint may be anything.
void Text(Writer& w, std::string_view name, std::string_view value) {
  w.Key(name).String(WellFormed(value));
}

// OptionalText: null when the endpoint did not say.
void OptionalText(Writer& w, std::string_view name, std::string_view value) {
  if (value.empty()) {
    w.Key(name).Null();
  } else {
    Text(w, name, value);
  }
}

void Time(Writer& w, std::string_view name, const std::optional<TimePoint>& value) {
  if (value) {
    w.Key(name).String(FormatIso8601Millis(*value));
  } else {
    w.Key(name).Null();
  }
}

void Count(Writer& w, std::string_view name, std::uint64_t value) {
  w.Key(name).Int(static_cast<std::int64_t>(value));
}

void Failure(Writer& w, std::string_view name, const control::Rare<CallFailure>& failure) {
  w.Key(name);
  if (!failure) {
    w.Null();
    return;
  }
  w.BeginObject();
  Text(w, "operation", failure->operation);
  Text(w, "code", failure->error_code);
  Text(w, "message", failure->message);
  OptionalText(w, "request_id", failure->request_id);
  w.EndObject();
}

void Rotation(Writer& w, const control::KeyFacts& facts) {
  w.Key("rotation");
  if (!facts.rotation) {
    w.Null();
  } else {
    w.BeginObject().Key("enabled").Bool(facts.rotation->enabled).Key("period_days");
    if (facts.rotation->period_days) {
      w.Int(*facts.rotation->period_days);
    } else {
      w.Null();
    }
    Time(w, "next_rotation_date", facts.rotation->next_rotation_date);
    Time(w, "on_demand_start_date", facts.rotation->on_demand_start_date);
    w.EndObject();
  }
  w.Key("last_rotation");
  if (!facts.last_rotation_date) {
    w.Null();
    return;
  }
  w.BeginObject();
  Time(w, "date", facts.last_rotation_date);
  OptionalText(w, "type", facts.last_rotation_type);
  w.EndObject();
}

void Tags(Writer& w, const control::KeyFacts& facts) {
  w.Key("tags").BeginArray();
  for (const auto& tag : facts.tags) {
    w.BeginObject();
    Text(w, "key", tag.first);
    Text(w, "value", tag.second);
    w.EndObject();
  }
  w.EndArray();
  Failure(w, "tags_failure", facts.tags_failure);
}

// PolicyFacts: what a policy asked for beside; written where it is so.
void PolicyFacts(Writer& w, const control::KeyFacts& facts) {
  if (facts.aliases_unknown) w.Key("aliases_unknown").Bool(true);
  if (facts.rotations_read) w.Key("rotations_read").Bool(true);
  if (facts.rotations_failure) Failure(w, "rotations_failure", facts.rotations_failure);
}

void Key(Writer& w, const KeyResult& key, const AuditRun& run) {
  const auto& facts = key.facts;
  const auto& judgement = key.judgement;
  w.BeginObject();
  Text(w, "arn", facts.arn);
  w.Key("verdict").String(control::VerdictName(judgement.verdict));
  Text(w, "reason", judgement.reason);
  w.Key("raw_verdict").String(control::VerdictName(judgement.raw_verdict));
  w.Key("row").Int(judgement.row).Key("remediable").Bool(judgement.remediable);
  w.Key("follows_primary").Bool(judgement.follows_primary);
  OptionalText(w, "remediation", RemediationCommand(key, run));
  OptionalText(w, "exception_id", judgement.exception_id);
  Text(w, "key_id", facts.key_id);
  Text(w, "endpoint", control::EndpointName(facts.endpoint_url));
  OptionalText(w, "account", facts.account);
  Text(w, "region", facts.region);
  w.Key("aliases").BeginArray();
  for (const auto& alias : facts.aliases) {
    w.String(WellFormed(alias));
  }
  w.EndArray();
  OptionalText(w, "description", facts.description);
  OptionalText(w, "key_manager", facts.key_manager);
  OptionalText(w, "key_spec", facts.key_spec);
  OptionalText(w, "key_usage", facts.key_usage);
  OptionalText(w, "origin", facts.origin);
  OptionalText(w, "key_state", facts.key_state);
  Time(w, "creation_date", facts.creation_date);
  Time(w, "deletion_date", facts.deletion_date);
  w.Key("multi_region").Bool(facts.multi_region);
  OptionalText(w, "multi_region_type", facts.multi_region_type);
  OptionalText(w, "primary_arn", facts.primary_arn);
  OptionalText(w, "primary_region", facts.primary_region);
  w.Key("replica_arns").BeginArray();
  for (const auto& arn : facts.replica_arns) w.String(WellFormed(arn));
  w.EndArray();
  Rotation(w, facts);
  Failure(w, "describe_failure", facts.describe_failure);
  Failure(w, "rotation_failure", facts.rotation_failure);
  Tags(w, facts);
  PolicyFacts(w, facts);
  w.EndObject();
}

void VerdictMap(Writer& w, const VerdictCounts& counts) {
  w.Key("by_verdict").BeginObject();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    Count(w, control::VerdictName(static_cast<control::Verdict>(i)), counts[i]);
  }
  w.EndObject();
}

void WriteTotals(Writer& w, const control::Totals& totals) {
  VerdictCounts counts{};
  for (const auto& [verdict, count] : totals.by_verdict) {
    counts[static_cast<std::size_t>(verdict)] = count;
  }
  w.Key("totals").BeginObject();
  Count(w, "listed", totals.listed);
  Count(w, "followers", totals.followers);
  VerdictMap(w, counts);
  w.Key("compliance_percent");
  if (totals.compliance_percent) {
    w.Double(*totals.compliance_percent);
  } else {
    w.Null();
  }
  w.EndObject();
}

void Policy(Writer& w, const AuditRun& run) {
  w.Key("policy").BeginObject().Key("max_period_days").Int(run.max_period_days);
  w.Key("strict_disabled").Bool(run.strict_disabled);
  if (!run.policy.sha256.empty()) {
    Text(w, "sha256", run.policy.sha256);
    OptionalText(w, "name", run.policy.name);
    w.Key("rules").BeginArray();
    for (const auto& rule : run.policy.rules) w.String(WellFormed(rule));
    w.EndArray();
  }
  w.EndObject();
}

void AlsoJudged(Writer& w, const AuditRun& run) {
  if (run.also_judged.empty()) return;
  w.Key("also_judged").BeginArray();
  for (const auto& result : run.also_judged) {
    w.BeginObject().Key("max_period_days").Int(result.max_period_days);
    WriteTotals(w, result.totals);
    w.EndObject();
  }
  w.EndArray();
}

void Regions(Writer& w, const AuditRun& run) {
  w.Key("regions").BeginArray();
  for (const auto& group : GroupByRegion(run)) {
    if (group.region == nullptr) {
      continue;
    }
    w.BeginObject();
    Text(w, "endpoint", control::EndpointName(group.endpoint_url));
    OptionalText(w, "account", group.account);
    Text(w, "region", group.name);
    w.Key("status").String(control::RegionStatusName(group.region->status));
    w.Key("gap").Bool(group.region->IsGap());
    OptionalText(w, "detail", group.region->detail);
    Count(w, "listed", group.region->keys_listed);
    VerdictMap(w, group.counts);
    w.EndObject();
  }
  w.EndArray();
}

void CallsAndNotes(Writer& w, const AuditRun& run) {
  w.Key("exception_notes").BeginArray();
  for (const auto& note : run.exception_notes) {
    w.BeginObject();
    Text(w, "id", note.id);
    Text(w, "problem", note.problem);
    w.EndObject();
  }
  w.EndArray().Key("notes").BeginArray();
  for (const auto& note : run.notes) w.String(WellFormed(note));
  w.EndArray().Key("calls").BeginObject();
  for (const auto& [operation, count] : run.calls) {
    w.Key(operation).BeginObject();
    Count(w, "calls", count.calls);
    Count(w, "throttled", count.throttled);
    Count(w, "failed", count.failed);
    w.EndObject();
  }
  w.EndObject();
}

}  // namespace

Status WriteJson(const AuditRun& run, const TextSink& sink) {
  std::string out;  // what is not handed on yet; the writer only appends
  const auto hand_on = [&out, &sink](std::size_t enough) -> Status {
    if (out.size() < enough) return {};
    Status taken = sink(out);
    out.clear();
    return taken;
  };
  Writer w(out, Writer::Style::kPretty);
  w.BeginObject();
  Text(w, "format", "keyturn.audit.v1");
  Text(w, "tool_version", run.tool_version);
  Text(w, "run_id", run.run_id);
  Time(w, "started", run.started);
  Time(w, "finished", run.finished);
  Text(w, "endpoint", run.endpoint);
  Policy(w, run);
  w.Key("compliant").Bool(AnswerOf(run) == Answer::kCompliant);
  w.Key("incomplete").Bool(run.incomplete()).Key("cancelled").Bool(run.cancelled);
  w.Key("exit_code").Int(control::AuditExitCode(run));
  WriteTotals(w, run.totals);
  AlsoJudged(w, run);
  Regions(w, run);
  w.Key("keys").BeginArray();
  for (const auto& key : run.keys) {
    Key(w, key, run);
    KT_TRY(hand_on(kPieceBytes));
  }
  w.EndArray();
  CallsAndNotes(w, run);
  w.EndObject();
  out += '\n';
  return hand_on(0);
}

std::string RenderJson(const AuditRun& run) {
  std::string text;
  const Status all = WriteJson(run, [&text](std::string_view piece) -> Status {
    text += piece;
    return {};
  });
  KT_CHECK(all.has_value());  // the sink takes everything
  return text;
}

std::string RenderChangesJson(const ChangeReport& report) {
  std::string out;
  Writer w(out, Writer::Style::kPretty);
  w.BeginObject();
  Text(w, "format", "keyturn.changes.v1");
  w.Key("kind").String(ChangeKindName(report.kind));
  Text(w, "journal", report.journal);
  OptionalText(w, "plan_id", report.plan_id);
  OptionalText(w, "approval", report.approval);
  OptionalText(w, "reason", report.reason);
  Time(w, "started", report.started);
  Time(w, "finished", report.finished);
  w.Key("totals").BeginObject();
  for (const Outcome outcome : kOutcomes) {
    Count(w, OutcomeName(outcome), CountOutcome(report, outcome));
  }
  w.EndObject();
  Count(w, "held_back", report.held_back);
  w.Key("keys").BeginArray();
  for (const auto& line : report.lines) {
    w.BeginObject();
    Text(w, "arn", line.arn);
    w.Key("outcome").String(OutcomeName(line.outcome));
    OptionalText(w, "detail", line.detail);
    Text(w, "endpoint", line.endpoint);
    OptionalText(w, "account", line.account);
    Text(w, "region", line.region);
    OptionalText(w, "before", line.before);
    OptionalText(w, "after", line.after);
    OptionalText(w, "request_id", line.request_id);
    w.EndObject();
  }
  w.EndArray().Key("notes").BeginArray();
  for (const auto& note : report.notes) {
    w.String(WellFormed(note));
  }
  w.EndArray().EndObject();
  out += '\n';
  return out;
}

}  // namespace keyturn::report
