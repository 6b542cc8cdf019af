#include "control/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/hex.h"
#include "client/endpoint.h"
#include "client/limiter.h"
#include "control/change_json.h"
#include "control/evaluate.h"
#include "control/files.h"
#include "control/text.h"
#include "crypto/digest.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kFormat = "keyturn-plan";
// Version 1 had one endpoint for all changes; it is still read.
constexpr int kVersion = 2;
constexpr std::size_t kPlanBytesMax = 512U << 20;
// AWS KMS pricing: a key costs this much a month, and so does each of its first two rotations;
// further rotations cost nothing. Multi-Region keys cost it in each Region.
constexpr double kDollarsPerRotationAndMonth = 1.0;
// Reads of one key in apply and in verify, which wants two in a row.
constexpr std::uint64_t kVerifyReads = 2;

bool IsFailure(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod;
}

PlannedChange ChangeFor(const KeyResult& key, int period_days, bool asked) {
  const KeyFacts& facts = key.facts;
  PlannedChange change;
  change.endpoint_url = facts.endpoint_url;
  change.arn = facts.arn;
  change.account = facts.account;
  change.region = facts.region;
  change.aliases = facts.aliases;
  change.reason = key.judgement.reason;
  change.before.key_state = facts.key_state;
  if (facts.rotation) {
    change.before.rotation = {facts.rotation->enabled, facts.rotation->period_days};
    change.before.next_rotation_date = facts.rotation->next_rotation_date;
  }
  change.before.primary_region = facts.primary_region;
  change.wanted = {true, period_days};
  // A key whose rotation is off gets AWS's default without being asked for a period.
  change.send_period = asked || change.before.rotation.enabled || period_days != kDefaultPeriodDays;
  return change;
}

PlanPreview Preview(const AuditRun& run, const std::vector<PlannedChange>& changes,
                    const PlanOptions& options) {
  PlanPreview preview;
  const auto count = static_cast<std::uint64_t>(changes.size());
  preview.calls["DescribeKey"] = count;
  preview.calls["GetKeyRotationStatus"] = count * (1 + kVerifyReads);
  preview.calls["EnableKeyRotation"] = count;

  std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> by_region;
  for (const PlannedChange& change : changes) {
    if (client::IsAwsEndpoint(change.endpoint_url)) ++by_region[{change.account, change.region}];
  }
  if (by_region.empty()) return preview;
  double seconds = 0;
  for (const auto& [place, in_region] : by_region) {
    for (const auto& [operation, calls] : preview.calls) {
      const double rate = client::QuotaPerSecond(operation).value_or(1) * options.quota_share;
      const double mine =
          static_cast<double>(calls) * static_cast<double>(in_region) / static_cast<double>(count);
      seconds = std::max(seconds, mine / rate);
    }
  }
  preview.seconds = std::ceil(seconds);

  std::map<std::string_view, std::size_t> copies;
  for (const KeyResult& key : run.keys) {
    if (client::IsAwsEndpoint(key.facts.endpoint_url)) {
      copies[key.facts.arn] = 1 + key.facts.replica_arns.size();
    }
  }
  double keys = 0;
  for (const PlannedChange& change : changes) {
    if (client::IsAwsEndpoint(change.endpoint_url)) keys += static_cast<double>(copies[change.arn]);
  }
  preview.monthly_cost_after_first = keys * kDollarsPerRotationAndMonth;
  preview.monthly_cost_after_second = 2 * keys * kDollarsPerRotationAndMonth;
  return preview;
}

// NeedsExplanation: keys that pass, or that the control does not apply to, need no explanation.
bool NeedsExplanation(Verdict verdict) {
  return verdict != Verdict::kPass && verdict != Verdict::kNotApplicable &&
         verdict != Verdict::kGone;
}

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
    w.EndObject();
  }
  w.EndArray().EndObject();
}

// HashOf digests the content as one line without white space, so that reformatting a plan's file
// changes nothing and any other change does.
std::string HashOf(std::string_view content_text) {
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
  const json::Value object = content.Object("preview");
  Fields fields(object);
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
  preview.monthly_cost_after_first = fields.OptionalDouble("monthly_cost_after_first_usd");
  preview.monthly_cost_after_second = fields.OptionalDouble("monthly_cost_after_second_usd");
  if (!fields.ok()) content.Wrong("preview");
}

// ReadScope: version 1 has one endpoint, and regions without accounts.
void ReadScope(Fields& content, bool one_endpoint, Plan& plan) {
  if (one_endpoint) {
    plan.scope = {{content.OptionalText("endpoint_url"), {}, content.Texts("regions")}};
    return;
  }
  content.Each("scope", [&plan](json::Value element) {
    Fields fields(element);
    PlanScope& scope = plan.scope.emplace_back();
    scope.endpoint_url = fields.OptionalText("endpoint_url");
    scope.account = fields.OptionalText("account");
    scope.regions = fields.Texts("regions");
    return fields.ok();
  });
}

Result<Plan> ReadContent(json::Value value, std::int64_t version, std::string_view place) {
  Fields content(value);
  Plan plan;
  plan.tool_version = content.OptionalText("tool_version");
  plan.run_id = content.OptionalText("run_id");
  plan.created = content.Time("created");
  ReadScope(content, version == 1, plan);
  Fields policy(content.Object("policy"));
  plan.max_period_days =
      static_cast<int>(policy.Int("max_period_days", kPeriodDaysMin, kPeriodDaysMax));
  plan.strict_disabled = policy.Bool("strict_disabled");
  plan.policy_sha256 = policy.OptionalText("sha256");
  plan.exceptions_sha256 = policy.OptionalText("exceptions_sha256");
  if (!policy.ok()) content.Wrong("policy");
  plan.quota_share = content.OptionalDouble("quota_share").value_or(0.3);
  plan.audit_incomplete = content.Bool("audit_incomplete");
  ReadPreview(content, plan.preview);
  content.Each("changes", [&plan](json::Value element) {
    Fields fields(element);
    plan.changes.push_back(ReadChange(fields));
    // A plan turns rotation on; taking it back is the business of backout, with a reason.
    if (!plan.changes.back().wanted.enabled) fields.Wrong("wanted");
    return fields.ok();
  });
  content.Each("left_alone", [&plan](json::Value element) {
    Fields fields(element);
    LeftAlone key;
    key.endpoint_url = fields.OptionalText("endpoint_url");
    key.arn = fields.Text("arn");
    const auto verdict = ParseVerdict(fields.Text("verdict"));
    key.verdict = verdict.value_or(Verdict::kUnknown);
    key.reason = fields.OptionalText("reason");
    plan.left_alone.push_back(std::move(key));
    return fields.ok() && verdict.has_value();
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

std::string Duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

Result<Plan> MakePlan(const AuditRun& run, const PlanOptions& options) {
  const int period =
      options.period_days.value_or(std::min(run.max_period_days, kDefaultPeriodDays));
  if (period < kPeriodDaysMin || period > kPeriodDaysMax) {
    return Fail(ErrorCode::kUsage, "a rotation period must be 90 to 2560 days");
  }
  if (period > run.max_period_days) {
    return Fail(ErrorCode::kUsage,
                fmt::format("a period of {} days would fail the audit's maximum of {}", period,
                            run.max_period_days));
  }
  Plan plan;
  plan.tool_version = run.tool_version;
  plan.run_id = run.run_id;
  plan.created = run.finished;
  for (const RegionResult& region : run.regions) {
    if (plan.scope.empty() || plan.scope.back().endpoint_url != region.endpoint_url ||
        plan.scope.back().account != region.account) {
      plan.scope.push_back({region.endpoint_url, region.account, {}});
    }
    plan.scope.back().regions.push_back(region.region);
  }
  plan.max_period_days = run.max_period_days;
  plan.strict_disabled = run.strict_disabled;
  plan.policy_sha256 = run.policy.sha256;
  plan.exceptions_sha256 = options.exceptions_sha256;
  plan.quota_share = options.quota_share;
  plan.audit_incomplete = run.incomplete();
  for (const KeyResult& key : run.keys) {
    const Judgement& judgement = key.judgement;
    if (IsFailure(judgement.verdict) && judgement.remediable) {
      plan.changes.push_back(ChangeFor(key, period, options.period_days.has_value()));
    } else if (NeedsExplanation(judgement.verdict) && !judgement.follows_primary) {
      plan.left_alone.push_back(
          {key.facts.endpoint_url, key.facts.arn, judgement.verdict, judgement.reason});
    }
  }
  plan.preview = Preview(run, plan.changes, options);
  plan.sha256 = HashOf(ContentText(plan));
  return plan;
}

std::string PlanText(const Plan& plan) {
  std::string text;
  json::Writer w(text, json::Writer::Style::kPretty);
  w.BeginObject();
  w.Key("format").String(kFormat).Key("version").Int(kVersion);
  w.Key("sha256").String(HashOf(ContentText(plan)));
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
  if (fields.OptionalText("format") != kFormat) {
    return wrong(ErrorCode::kUsage, "is no plan of keyturn");
  }
  const std::int64_t version = fields.Int("version", 1, 1000000);
  if (version > kVersion) {
    return wrong(ErrorCode::kNewerFormat, "was written by a newer version of keyturn");
  }
  const std::string sha256 = fields.Text("sha256");
  const json::Value content = fields.Object("content");
  if (!fields.ok()) return wrong(ErrorCode::kUsage, fields.wrong());
  if (HashOf(content.ToJson()) != sha256) {
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

std::vector<std::string> PlanNotes(const Plan& plan) {
  std::vector<std::string> notes;
  if (plan.audit_incomplete) {
    notes.emplace_back("The audit was incomplete: only what could be judged is planned.");
  }
  if (!plan.policy_sha256.empty()) {
    notes.push_back("Made under the policy with SHA-256 " + plan.policy_sha256 + ".");
  }
  std::map<Verdict, std::size_t> left;
  for (const LeftAlone& key : plan.left_alone) ++left[key.verdict];
  for (const auto& [verdict, count] : left) {
    notes.push_back(fmt::format("{} {} left alone: {}", count, count == 1 ? "key is" : "keys are",
                                VerdictName(verdict)));
  }
  if (plan.changes.empty()) return notes;
  std::string calls;
  for (const auto& [operation, count] : plan.preview.calls) {
    calls += fmt::format("{}{} {}", calls.empty() ? "" : ", ", count, operation);
  }
  notes.push_back("Calls: " + calls + ".");
  if (plan.preview.seconds) {
    notes.push_back(fmt::format("At {:g} of AWS's quotas this takes about {}.", plan.quota_share,
                                Duration(*plan.preview.seconds)));
  }
  if (plan.preview.monthly_cost_after_first && plan.preview.monthly_cost_after_second) {
    notes.push_back(fmt::format(
        "Kept key material costs at most ${:.0f} more a month after the first rotation of each "
        "key, ${:.0f} after the second, and no more after that.",
        *plan.preview.monthly_cost_after_first, *plan.preview.monthly_cost_after_second));
  }
  return notes;
}

}  // namespace keyturn::control
