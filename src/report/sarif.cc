// SARIF 2.1.0: a result a key, for code scanning and for tools that collect findings.
// Source: OASIS SARIF 2.1.0, sections 3.27 (result: kind, level, suppressions) and 3.33 (logical
// locations). A result whose kind is not "fail" has the level "none".
#include "json/json.h"
#include "report/control_text.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;
using control::Verdict;
using json::Writer;

constexpr std::string_view kRuleId = "kms-key-rotation";

void Text(Writer& w, std::string_view name, std::string_view value) {
  w.Key(name).String(WellFormed(value));
}

std::string_view KindOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
    case Verdict::kFailPeriod:
    case Verdict::kExcepted:
      return "fail";
    case Verdict::kUnknown:
      return "open";
    case Verdict::kNotApplicable:
      return "notApplicable";
    case Verdict::kSkipped:
    case Verdict::kGone:
      return "informational";
  }
  return "open";
}

void AppendRule(Writer& w) {
  w.BeginObject();
  Text(w, "id", kRuleId);
  Text(w, "name", "KmsKeyRotation");
  w.Key("shortDescription").BeginObject();
  Text(w, "text", kControlTitle);
  w.EndObject().Key("defaultConfiguration").BeginObject();
  Text(w, "level", "error");
  w.EndObject().EndObject();
}

void AppendSuppression(Writer& w, const KeyResult& key) {
  w.Key("suppressions").BeginArray().BeginObject();
  Text(w, "kind", "external");
  Text(w, "status", "accepted");
  Text(w, "justification", "exception " + key.judgement.exception_id);
  w.EndObject().EndArray();
}

void AppendResult(Writer& w, const KeyResult& key, const AuditRun& run) {
  const auto& facts = key.facts;
  const std::string_view kind = KindOf(key.judgement.verdict);
  const std::string fix = RemediationCommand(key, run);
  w.BeginObject();
  Text(w, "ruleId", kRuleId);
  w.Key("ruleIndex").Int(0);
  Text(w, "kind", kind);
  Text(w, "level", kind == "fail" ? "error" : "none");
  w.Key("message").BeginObject();
  Text(w, "text", key.judgement.reason + (fix.empty() ? "" : " Fix: " + fix));
  w.EndObject().Key("locations").BeginArray().BeginObject();
  w.Key("logicalLocations").BeginArray().BeginObject();
  Text(w, "name", facts.aliases.empty() ? facts.key_id : facts.aliases.front());
  Text(w, "fullyQualifiedName", facts.arn);
  Text(w, "kind", "resource");
  w.EndObject().EndArray().EndObject().EndArray();
  w.Key("partialFingerprints").BeginObject();
  Text(w, "keyArn/v1", facts.arn);
  w.EndObject();
  if (key.judgement.verdict == Verdict::kExcepted) AppendSuppression(w, key);
  w.Key("properties").BeginObject();
  Text(w, "verdict", control::VerdictName(key.judgement.verdict));
  Text(w, "account", facts.account);
  Text(w, "region", facts.region);
  w.EndObject().EndObject();
}

// AppendInvocation: what was not seen is a notification, so that silence is no success.
void AppendInvocation(Writer& w, const AuditRun& run) {
  w.Key("invocations").BeginArray().BeginObject();
  w.Key("executionSuccessful").Bool(!run.incomplete());
  Text(w, "startTimeUtc", FormatIso8601Millis(run.started));
  Text(w, "endTimeUtc", FormatIso8601Millis(run.finished));
  w.Key("toolExecutionNotifications").BeginArray();
  for (const auto& region : run.regions) {
    if (region.status == control::RegionStatus::kScanned) continue;
    w.BeginObject();
    Text(w, "level", region.IsGap() ? "error" : "note");
    w.Key("message").BeginObject();
    Text(w, "text",
         region.account + (region.account.empty() ? "" : " ") + region.region + ": " +
             std::string(control::RegionStatusName(region.status)) + ": " + region.detail);
    w.EndObject().EndObject();
  }
  w.EndArray().EndObject().EndArray();
}

}  // namespace

std::string RenderSarif(const AuditRun& run) {
  std::string out;
  Writer w(out, Writer::Style::kPretty);
  w.BeginObject();
  Text(w, "$schema",
       "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
       "sarif-schema-2.1.0.json");
  Text(w, "version", "2.1.0");
  w.Key("runs").BeginArray().BeginObject();
  w.Key("tool").BeginObject().Key("driver").BeginObject();
  Text(w, "name", "Keyturn");
  Text(w, "version", run.tool_version);
  w.Key("rules").BeginArray();
  AppendRule(w);
  w.EndArray().EndObject().EndObject();
  w.Key("automationDetails").BeginObject();
  Text(w, "guid", run.run_id);
  w.EndObject();
  AppendInvocation(w, run);
  w.Key("results").BeginArray();
  for (const auto& key : run.keys) AppendResult(w, key, run);
  w.EndArray().EndObject().EndArray().EndObject();
  return out + "\n";
}

}  // namespace keyturn::report
