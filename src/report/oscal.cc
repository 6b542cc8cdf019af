// OSCAL: assessment results of model 1.1.2 in JSON, for tools of governance, risk and compliance.
//
// An inventory item and an observation a key, a risk for each key that fails (accepted: deviation
// approved), and a finding for each account and region against SC-12. A finding is "satisfied" only
// where the region was scanned and every key in it that could fail passes: nothing unknown, nothing
// failing, nothing accepted. Identifiers are RFC 9562 version 5, named by the run and what they
// identify, so the same record gives the same bytes.
// Source: NIST OSCAL 1.1.2, assessment results model, JSON format reference; NIST SP 800-53 r5 in
// OSCAL (control "sc-12", statement "sc-12_smt").
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "crypto/asymmetric.h"
#include "json/json.h"
#include "report/control_text.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;
using control::RegionStatus;
using control::Verdict;
using json::Writer;

// The namespace of this tool's names: 5a0c6e1b-8f2d-4c37-9a41-3ed77015b2c9, drawn once at random.
constexpr std::array<std::uint8_t, 16> kNamespace = {
    0x5a, 0x0c, 0x6e, 0x1b, 0x8f, 0x2d, 0x4c, 0x37, 0x9a, 0x41, 0x3e, 0xd7, 0x70, 0x15, 0xb2, 0xc9};
constexpr std::string_view kStatement = "sc-12_smt";
constexpr std::array<std::string_view, 3> kControls = {"sc-12", "sc-12.2", "sc-28.3"};

std::string UuidOf(const AuditRun& run, std::string_view kind, std::string_view name) {
  Bytes input(kNamespace.begin(), kNamespace.end());
  const std::string text = run.run_id + '\n' + std::string(kind) + '\n' + std::string(name);
  input.insert(input.end(), text.begin(), text.end());
  Bytes digest = crypto::Digest(crypto::Hash::kSha1, input);
  digest.resize(16);
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0f) | 0x50);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3f) | 0x80);
  std::string uuid = HexEncode(digest);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) uuid.insert(at, "-");
  return uuid;
}

// OneLine: a value that OSCAL's strings allow: not empty, no white space at either end, one line.
std::string OneLine(std::string_view text) {
  std::string line = Harmless(text);
  line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
  line.erase(line.find_last_not_of(' ') + 1);
  return line.empty() ? "none" : line;
}

void Text(Writer& w, std::string_view name, std::string_view value) {
  w.Key(name).String(OneLine(value));
}

void Uuid(Writer& w, const AuditRun& run, std::string_view kind, std::string_view name) {
  w.Key("uuid").String(UuidOf(run, kind, name));
}

void Prop(Writer& w, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  w.BeginObject();
  Text(w, "name", name);
  Text(w, "value", value);
  w.EndObject();
}

// References: a member that is a list of objects with one identifier each; absent when empty.
void References(Writer& w, const AuditRun& run, std::string_view member, std::string_view id_name,
                std::string_view kind, const std::vector<const KeyResult*>& keys) {
  if (keys.empty()) return;
  w.Key(member).BeginArray();
  for (const KeyResult* key : keys) {
    w.BeginObject().Key(id_name).String(UuidOf(run, kind, key->facts.arn)).EndObject();
  }
  w.EndArray();
}

bool IsFailure(const KeyResult& key) {
  const Verdict verdict = key.judgement.verdict;
  return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod;
}
bool IsRisk(const KeyResult& key) {
  return IsFailure(key) || key.judgement.verdict == Verdict::kExcepted;
}

void AppendMetadata(Writer& w, const AuditRun& run) {
  w.Key("metadata").BeginObject();
  Text(w, "title", "KMS key rotation: " + AnswerTitle(run));
  Text(w, "last-modified", FormatIso8601Millis(run.finished));
  Text(w, "version", run.run_id);
  Text(w, "oscal-version", "1.1.2");
  w.Key("props").BeginArray();
  Prop(w, "tool", "keyturn " + run.tool_version);
  w.EndArray().EndObject();
}

void AppendReviewedControls(Writer& w) {
  w.Key("reviewed-controls").BeginObject();
  Text(w, "description", kControlTitle);
  w.Key("control-selections").BeginArray().BeginObject();
  w.Key("include-controls").BeginArray();
  for (const std::string_view control : kControls) {
    w.BeginObject();
    Text(w, "control-id", control);
    w.EndObject();
  }
  w.EndArray().EndObject().EndArray().EndObject();
}

void AppendInventory(Writer& w, const AuditRun& run) {
  if (run.keys.empty()) return;
  w.Key("local-definitions").BeginObject().Key("inventory-items").BeginArray();
  for (const KeyResult& key : run.keys) {
    const auto& facts = key.facts;
    w.BeginObject();
    Uuid(w, run, "key", facts.arn);
    Text(w, "description",
         facts.aliases.empty() ? "KMS key " + facts.key_id : "KMS key " + facts.aliases.front());
    w.Key("props").BeginArray();
    Prop(w, "asset-id", facts.arn);
    Prop(w, "account", facts.account);
    Prop(w, "region", facts.region);
    Prop(w, "key-manager", facts.key_manager);
    Prop(w, "key-spec", facts.key_spec);
    Prop(w, "origin", facts.origin);
    Prop(w, "key-state", facts.key_state);
    w.EndArray().EndObject();
  }
  w.EndArray().EndObject();
}

std::string RotationProp(const control::KeyFacts& facts) {
  if (!facts.rotation) return "";
  if (!facts.rotation->enabled) return "off";
  return facts.rotation->period_days ? std::to_string(*facts.rotation->period_days) + " days"
                                     : "on";
}

void AppendObservations(Writer& w, const AuditRun& run) {
  if (run.keys.empty()) return;
  w.Key("observations").BeginArray();
  for (const KeyResult& key : run.keys) {
    w.BeginObject();
    Uuid(w, run, "observation", key.facts.arn);
    Text(w, "title", control::VerdictName(key.judgement.verdict));
    Text(w, "description", key.judgement.reason);
    w.Key("props").BeginArray();
    Prop(w, "verdict", control::VerdictName(key.judgement.verdict));
    Prop(w, "raw-verdict", control::VerdictName(key.judgement.raw_verdict));
    Prop(w, "rotation", RotationProp(key.facts));
    Prop(w, "exception", key.judgement.exception_id);
    w.EndArray();
    w.Key("methods").BeginArray().String("TEST").EndArray();
    w.Key("subjects").BeginArray().BeginObject();
    w.Key("subject-uuid").String(UuidOf(run, "key", key.facts.arn));
    Text(w, "type", "inventory-item");
    w.EndObject().EndArray();
    Text(w, "collected", FormatIso8601Millis(run.finished));
    w.EndObject();
  }
  w.EndArray();
}

void AppendRisks(Writer& w, const AuditRun& run) {
  std::vector<const KeyResult*> risks;
  for (const KeyResult& key : run.keys) {
    if (IsRisk(key)) risks.push_back(&key);
  }
  if (risks.empty()) return;
  w.Key("risks").BeginArray();
  for (const KeyResult* key : risks) {
    const std::string fix = RemediationCommand(*key, run);
    w.BeginObject();
    Uuid(w, run, "risk", key->facts.arn);
    Text(w, "title", "Key material is not rotated as required");
    Text(w, "description", key->facts.arn + ": " + key->judgement.reason);
    Text(w, "statement", "One compromised material exposes what was encrypted under the key.");
    Text(w, "status", IsFailure(*key) ? "open" : "deviation-approved");
    if (!fix.empty()) {
      w.Key("remediations").BeginArray().BeginObject();
      Uuid(w, run, "remediation", key->facts.arn);
      Text(w, "lifecycle", "recommendation");
      Text(w, "title", "Enable automatic rotation");
      Text(w, "description", fix);
      w.EndObject().EndArray();
    }
    References(w, run, "related-observations", "observation-uuid", "observation", {key});
    w.EndObject();
  }
  w.EndArray();
}

// StateOf: what is missing, unknown, failing or accepted is never satisfied.
struct State {
  bool satisfied = false;
  std::string_view reason;  // "pass", "fail", "other"
  std::string remarks;
};
State StateOf(const RegionGroup& group, const AuditRun& run) {
  if (group.region == nullptr || group.region->status != RegionStatus::kScanned) {
    return {false, "other",
            group.region == nullptr ? "The region is not in the record."
                                    : fmt::format("Not scanned ({}): {}",
                                                  control::RegionStatusName(group.region->status),
                                                  group.region->detail)};
  }
  const std::uint64_t failing =
      CountOf(group.counts, Verdict::kFail) + CountOf(group.counts, Verdict::kFailPeriod);
  const std::uint64_t unknown = CountOf(group.counts, Verdict::kUnknown);
  const std::uint64_t excepted = CountOf(group.counts, Verdict::kExcepted);
  const std::string remarks =
      fmt::format("{} listed, {} passing, {} failing, {} unknown, {} excepted.", group.keys.size(),
                  CountOf(group.counts, Verdict::kPass), failing, unknown, excepted);
  if (failing > 0) return {false, "fail", remarks};
  if (unknown > 0 || excepted > 0 || run.cancelled) return {false, "other", remarks};
  return {true, "pass", remarks};
}

void AppendFinding(Writer& w, const AuditRun& run, const RegionGroup& group) {
  const State state = StateOf(group, run);
  const std::string place =
      (group.account.empty() ? "unknown account" : group.account) + " " + group.name;
  std::vector<const KeyResult*> risks;
  for (const KeyResult* key : group.keys) {
    if (IsRisk(*key)) risks.push_back(key);
  }
  w.BeginObject();
  Uuid(w, run, "finding", group.account + '\n' + group.name);
  Text(w, "title", std::string(kControlTitle) + ": " + place);
  Text(w, "description", state.remarks);
  w.Key("props").BeginArray();
  Prop(w, "account", group.account);
  Prop(w, "region", group.name);
  w.EndArray();
  w.Key("target").BeginObject();
  Text(w, "type", "statement-id");
  Text(w, "target-id", kStatement);
  w.Key("status").BeginObject();
  Text(w, "state", state.satisfied ? "satisfied" : "not-satisfied");
  Text(w, "reason", state.reason);
  w.EndObject().EndObject();
  References(w, run, "related-observations", "observation-uuid", "observation", group.keys);
  References(w, run, "related-risks", "risk-uuid", "risk", risks);
  w.EndObject();
}

void AppendResult(Writer& w, const AuditRun& run) {
  w.BeginObject();
  Uuid(w, run, "result", "");
  Text(w, "title", kControlTitle);
  Text(w, "description", AnswerSentence(run));
  Text(w, "start", FormatIso8601Millis(run.started));
  Text(w, "end", FormatIso8601Millis(run.finished));
  w.Key("props").BeginArray();
  Prop(w, "endpoint", run.endpoint);
  Prop(w, "maximum-period-days", std::to_string(run.max_period_days));
  if (!run.policy.sha256.empty()) Prop(w, "policy-sha256", run.policy.sha256);
  Prop(w, "incomplete", run.incomplete() ? "true" : "false");
  w.EndArray();
  AppendInventory(w, run);
  AppendReviewedControls(w);
  AppendObservations(w, run);
  AppendRisks(w, run);
  const auto groups = GroupByRegion(run);
  const bool any = std::any_of(groups.begin(), groups.end(), [](const RegionGroup& group) {
    return group.region == nullptr || !group.region->excused;
  });
  if (any) {
    w.Key("findings").BeginArray();
    for (const RegionGroup& group : groups) {
      // Where an account says that there is nothing, there is nothing to find.
      if (group.region == nullptr || !group.region->excused) AppendFinding(w, run, group);
    }
    w.EndArray();
  }
  w.EndObject();
}

}  // namespace

std::string RenderOscal(const AuditRun& run) {
  std::string out;
  Writer w(out, Writer::Style::kPretty);
  w.BeginObject().Key("assessment-results").BeginObject();
  Uuid(w, run, "assessment-results", "");
  AppendMetadata(w, run);
  // The plan is the control itself: a resource of this document, since there is no other.
  const std::string plan = UuidOf(run, "plan", "");
  w.Key("import-ap").BeginObject().Key("href").String("#" + plan).EndObject();
  w.Key("results").BeginArray();
  AppendResult(w, run);
  w.EndArray().Key("back-matter").BeginObject().Key("resources").BeginArray().BeginObject();
  w.Key("uuid").String(plan);
  Text(w, "title", "The control, as `keyturn control show` prints it");
  Text(w, "description", kControlTitle);
  w.EndObject().EndArray().EndObject().EndObject().EndObject();
  out += '\n';
  return out;
}

}  // namespace keyturn::report
