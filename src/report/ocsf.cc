// OCSF: Compliance Finding (class 2003) of schema 1.6.0 with the cloud profile, one object a line
// and a key, as data lakes and SIEMs take them in.
// Source: Open Cybersecurity Schema Framework 1.6.0, compliance_finding and compliance.
#include "json/json.h"
#include "model/arn.h"
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

void Text(Writer& w, std::string_view name, std::string_view value) {
  w.Key(name).String(WellFormed(value));
}

// Named: a value of one of the schema's enumerations, and its caption.
struct Named {
  int id;
  std::string_view caption;
};

void Enum(Writer& w, std::string_view name, const Named& value) {
  w.Key(std::string(name) + "_id").Int(value.id);
  Text(w, name, value.caption);
}

// ComplianceOf: what could not be judged is Unknown, never Pass.
Named ComplianceOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return {1, "Pass"};
    case Verdict::kExcepted:
      return {2, "Warning"};
    case Verdict::kFail:
    case Verdict::kFailPeriod:
      return {3, "Fail"};
    case Verdict::kUnknown:
      return {0, "Unknown"};
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      break;
  }
  return {99, "Other"};
}

// SeverityOf: Security Hub's KMS.4 is of medium severity.
Named SeverityOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail:
    case Verdict::kFailPeriod:
      return {3, "Medium"};
    case Verdict::kUnknown:
    case Verdict::kExcepted:
      return {2, "Low"};
    case Verdict::kPass:
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      break;
  }
  return {1, "Informational"};
}

void AppendCompliance(Writer& w, const KeyResult& key) {
  w.Key("compliance").BeginObject();
  Text(w, "control", "KMS.4");
  w.Key("standards").BeginArray();
  for (const auto& mapping : ComplianceMappings()) {
    w.String(std::string(mapping.framework) + " " + std::string(mapping.references));
  }
  w.EndArray();
  Enum(w, "status", ComplianceOf(key.judgement.verdict));
  Text(w, "status_code", control::VerdictName(key.judgement.verdict));
  Text(w, "status_detail", key.judgement.reason);
  w.EndObject();
}

void AppendResource(Writer& w, const KeyResult& key) {
  const auto& facts = key.facts;
  w.Key("resources").BeginArray().BeginObject();
  Text(w, "uid", facts.arn);
  Text(w, "name", facts.aliases.empty() ? facts.key_id : facts.aliases.front());
  Text(w, "type", "AWS::KMS::Key");
  Text(w, "region", facts.region);
  Text(w, "cloud_partition", model::PartitionOf(facts.region));
  w.EndObject().EndArray();
}

void AppendFinding(const KeyResult& key, const AuditRun& run, std::string& out) {
  const auto& facts = key.facts;
  const std::string fix = RemediationCommand(key, run);
  Writer w(out);
  w.BeginObject();
  w.Key("class_uid").Int(2003);
  Text(w, "class_name", "Compliance Finding");
  w.Key("category_uid").Int(2);
  Text(w, "category_name", "Findings");
  w.Key("activity_id").Int(1);
  Text(w, "activity_name", "Create");
  w.Key("type_uid").Int(200301);
  Text(w, "type_name", "Compliance Finding: Create");
  w.Key("time").Int(ToEpochMillis(run.finished));
  Enum(w, "severity", SeverityOf(key.judgement.verdict));
  Enum(w, "status", {1, "New"});
  Text(w, "message", key.judgement.reason);
  w.Key("metadata").BeginObject();
  Text(w, "version", "1.6.0");
  w.Key("profiles").BeginArray().String("cloud").EndArray();
  w.Key("product").BeginObject();
  Text(w, "name", "Keyturn");
  Text(w, "vendor_name", "Keyturn");
  Text(w, "version", run.tool_version);
  w.EndObject();
  Text(w, "correlation_uid", run.run_id);
  w.EndObject();
  w.Key("finding_info").BeginObject();
  Text(w, "uid", run.run_id + "/" + facts.arn);
  Text(w, "title", kControlTitle);
  w.Key("created_time").Int(ToEpochMillis(run.finished));
  w.EndObject();
  AppendCompliance(w, key);
  AppendResource(w, key);
  w.Key("cloud").BeginObject();
  Text(w, "provider", "AWS");
  Text(w, "region", facts.region);
  w.Key("account").BeginObject();
  Text(w, "uid", facts.account);
  Enum(w, "type", {10, "AWS Account"});
  w.EndObject().EndObject();
  if (!fix.empty()) {
    w.Key("remediation").BeginObject();
    Text(w, "desc", fix);
    w.EndObject();
  }
  w.EndObject();
  out += '\n';
}

}  // namespace

std::string RenderOcsf(const AuditRun& run) {
  std::string out;
  for (const auto& key : run.keys) AppendFinding(key, run, out);
  return out;
}

}  // namespace keyturn::report
