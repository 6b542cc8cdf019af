#include "api/ops/create_key.h"

#include <fmt/format.h>

#include "base/log.h"
#include "keys/spec.h"
#include "service/create_key.h"
#include "service/custom_key_stores.h"
#include "service/ops/common.h"
#include "service/outside_errors.h"
#include "service/outside_work.h"

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
  return {};
}

// CheckCustody: what a request says of a custom key store has to fit itself.
Status CheckCustody(const api::CreateKeyRequest& request, model::KeySpec spec) {
  const auto origin = request.origin.value_or(model::Origin::kAwsKms);
  const bool external = origin == model::Origin::kExternalKeyStore;
  const bool custom = external || origin == model::Origin::kAwsCloudhsm;
  if (custom != request.custom_key_store_id.has_value()) {
    return Fail(
        ErrorCode::kValidationException,
        custom ? fmt::format("CustomKeyStoreId is required for Origin {}.", model::ToWire(origin))
               : "CustomKeyStoreId requires Origin AWS_CLOUDHSM or EXTERNAL_KEY_STORE.");
  }
  if (external != request.xks_key_id.has_value()) {
    return Fail(ErrorCode::kValidationException,
                external ? "XksKeyId is required for Origin EXTERNAL_KEY_STORE."
                         : "XksKeyId requires Origin EXTERNAL_KEY_STORE.");
  }
  if (!custom) return {};
  // It would be another path once it is in one.
  if (external && request.xks_key_id->find_first_not_of('.') == std::string::npos) {
    return Fail(ErrorCode::kValidationException, "XksKeyId must not be dots only.");
  }
  if (spec != model::KeySpec::kSymmetricDefault) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("KeySpec {} is not supported for Origin {}", model::ToWire(spec),
                            model::ToWire(origin)));
  }
  if (request.multi_region.value_or(false)) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "Multi-Region keys are not supported in custom key stores.");
  }
  return {};
}

model::KeySpec SpecOfRequest(const api::CreateKeyRequest& request) {
  return request.key_spec.value_or(
      request.customer_master_key_spec.value_or(model::KeySpec::kSymmetricDefault));
}

// StoreForKey: null for a key that is not for a custom key store; else a connected one of the right
// type, in which no other key has the external key.
Result<CustomKeyStorePtr> StoreForKey(const Call& call, const api::CreateKeyRequest& request) {
  KT_TRY(CheckSpec(request, SpecOfRequest(request), call.region));
  KT_TRY(CheckCustody(request, SpecOfRequest(request)));
  if (!request.custom_key_store_id) return CustomKeyStorePtr();
  KT_ASSIGN(CustomKeyStorePtr store, OwnCustomKeyStore(call, *request.custom_key_store_id));
  if (store->is_token() != (request.origin == model::Origin::kAwsCloudhsm)) {
    return Fail(
        ErrorCode::kValidationException,
        fmt::format("Origin {} does not fit the custom key store {} of type {}.",
                    model::ToWire(*request.origin), store->row.id, model::ToWire(store->row.type)));
  }
  if (!store->connected()) {
    if (store->is_token()) return Fail(WrongState(*store));
    return Fail(ErrorCode::kCustomKeyStoreInvalidStateException,
                "This KMS key is in a custom key store that is not connected to its external key "
                "store proxy. Connect the external key store and try the request again.");
  }
  if (request.xks_key_id && call.view.FindInCustody(store->row.id, *request.xks_key_id)) {
    return Fail(ErrorCode::kXksKeyAlreadyInUseException,
                fmt::format("The external key {} is associated with another KMS key of the custom "
                            "key store {} already.",
                            *request.xks_key_id, store->row.id));
  }
  return store;
}

// CheckMade: what came of the part that was done outside.
Status CheckMade(const OutsideWork& work) {
  if (work.token != hsm::Outcome::kOk) return Fail(CreateKeyError(work.token));
  if (work.proxy) return Fail(CreateKeyError(*work.proxy));
  if (work.facts && !work.facts->Suits()) {
    return Fail(ErrorCode::kXksKeyInvalidConfigurationException,
                "The external key must be an enabled 256-bit AES key that is allowed to encrypt "
                "and to decrypt.");
  }
  return {};
}

}  // namespace

template <>
OutsideWork GoOutside<api::op::CreateKey>(Call& call, const api::CreateKeyRequest& request) {
  OutsideWork work;
  const auto store = StoreForKey(call, request);
  if (!store || !*store) return work;
  work.done = true;
  work.store = *store;
  if ((*store)->is_token()) {
    hsm::Request make;
    make.action = hsm::Action::kMakeKey;
    work.key_id = model::KeyId::New(call.environment.random, false);
    make.key = work.key_id->text();
    work.token = CallToken(call.environment, **store, make).outcome;
    return work;
  }
  if (call.environment.outside == nullptr) {
    work.proxy = model::ProxyFailure::kUnreachable;
    return work;
  }
  auto facts = call.environment.outside->external_keys->Metadata(
      AddressOf(**store), OriginOf(call, {}), *request.xks_key_id);
  if (facts) {
    work.facts = std::move(*facts);
  } else {
    work.proxy = facts.error();
  }
  return work;
}

// A key in the token that no KMS key stands for is deleted again.
template <>
void ComeBack<api::op::CreateKey>(const Environment& environment, const OutsideWork& work,
                                  bool committed) {
  if (committed || !work.key_id || work.token != hsm::Outcome::kOk) return;
  if (!DestroyInToken(environment, *work.store, *work.key_id)) {
    LogWarning("{}: the token keeps a key labelled {} that no KMS key uses", work.store->row.id,
               work.key_id->text());
  }
}

template <>
Result<api::CreateKeyResponse> Handle<api::op::CreateKey>(Call& call,
                                                          const api::CreateKeyRequest& request) {
  const model::KeySpec spec = SpecOfRequest(request);
  KT_ASSIGN(const CustomKeyStorePtr store, StoreForKey(call, request));
  KT_TRY(CheckKeyQuota(call, call.region));
  if (store) {
    KT_TRY(CheckUnchanged(call, store));
    KT_TRY(CheckMade(*call.outside_work));
  }
  KeyEntry made;
  if (request.tags && !request.tags->empty()) {
    KT_TRY(AuthorizeResource(call, "kms:TagResource", "*"));
    KT_TRY(CheckTags(*request.tags));
    for (const api::Tag& tag : *request.tags) made.tags.push_back({tag.tag_key, tag.tag_value});
  }
  keys::Key& key = made.key;
  key.multi_region = request.multi_region.value_or(false);
  key.id = model::KeyId::New(call.environment.random, key.multi_region);
  if (store) {
    if (call.outside_work->key_id) key.id = *call.outside_work->key_id;
    key.custody = std::make_shared<const keys::Custody>(
        keys::Custody{.store = store->row.id, .external_key = request.xks_key_id.value_or("")});
  }
  key.account = call.account();
  key.region = call.region;
  if (key.multi_region) key.primary_region = key.region;
  key.origin = request.origin.value_or(model::Origin::kAwsKms);
  key.description = request.description.value_or("");
  key.spec = spec;
  key.usage = request.key_usage.value_or(model::KeyUsage::kEncryptDecrypt);
  if (request.policy) {
    const bool bypass = request.bypass_policy_lockout_safety_check.value_or(false);
    KT_ASSIGN(made.policy, StorablePolicy(call, *request.policy, made, bypass));
  } else {
    KT_ASSIGN(made.policy, call.environment.policies.Get(
                               policy::DefaultKeyPolicy(call.region.partition(), call.account())));
  }
  key = AddKey(*call.txn, call.environment, std::move(key), std::move(made.policy),
               std::move(made.tags), call.now, call.ready_material);
  call.targets.push_back({call.txn->FindKey(key.region, key.id), std::nullopt});
  return api::CreateKeyResponse{.key_metadata = ToKeyMetadata(call.view, call.key())};
}

}  // namespace keyturn::service
