// The keys of an account, read as the caller.
#include "console/inventory.h"

#include "api/ops/describe_key.h"
#include "api/ops/get_key_rotation_status.h"
#include "api/ops/list_key_rotations.h"
#include "api/ops/list_keys.h"
#include "api/ops/list_resource_tags.h"
#include "model/arn.h"
#include "service/access.h"

namespace keyturn::console {
namespace {

using service::Call;

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

control::KeyFacts HiddenFacts(const model::AccountId& account, model::Region region,
                              const model::KeyId& id, const Error& error) {
  control::KeyFacts facts;
  facts.arn = model::KeyArn(region, account, id);
  facts.key_id = id.text();
  facts.account = account.text();
  facts.region = region.name();
  facts.describe_failure = FailureOf("DescribeKey", error);
  return facts;
}

}  // namespace

Result<control::KeyFacts> ReadFacts(Call& call, const std::string& key_id, KeyRow& row) {
  KT_ASSIGN(const auto described, Perform<api::op::DescribeKey>(call, {key_id, std::nullopt}));
  const service::Target target = call.targets.front();
  const keys::Key& key = target.key->key;
  control::KeyFacts facts = FactsOf(*described.key_metadata, key.region);
  for (store::AliasRow& alias : call.view.AliasesOf(key.account, key.region, key.id)) {
    facts.aliases.push_back(std::move(alias.name));
  }
  for (const std::string_view operation : kBulkOperations) {
    if (!service::AuthorizeKey(call, "kms:" + std::string(operation), target)) {
      row.denied.push_back(operation);
    }
  }
  ReadRotation(call, facts, row);
  api::ListResourceTagsRequest asked;
  asked.key_id = facts.arn;
  if (auto tags = Perform<api::op::ListResourceTags>(call, asked)) {
    row.tags = std::move(tags->tags).value_or(std::vector<api::Tag>());
  }
  call.targets = {target};
  return facts;
}

Status ReadRegion(const service::Environment& environment, const server::RequestState& request,
                  model::Region region, Inventory& inventory) {
  Call call{environment, request.caller, region, request.now, environment.tables};
  KT_TRY(service::Prepare<api::op::ListKeys>(call, {}));
  const model::AccountId& account = request.caller.account();
  for (const model::KeyId& id :
       environment.tables.ListKeys(account, region, {}, std::numeric_limits<std::size_t>::max())) {
    KeyRow row;
    auto facts = ReadFacts(call, std::string(id.text()), row);
    if (!facts) {
      // Gone since it was listed, or not the caller's to see.
      if (facts.error().code == ErrorCode::kAccessDeniedException) {
        inventory.hidden_keys.push_back({HiddenFacts(account, region, id, facts.error()), {}});
      }
      continue;
    }
    inventory.rows.emplace(facts->arn, std::move(row));
    inventory.keys.push_back({std::move(*facts), {}});
  }
  return {};
}

Status ReadAllRegions(const service::Environment& environment, const server::RequestState& request,
                      Inventory& inventory) {
  for (const std::string& name : environment.tables.ListRegions(request.caller.account())) {
    KT_TRY(ReadRegion(environment, request, *model::Region::Intern(name), inventory));
  }
  return {};
}

}  // namespace keyturn::console
