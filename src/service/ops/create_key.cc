#include "api/ops/create_key.h"

#include <fmt/format.h>

#include "keys/spec.h"
#include "service/create_key.h"
#include "service/ops/common.h"

namespace keyturn::service {

namespace {

// CheckSpec: what this server can make; combinations that AWS refuses get AWS's texts.
Status CheckSpec(const api::CreateKeyRequest& request, model::KeySpec spec, model::Region region) {
  if (request.key_spec && request.customer_master_key_spec) {
    return Fail(ErrorCode::kValidationException,
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
                "CustomerMasterKeySpec is deprecated.");
  }
  if (spec != model::KeySpec::kSymmetricDefault && !request.key_usage) {
    return Fail(ErrorCode::kValidationException,
                "You must specify a KeyUsage value for all KMS keys except for symmetric "
                "encryption keys.");
  }
  KT_TRY(
      keys::CheckUsage(spec, request.key_usage.value_or(model::KeyUsage::kEncryptDecrypt), region));
  const auto origin = request.origin.value_or(model::Origin::kAwsKms);
  const bool made_here = origin == model::Origin::kAwsKms || origin == model::Origin::kExternal;
  if (!made_here || request.custom_key_store_id || request.xks_key_id) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                fmt::format("Origin {} is not supported by this server.", model::ToWire(origin)));
  }
  return {};
}

}  // namespace

template <>
Result<api::CreateKeyResponse> Handle<api::op::CreateKey>(Call& call,
                                                          const api::CreateKeyRequest& request) {
  const model::KeySpec spec = request.key_spec.value_or(
      request.customer_master_key_spec.value_or(model::KeySpec::kSymmetricDefault));
  KT_TRY(CheckSpec(request, spec, call.region));
  KT_TRY(CheckKeyQuota(call, call.region));
  std::vector<store::Tag> tags;
  if (request.tags && !request.tags->empty()) {
    KT_TRY(AuthorizeResource(call, "kms:TagResource", "*"));
    KT_TRY(CheckTags(*request.tags));
    for (const api::Tag& tag : *request.tags) tags.push_back({tag.tag_key, tag.tag_value});
  }
  keys::Key key;
  key.multi_region = request.multi_region.value_or(false);
  key.id = model::KeyId::New(call.environment.random, key.multi_region);
  key.account = call.account();
  key.region = call.region;
  if (key.multi_region) key.primary_region = key.region;
  key.origin = request.origin.value_or(model::Origin::kAwsKms);
  key.description = request.description.value_or("");
  key.spec = spec;
  key.usage = request.key_usage.value_or(model::KeyUsage::kEncryptDecrypt);
  std::shared_ptr<const KeyPolicy> policy;
  if (request.policy) {
    const bool bypass = request.bypass_policy_lockout_safety_check.value_or(false);
    KT_ASSIGN(policy, StorablePolicy(call, *request.policy, key, bypass));
  } else {
    KT_ASSIGN(policy, call.environment.policies.Get(
                          policy::DefaultKeyPolicy(call.region.partition(), call.account())));
  }
  key = AddKey(*call.txn, call.environment, std::move(key), std::move(policy), std::move(tags),
               call.now, call.ready_material);
  call.targets.push_back({call.txn->FindKey(key.region, key.id), std::nullopt});
  return api::CreateKeyResponse{.key_metadata = ToKeyMetadata(call.view, call.key())};
}

}  // namespace keyturn::service
