#include "console/jobs/job_request.h"

#include <algorithm>
#include <unordered_set>

#include "base/hex.h"
#include "console/inventory.h"
#include "console/jobs/job.h"
#include "control/evaluate.h"
#include "control/journal.h"
#include "crypto/digest.h"
#include "json/json.h"
#include "model/arn.h"
#include "service/access.h"

namespace keyturn::console {
namespace {

constexpr json::Limits kRequestLimits{.bytes_max = kJobRequestBytesMax, .depth_max = 4};
constexpr std::size_t kArnBytesMax = 2048;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(ErrorCode::kValidationException, std::move(message));
}

Result<std::string> JustificationOf(const json::Value& root) {
  const auto member = root.Find("Justification");
  if (!member) return std::string();
  const auto text = member->AsString();
  if (!text || text->size() > kJustificationBytesMax) {
    return Invalid("Justification must be text of at most 2,000 bytes.");
  }
  if (text->find_first_not_of(" \t\r\n") == std::string_view::npos) return std::string();
  return std::string(*text);
}

Result<control::RotationSetting> WantedOf(const json::Value& root) {
  const auto enabled = root.Find("Enabled");
  if (!enabled || !enabled->AsBool()) return Invalid("Enabled must be true or false.");
  control::RotationSetting wanted{*enabled->AsBool(), std::nullopt};
  const auto period = root.Find("PeriodInDays");
  if (!wanted.enabled) {
    if (period) return Invalid("PeriodInDays goes with Enabled true only.");
    return wanted;
  }
  const auto days = period ? period->AsInt() : control::kDefaultPeriodDays;
  if (!days || *days < control::kPeriodDaysMin || *days > control::kPeriodDaysMax) {
    return Invalid("PeriodInDays must be a number from 90 to 2560.");
  }
  wanted.period_days = static_cast<int>(*days);
  return wanted;
}

Result<std::vector<std::string>> KeysOf(const json::Value& root) {
  const auto list = root.Find("Keys");
  if (!list || list->type() != json::Type::kArray || list->size() == 0 ||
      list->size() > kJobKeysMax) {
    return Invalid("Keys must be a list of 1 to 10,000 key ARNs.");
  }
  std::vector<std::string> keys;
  std::unordered_set<std::string_view> seen;
  bool good = true;
  list->ForEachElement([&](std::size_t, json::Value each) {
    const auto text = each.AsString();
    good = text && !text->empty() && text->size() <= kArnBytesMax;
    if (good && seen.insert(*text).second) keys.emplace_back(*text);
    return good;
  });
  if (!good) return Invalid("Keys must be a list of 1 to 10,000 key ARNs.");
  return keys;
}

control::PlannedChange ChangeOf(const control::KeyFacts& facts, const JobRequest& asked,
                                std::string reason) {
  control::PlannedChange change;
  change.endpoint_url = "keyturn:console";
  change.arn = facts.arn;
  change.account = facts.account;
  change.region = facts.region;
  change.aliases = facts.aliases;
  change.reason = std::move(reason);
  change.before.key_state = facts.key_state;
  change.before.rotation = {facts.rotation->enabled, facts.rotation->period_days};
  change.before.next_rotation_date = facts.rotation->next_rotation_date;
  change.before.primary_region = facts.primary_region;
  change.wanted = asked.wanted;
  change.send_period = asked.wanted.enabled;
  return change;
}

// WhyNot says why a key cannot have the setting; empty when it can.
std::string WhyNot(service::Call& call, const control::KeyFacts& facts,
                   const control::Judgement& judgement, const JobRequest& asked) {
  if (control::IsReplica(facts)) {
    return "This is a replica: it has the setting of its primary key in " + facts.primary_region +
           ".";
  }
  if (!control::MayRotate(facts)) return judgement.reason;
  if (facts.key_state != "Enabled") return "The key is " + facts.key_state + ".";
  if (facts.rotation_failure) return facts.rotation_failure->message;
  if (!facts.rotation) return judgement.reason;
  const control::RotationSetting now{facts.rotation->enabled, facts.rotation->period_days};
  if (control::IsAs(now, asked.wanted)) {
    return "Rotation is " + control::SettingText(now) + " already.";
  }
  const std::string action =
      asked.wanted.enabled ? "kms:EnableKeyRotation" : "kms:DisableKeyRotation";
  const Status allowed = service::AuthorizeKey(call, action, call.targets.front());
  return allowed ? std::string() : allowed.error().message;
}

}  // namespace

Result<JobRequest> ParseJobRequest(std::string_view body) {
  json::Parser parser(kRequestLimits);
  const auto root = parser.Parse(body);
  if (!root || root->type() != json::Type::kObject) {
    return Fail(ErrorCode::kSerializationException);
  }
  JobRequest request;
  KT_ASSIGN(request.wanted, WantedOf(*root));
  KT_ASSIGN(request.justification, JustificationOf(*root));
  if (!request.wanted.enabled && request.justification.empty()) {
    return Invalid("Justification: say why turning rotation off is justified.");
  }
  KT_ASSIGN(request.keys, KeysOf(*root));
  if (const auto dry_run = root->Find("DryRun")) {
    if (!dry_run->AsBool()) return Invalid("DryRun must be true or false.");
    request.dry_run = *dry_run->AsBool();
  }
  return request;
}

Result<std::string> ParseJustification(std::string_view body) {
  json::Parser parser(kRequestLimits);
  const auto root = parser.Parse(body.empty() ? "{}" : body);
  if (!root || root->type() != json::Type::kObject) {
    return Fail(ErrorCode::kSerializationException);
  }
  return JustificationOf(*root);
}

JobPlan PlanJob(const service::Environment& environment, const server::RequestState& request,
                const JobRequest& asked) {
  JobPlan made;
  made.plan.created = request.now;
  for (const std::string& arn : asked.keys) {
    const auto parsed = model::Arn::Parse(arn);
    const auto region = parsed ? model::Region::Find(parsed->region) : std::nullopt;
    if (!region || parsed->account != request.caller.account().text()) {
      made.left_alone.push_back({arn, "This is no key ARN of this account."});
      continue;
    }
    service::Call call{environment, request.caller, *region, request.now, environment.tables};
    KeyRow row;
    const auto facts = ReadFacts(call, arn, row);
    if (!facts) {
      made.left_alone.push_back({arn, facts.error().message});
      continue;
    }
    const control::Judgement judgement = control::EvaluateKey(*facts, {});
    if (std::string reason = WhyNot(call, *facts, judgement, asked); !reason.empty()) {
      made.left_alone.push_back({arn, std::move(reason)});
    } else {
      made.plan.changes.push_back(ChangeOf(*facts, asked, judgement.reason));
    }
  }
  made.plan.sha256 = HexEncode(
      crypto::Sha256(AsBytes(control::JournalText(made.plan, made.plan.created, "console"))));
  return made;
}

}  // namespace keyturn::console
