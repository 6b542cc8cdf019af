// The plan's file: written, hashed, read back. docs/formats/plan.md is the format.
#include "base/hex.h"
#include "control/change_json.h"
#include "control/evaluate.h"
#include "control/files.h"
#include "control/plan.h"
#include "control/text.h"
#include "crypto/digest.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kPlanFormat = "keyturn-plan";
// Version 1 had one endpoint for all changes; version 2 knew nothing of infrastructure code. Both
// are still read.
constexpr int kPlanVersion = 3;
constexpr std::size_t kPlanBytesMax = 512U << 20;

void WritePreview(json::Writer& w, const PlanPreview& preview) {
  w.Key("preview").BeginObject().Key("calls").BeginObject();
  for (const auto& [operation, calls] : preview.calls) {
    w.Key(operation).Int(static_cast<std::int64_t>(calls));
  }
  w.EndObject();
  const auto number = [&w](std::string_view name, const std::optional<double>& value) {
    if (value) w.Key(name).Double(*value);
  };
  number("seconds", preview.seconds);
  number("backout_seconds", preview.backout_seconds);
  number("monthly_cost_after_first_usd", preview.monthly_cost_after_first);
  number("monthly_cost_after_second_usd", preview.monthly_cost_after_second);
  w.EndObject();
}

void WriteContent(json::Writer& w, const Plan& plan) {
  w.BeginObject();
  WriteText(w, "tool_version", plan.tool_version);
  WriteText(w, "run_id", plan.run_id);
  WriteTime(w, "created", plan.created);
  w.Key("scope").BeginArray();
  for (const PlanScope& scope : plan.scope) {
    w.BeginObject();
    WriteText(w, "endpoint_url", scope.endpoint_url);
    WriteText(w, "account", scope.account);
    w.Key("regions").BeginArray();
    for (const std::string& region : scope.regions) w.String(WellFormed(region));
    w.EndArray().EndObject();
  }
  w.EndArray();
  w.Key("policy").BeginObject();
  w.Key("max_period_days").Int(plan.max_period_days);
  w.Key("strict_disabled").Bool(plan.strict_disabled);
  if (!plan.policy_sha256.empty()) WriteText(w, "sha256", plan.policy_sha256);
  WriteText(w, "exceptions_sha256", plan.exceptions_sha256);
  w.Key("allow_iac_managed").Bool(plan.allow_iac_managed);
  w.EndObject();
  w.Key("quota_share").Double(plan.quota_share);
  w.Key("audit_incomplete").Bool(plan.audit_incomplete);
  WritePreview(w, plan.preview);
  w.Key("changes").BeginArray();
  for (const PlannedChange& change : plan.changes) {
    w.BeginObject();
    WriteChange(w, change);
    w.EndObject();
  }
  w.EndArray();
  w.Key("left_alone").BeginArray();
  for (const LeftAlone& key : plan.left_alone) {
    w.BeginObject();
    WriteText(w, "endpoint_url", key.endpoint_url);
    WriteText(w, "arn", key.arn);
    WriteText(w, "verdict", VerdictName(key.verdict));
    WriteText(w, "reason", key.reason);
    if (key.owner) WriteOwner(w, *key.owner);
    w.EndObject();
  }
  w.EndArray().EndObject();
}

// HashOfText digests the content as one line without white space, so that reformatting a plan's
// file changes nothing and any other change does.
std::string HashOfText(std::string_view content_text) {
  return HexEncode(crypto::Sha256(AsBytes(content_text)));
}

std::string ContentText(const Plan& plan) {
  std::string text;
  json::Writer w(text);
  WriteContent(w, plan);
  // The canonical form is what reading gives back, as numbers may be written in several ways.
  json::Parser parser(json::Limits{.bytes_max = kPlanBytesMax, .depth_max = 16});
  const auto value = parser.Parse(text);
  return value ? value->ToJson() : text;
}

void ReadPreview(Fields& content, PlanPreview& preview) {
  Fields fields(content.Object("preview"));
  fields.Only({"calls", "seconds", "backout_seconds", "monthly_cost_after_first_usd",
               "monthly_cost_after_second_usd"});
  fields.Object("calls").ForEachMember([&](std::string_view name, json::Value value) {
    const auto calls = value.AsInt();
    if (!calls || *calls < 0) {
      fields.Wrong("calls");
      return false;
    }
    preview.calls[std::string(name)] = static_cast<std::uint64_t>(*calls);
    return true;
  });
  preview.seconds = fields.OptionalDouble("seconds");
  preview.backout_seconds = fields.OptionalDouble("backout_seconds");
  preview.monthly_cost_after_first = fields.OptionalDouble("monthly_cost_after_first_usd");
  preview.monthly_cost_after_second = fields.OptionalDouble("monthly_cost_after_second_usd");
  content.Inner("preview", fields);
}

// ReadScope: version 1 has one endpoint, and regions without accounts.
void ReadScope(Fields& content, bool one_endpoint, Plan& plan) {
  if (one_endpoint) {
    plan.scope = {{content.OptionalText("endpoint_url"), {}, content.Texts("regions")}};
    return;
  }
  content.Each("scope", [&plan](Fields& fields) {
    fields.Only({"endpoint_url", "account", "regions"});
    PlanScope& scope = plan.scope.emplace_back();
    scope.endpoint_url = fields.OptionalText("endpoint_url");
    scope.account = fields.OptionalText("account");
    scope.regions = fields.Texts("regions");
  });
}

Result<Plan> ReadContent(json::Value value, std::int64_t version, std::string_view place) {
  Fields content(value);
  Plan plan;
  if (version == 1) {
    content.Only({"tool_version", "run_id", "created", "endpoint_url", "regions", "policy",
                  "quota_share", "audit_incomplete", "preview", "changes", "left_alone"});
  } else {
    content.Only({"tool_version", "run_id", "created", "scope", "policy", "quota_share",
                  "audit_incomplete", "preview", "changes", "left_alone"});
  }
  plan.tool_version = content.OptionalText("tool_version");
  plan.run_id = content.OptionalText("run_id");
  plan.created = content.Time("created");
  ReadScope(content, version == 1, plan);
  Fields policy(content.Object("policy"));
  policy.Only(
      {"max_period_days", "strict_disabled", "sha256", "exceptions_sha256", "allow_iac_managed"});
  plan.max_period_days =
      static_cast<int>(policy.Int("max_period_days", kPeriodDaysMin, kPeriodDaysMax));
  plan.strict_disabled = policy.Bool("strict_disabled");
  plan.policy_sha256 = policy.OptionalText("sha256");
  plan.exceptions_sha256 = policy.OptionalText("exceptions_sha256");
  if (policy.Has("allow_iac_managed")) plan.allow_iac_managed = policy.Bool("allow_iac_managed");
  content.Inner("policy", policy);
  plan.quota_share = content.OptionalDouble("quota_share").value_or(0.3);
  plan.audit_incomplete = content.Bool("audit_incomplete");
  ReadPreview(content, plan.preview);
  content.Each("changes", [&plan](Fields& fields) {
    plan.changes.push_back(ReadChange(fields));
    // A plan turns rotation on; taking it back is the business of backout, with a reason.
    if (!plan.changes.back().wanted.enabled) fields.Wrong("wanted");
  });
  content.Each("left_alone", [&plan](Fields& fields) {
    fields.Only({"endpoint_url", "arn", "verdict", "reason", "managed_by"});
    LeftAlone key;
    key.endpoint_url = fields.OptionalText("endpoint_url");
    key.arn = fields.Text("arn");
    const auto verdict = ParseVerdict(fields.Text("verdict"));
    key.verdict = verdict.value_or(Verdict::kUnknown);
    key.reason = fields.OptionalText("reason");
    key.owner = ReadOwner(fields);
    if (!verdict) fields.Wrong("verdict");
    plan.left_alone.push_back(std::move(key));
  });
  if (!content.ok()) {
    return Fail(ErrorCode::kUsage, std::string(place) + ": " + content.wrong());
  }
  if (version == 1) {
    const std::string& endpoint_url = plan.scope.front().endpoint_url;
    for (PlannedChange& change : plan.changes) change.endpoint_url = endpoint_url;
    for (LeftAlone& key : plan.left_alone) key.endpoint_url = endpoint_url;
  }
  return plan;
}

}  // namespace

std::string HashOf(const Plan& plan) { return HashOfText(ContentText(plan)); }

std::string PlanText(const Plan& plan) {
  std::string text;
  json::Writer w(text, json::Writer::Style::kPretty);
  w.BeginObject();
  w.Key("format").String(kPlanFormat).Key("version").Int(kPlanVersion);
  w.Key("sha256").String(HashOf(plan));
  w.Key("content");
  WriteContent(w, plan);
  w.EndObject();
  text += '\n';
  return text;
}

Result<Plan> ParsePlan(std::string_view text, std::string_view place) {
  const auto wrong = [place](ErrorCode code, std::string_view what) {
    return Fail(code, std::string(place) + ": " + std::string(what));
  };
  json::Parser parser(json::Limits{.bytes_max = kPlanBytesMax, .depth_max = 16});
  const auto root = parser.Parse(text);
  if (!root) return wrong(ErrorCode::kUsage, "is no plan: " + root.error().message);
  Fields fields(*root);
  if (root->type() != json::Type::kObject || fields.OptionalText("format") != kPlanFormat) {
    return wrong(ErrorCode::kUsage, "is no plan of keyturn");
  }
  const std::int64_t version = fields.Int("version", 1, 1000000);
  if (version > kPlanVersion) {
    return wrong(ErrorCode::kNewerFormat, "was written by a newer version of keyturn");
  }
  fields.Only({"format", "version", "sha256", "content"});
  const std::string sha256 = fields.Text("sha256");
  const json::Value content = fields.Object("content");
  if (!fields.ok()) return wrong(ErrorCode::kUsage, fields.wrong());
  if (HashOfText(content.ToJson()) != sha256) {
    return wrong(ErrorCode::kCorrupt,
                 "was changed after it was made; make a new plan instead of editing one");
  }
  KT_ASSIGN(Plan plan, ReadContent(content, version, place));
  plan.sha256 = sha256;
  return plan;
}

Status WritePlan(const Plan& plan, const std::string& path) {
  return WriteWholeFile(path, PlanText(plan), MayReplace::kAny);
}

Result<Plan> ReadPlan(const std::string& path) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kPlanBytesMax));
  return ParsePlan(text, path);
}

}  // namespace keyturn::control
