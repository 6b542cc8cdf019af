// The list of keys, and the dashboard, which is made of the same facts.
#include <algorithm>

#include "api/ops/describe_key.h"
#include "api/ops/get_key_rotation_status.h"
#include "api/ops/list_key_rotations.h"
#include "api/ops/list_keys.h"
#include "api/ops/list_resource_tags.h"
#include "console/views.h"
#include "control/evaluate.h"
#include "json/json.h"
#include "server/form.h"

namespace keyturn::console {
namespace {

using service::Call;

// KeyRow: a key as the console shows it, beside the facts that the control judges.
struct KeyRow {
  std::optional<std::vector<api::Tag>> tags;
  std::optional<std::vector<api::RotationsListEntry>> rotations;
};

template <typename Operation>
Result<typename Operation::Response> Perform(Call& call, const typename Operation::Request& input) {
  call.targets.clear();
  KT_TRY(service::Prepare<Operation>(call, input));
  return service::Handle<Operation>(call, input);
}

control::CallFailure FailureOf(std::string operation, const Error& error) {
  control::CallFailure failure;
  failure.operation = std::move(operation);
  failure.error_code = error.code == ErrorCode::kAccessDeniedException ? "AccessDeniedException"
                                                                       : "KMSInvalidStateException";
  failure.message = error.message;
  return failure;
}

template <typename E>
std::string Text(const std::optional<E>& value) {
  return value ? std::string(model::ToWire(*value)) : std::string();
}

control::KeyFacts FactsOf(const api::KeyMetadata& metadata, model::Region region) {
  control::KeyFacts facts;
  facts.arn = metadata.arn.value_or("");
  facts.key_id = metadata.key_id;
  facts.account = metadata.aws_account_id.value_or("");
  facts.region = region.name();
  facts.key_manager = Text(metadata.key_manager);
  facts.key_spec = Text(metadata.key_spec);
  facts.key_usage = Text(metadata.key_usage);
  facts.origin = Text(metadata.origin);
  facts.key_state = Text(metadata.key_state);
  facts.description = metadata.description.value_or("");
  facts.creation_date = metadata.creation_date;
  facts.deletion_date = metadata.deletion_date;
  facts.multi_region = metadata.multi_region.value_or(false);
  if (metadata.multi_region_configuration) {
    const api::MultiRegionConfiguration& all = *metadata.multi_region_configuration;
    facts.multi_region_type = Text(all.multi_region_key_type);
    if (all.primary_key) {
      facts.primary_arn = all.primary_key->arn.value_or("");
      facts.primary_region = all.primary_key->region.value_or("");
    }
    if (all.replica_keys) {
      for (const api::MultiRegionKey& replica : *all.replica_keys) {
        facts.replica_arns.push_back(replica.arn.value_or(""));
      }
    }
  }
  return facts;
}

void ReadRotation(Call& call, control::KeyFacts& facts, KeyRow& row) {
  if (!control::MayRotate(facts)) return;
  const auto status = Perform<api::op::GetKeyRotationStatus>(call, {facts.arn});
  if (!status) {
    facts.rotation_failure = FailureOf("GetKeyRotationStatus", status.error());
    return;
  }
  control::RotationFacts rotation;
  rotation.enabled = status->key_rotation_enabled.value_or(false);
  rotation.period_days = status->rotation_period_in_days;
  rotation.next_rotation_date = status->next_rotation_date;
  facts.rotation = rotation;
  api::ListKeyRotationsRequest asked;
  asked.key_id = facts.arn;
  auto rotations = Perform<api::op::ListKeyRotations>(call, asked);
  if (!rotations) return;
  row.rotations = std::move(rotations->rotations).value_or(std::vector<api::RotationsListEntry>());
  for (const api::RotationsListEntry& each : *row.rotations) {
    if (!each.rotation_date ||
        (facts.last_rotation_date && *facts.last_rotation_date >= *each.rotation_date)) {
      continue;
    }
    facts.last_rotation_date = each.rotation_date;
    facts.last_rotation_type = Text(each.rotation_type);
  }
}

// Inventory: all keys of the caller's account in some regions.
struct Inventory {
  std::vector<control::KeyResult> keys;
  std::unordered_map<std::string, KeyRow> rows;  // by ARN
  std::uint64_t hidden = 0;                      // keys that the caller may not describe
};

Status ReadRegion(const service::Service& service, const server::RequestState& request,
                  model::Region region, Inventory& inventory) {
  const service::Environment& environment = service.environment();
  Call call{environment, request.caller, region, request.now, environment.tables};
  KT_TRY(service::Prepare<api::op::ListKeys>(call, {}));
  const model::AccountId& account = request.caller.account();
  for (const model::KeyId& id :
       environment.tables.ListKeys(account, region, {}, std::numeric_limits<std::size_t>::max())) {
    const auto described =
        Perform<api::op::DescribeKey>(call, {std::string(id.text()), std::nullopt});
    if (!described) {
      // Gone since it was listed, or not the caller's to see.
      if (described.error().code == ErrorCode::kAccessDeniedException) ++inventory.hidden;
      continue;
    }
    control::KeyResult result{FactsOf(*described->key_metadata, region), {}};
    for (store::AliasRow& alias : environment.tables.AliasesOf(account, region, id)) {
      result.facts.aliases.push_back(std::move(alias.name));
    }
    KeyRow row;
    ReadRotation(call, result.facts, row);
    api::ListResourceTagsRequest asked;
    asked.key_id = result.facts.arn;
    if (auto tags = Perform<api::op::ListResourceTags>(call, asked)) {
      row.tags = std::move(tags->tags).value_or(std::vector<api::Tag>());
    }
    inventory.rows.emplace(result.facts.arn, std::move(row));
    inventory.keys.push_back(std::move(result));
  }
  return {};
}

void WriteDate(json::Writer& out, std::string_view name, const std::optional<TimePoint>& date) {
  if (date) out.Key(name).EpochSeconds(*date);
}

void WriteRow(const KeyRow& row, json::Writer& out) {
  if (row.tags) {
    out.Key("Tags").BeginArray();
    for (const api::Tag& tag : *row.tags) {
      out.BeginObject().Key("TagKey").String(tag.tag_key);
      out.Key("TagValue").String(tag.tag_value).EndObject();
    }
    out.EndArray();
  }
  if (row.rotations) {
    out.Key("Rotations").BeginArray();
    for (const api::RotationsListEntry& each : *row.rotations) {
      if (!each.rotation_date) continue;
      out.BeginObject();
      WriteDate(out, "RotationDate", each.rotation_date);
      out.Key("RotationType").String(Text(each.rotation_type)).EndObject();
    }
    out.EndArray();
  }
}

void WriteKey(const control::KeyResult& key, const KeyRow& row, json::Writer& out) {
  const control::KeyFacts& facts = key.facts;
  out.BeginObject().Key("KeyId").String(facts.key_id).Key("Arn").String(facts.arn);
  out.Key("Region").String(facts.region).Key("Aliases").BeginArray();
  for (const std::string& alias : facts.aliases) out.String(alias);
  out.EndArray();
  out.Key("KeyManager").String(facts.key_manager).Key("KeySpec").String(facts.key_spec);
  out.Key("KeyUsage").String(facts.key_usage).Key("Origin").String(facts.origin);
  out.Key("KeyState").String(facts.key_state).Key("Description").String(facts.description);
  out.Key("MultiRegion").Bool(facts.multi_region);
  if (facts.multi_region) out.Key("MultiRegionKeyType").String(facts.multi_region_type);
  WriteDate(out, "CreationDate", facts.creation_date);
  WriteDate(out, "DeletionDate", facts.deletion_date);
  if (facts.rotation) {
    out.Key("Rotation").BeginObject().Key("Enabled").Bool(facts.rotation->enabled);
    if (facts.rotation->period_days) out.Key("PeriodInDays").Int(*facts.rotation->period_days);
    WriteDate(out, "NextRotationDate", facts.rotation->next_rotation_date);
    out.EndObject();
  }
  WriteDate(out, "LastRotationDate", facts.last_rotation_date);
  WriteRow(row, out);
  out.Key("Verdict").String(control::VerdictName(key.judgement.verdict));
  out.Key("Reason").String(key.judgement.reason);
  out.Key("Remediable").Bool(key.judgement.remediable).EndObject();
}

}  // namespace

Status ViewKeys(service::Service& service, server::RequestState& request) {
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  Inventory inventory;
  if (query->Get("regions") == "all") {
    for (const std::string& name : service.tables().ListRegions(request.caller.account())) {
      KT_TRY(ReadRegion(service, request, *model::Region::Intern(name), inventory));
    }
  } else {
    KT_TRY(ReadRegion(service, request, request.region, inventory));
  }
  (void)control::JudgeAll(inventory.keys, {}, {}, request.now);
  const control::Totals totals = control::CountTotals(inventory.keys);
  json::Writer out(request.body);
  out.BeginObject().Key("Now").EpochSeconds(request.now);
  out.Key("HiddenKeys").Int(static_cast<std::int64_t>(inventory.hidden));
  out.Key("Totals").BeginObject();
  for (const auto& [verdict, count] : totals.by_verdict) {
    out.Key(control::VerdictName(verdict)).Int(static_cast<std::int64_t>(count));
  }
  out.EndObject();
  if (totals.compliance_percent) {
    out.Key("CompliancePercent").Double(*totals.compliance_percent);
  }
  out.Key("Keys").BeginArray();
  for (const control::KeyResult& key : inventory.keys) {
    WriteKey(key, inventory.rows.at(key.facts.arn), out);
  }
  out.EndArray().EndObject();
  return {};
}

}  // namespace keyturn::console
