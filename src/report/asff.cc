// ASFF: AWS Security Finding Format 2018-10-08, for AWS Security Hub. One request of
// BatchImportFindings a line, in the form of `--cli-input-json`: findings of one account and
// region, which is where the request must be sent, at most 100 of them and 6 MB.
//
// A finding a key; its Id stays the same from run to run, so that Security Hub updates it. What
// could not be judged is WARNING, never PASSED; a region that was not scanned is a finding of its
// account, where the account is known.
// Source: AWS Security Hub User Guide, "AWS Security Finding Format", "Required attributes", and
// API reference of BatchImportFindings (100 findings, 240 KB a finding, 6 MB a batch).
#include <fmt/format.h>

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

constexpr std::size_t kBatchFindingsMax = 100;
constexpr std::size_t kBatchBytesMax = 6'000'000;
constexpr std::size_t kDescriptionMax = 1024;
constexpr std::size_t kRecommendationMax = 512;
constexpr std::string_view kGenerator = "keyturn/kms-key-rotation";

// Cut keeps text within a limit of characters, which are bytes here at most, whole UTF-8 only.
std::string Cut(std::string_view text, std::size_t bytes_max) {
  std::string out = Harmless(text);
  if (out.size() <= bytes_max) return out;
  std::size_t end = bytes_max - 3;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  out.resize(end);
  return out + "...";
}

void Text(Writer& w, std::string_view name, std::string_view value) {
  w.Key(name).String(WellFormed(value));
}

void OptionalText(Writer& w, std::string_view name, std::string_view value) {
  if (!value.empty()) Text(w, name, value);
}

std::string_view StatusOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "PASSED";
    case Verdict::kFail:
    case Verdict::kFailPeriod:
    case Verdict::kExcepted:
      return "FAILED";
    case Verdict::kUnknown:
      return "WARNING";
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      break;
  }
  return "NOT_AVAILABLE";
}

// WorkflowOf: accepted failures are suppressed, so that nobody is asked to act on them.
std::string_view WorkflowOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
    case Verdict::kGone:
      return "RESOLVED";
    case Verdict::kExcepted:
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
      return "SUPPRESSED";
    case Verdict::kFail:
    case Verdict::kFailPeriod:
    case Verdict::kUnknown:
      break;
  }
  return "NEW";
}

// SeverityOf: Security Hub's KMS.4 is of medium severity.
std::string_view SeverityOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail:
    case Verdict::kFailPeriod:
      return "MEDIUM";
    case Verdict::kUnknown:
    case Verdict::kExcepted:
      return "LOW";
    case Verdict::kPass:
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      break;
  }
  return "INFORMATIONAL";
}

// Finding: what differs between a key's finding and a region's.
struct Finding {
  std::string id;
  std::string account;
  std::string region;
  std::string description;
  std::string verdict;
  std::string_view status;
  std::string_view workflow;
  std::string_view severity;
  bool archived = false;
};

void AppendKeyDetails(Writer& w, const control::KeyFacts& facts) {
  w.Key("Details").BeginObject().Key("AwsKmsKey").BeginObject();
  OptionalText(w, "AWSAccountId", facts.account);
  if (facts.creation_date) w.Key("CreationDate").EpochSeconds(*facts.creation_date);
  OptionalText(w, "KeyId", facts.key_id);
  OptionalText(w, "KeyManager", facts.key_manager);
  OptionalText(w, "KeyState", facts.key_state);
  OptionalText(w, "Origin", facts.origin);
  OptionalText(w, "Description", facts.description);
  if (facts.rotation) w.Key("KeyRotationStatus").Bool(facts.rotation->enabled);
  w.EndObject().EndObject();
}

void AppendHead(Writer& w, const Finding& finding, const AuditRun& run) {
  const std::string partition(model::PartitionOf(finding.region));
  Text(w, "SchemaVersion", "2018-10-08");
  Text(w, "Id", finding.id);
  Text(w, "ProductArn",
       fmt::format("arn:{}:securityhub:{}:{}:product/{}/default", partition, finding.region,
                   finding.account, finding.account));
  Text(w, "ProductName", "Keyturn");
  Text(w, "CompanyName", "Keyturn");
  Text(w, "GeneratorId", kGenerator);
  Text(w, "AwsAccountId", finding.account);
  Text(w, "Region", finding.region);
  w.Key("Types").BeginArray();
  w.String("Software and Configuration Checks/AWS Security Best Practices").EndArray();
  Text(w, "CreatedAt", FormatIso8601Millis(run.started));
  Text(w, "UpdatedAt", FormatIso8601Millis(run.finished));
  Text(w, "LastObservedAt", FormatIso8601Millis(run.finished));
  w.Key("Severity").BeginObject();
  Text(w, "Label", finding.severity);
  w.EndObject();
  Text(w, "Title", kControlTitle);
  Text(w, "Description", Cut(finding.description, kDescriptionMax));
  w.Key("ProductFields").BeginObject();
  Text(w, "keyturn/Verdict", finding.verdict);
  Text(w, "keyturn/RunId", run.run_id);
  w.EndObject();
}

void AppendTail(Writer& w, const Finding& finding) {
  w.Key("Compliance").BeginObject();
  Text(w, "Status", finding.status);
  w.Key("RelatedRequirements").BeginArray();
  for (const auto& mapping : ComplianceMappings()) {
    w.String(std::string(mapping.framework) + " " + std::string(mapping.references));
  }
  w.EndArray();
  if (finding.status != "PASSED") {
    w.Key("StatusReasons").BeginArray().BeginObject();
    Text(w, "ReasonCode", finding.verdict);
    Text(w, "Description", Cut(finding.description, kDescriptionMax));
    w.EndObject().EndArray();
  }
  w.EndObject().Key("Workflow").BeginObject();
  Text(w, "Status", finding.workflow);
  w.EndObject();
  Text(w, "RecordState", finding.archived ? "ARCHIVED" : "ACTIVE");
}

std::string KeyFinding(const KeyResult& key, const AuditRun& run) {
  const auto& facts = key.facts;
  const Verdict verdict = key.judgement.verdict;
  const Finding finding{.id = facts.arn + "/" + std::string(kGenerator),
                        .account = facts.account,
                        .region = facts.region,
                        .description = key.judgement.reason,
                        .verdict = std::string(control::VerdictName(verdict)),
                        .status = StatusOf(verdict),
                        .workflow = WorkflowOf(verdict),
                        .severity = SeverityOf(verdict),
                        .archived = verdict == Verdict::kGone};
  std::string out;
  Writer w(out);
  w.BeginObject();
  AppendHead(w, finding, run);
  if (const std::string fix = RemediationCommand(key, run); !fix.empty()) {
    w.Key("Remediation").BeginObject().Key("Recommendation").BeginObject();
    Text(w, "Text", Cut(fix, kRecommendationMax));
    w.EndObject().EndObject();
  }
  w.Key("Resources").BeginArray().BeginObject();
  Text(w, "Type", "AwsKmsKey");
  Text(w, "Id", facts.arn);
  Text(w, "Partition", model::PartitionOf(facts.region));
  Text(w, "Region", facts.region);
  AppendKeyDetails(w, facts);
  w.EndObject().EndArray();
  AppendTail(w, finding);
  w.EndObject();
  return out;
}

std::string RegionFinding(const control::RegionResult& region, const AuditRun& run) {
  const std::string partition(model::PartitionOf(region.region));
  const std::string status(control::RegionStatusName(region.status));
  const Finding finding{
      .id = fmt::format("arn:{}:kms:{}:{}:region/{}", partition, region.region, region.account,
                        kGenerator),
      .account = region.account,
      .region = region.region,
      .description = "The region was not scanned (" + status + "): " + region.detail,
      .verdict = "REGION_ERROR",
      .status = "WARNING",
      .workflow = "NEW",
      .severity = "LOW"};
  std::string out;
  Writer w(out);
  w.BeginObject();
  AppendHead(w, finding, run);
  w.Key("Resources").BeginArray().BeginObject();
  Text(w, "Type", "AwsAccount");
  Text(w, "Id", "AWS::::Account:" + region.account);
  Text(w, "Partition", partition);
  Text(w, "Region", region.region);
  w.EndObject().EndArray();
  AppendTail(w, finding);
  w.EndObject();
  return out;
}

// Batches writes findings as requests of BatchImportFindings.
class Batches {
 public:
  explicit Batches(std::string& out) : out_(out) {}
  void Add(const std::string& finding) {
    if (count_ == kBatchFindingsMax || bytes_ + finding.size() > kBatchBytesMax) End();
    out_ += count_ == 0 ? "{\"Findings\":[" : ",";
    out_ += finding;
    ++count_;
    bytes_ += finding.size() + 1;
  }
  void End() {
    if (count_ > 0) out_ += "]}\n";
    count_ = 0;
    bytes_ = 0;
  }

 private:
  std::string& out_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

std::string RenderAsff(const AuditRun& run) {
  std::string out;
  Batches batches(out);
  for (const RegionGroup& group : GroupByRegion(run)) {
    if (group.region != nullptr && group.region->IsGap() && !group.region->account.empty()) {
      batches.Add(RegionFinding(*group.region, run));
    }
    // A group without an account may hold keys of several.
    const std::string* account = nullptr;
    for (const KeyResult* key : group.keys) {
      if (key->facts.account.empty()) continue;
      if (account != nullptr && *account != key->facts.account) batches.End();
      account = &key->facts.account.text();
      batches.Add(KeyFinding(*key, run));
    }
    batches.End();
  }
  return out;
}

}  // namespace keyturn::report
