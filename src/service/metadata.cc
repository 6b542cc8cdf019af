#include "service/metadata.h"

#include <algorithm>

#include "keys/spec.h"
#include "model/arn.h"

namespace keyturn::service {
namespace {

// NameAlgorithms: those of the key's usage, and no list for what it is not for.
void NameAlgorithms(const keys::Key& key, api::KeyMetadata& metadata) {
  const keys::Spec& spec = keys::SpecOf(key.spec);
  switch (key.usage) {
    case model::KeyUsage::kEncryptDecrypt:
      metadata.encryption_algorithms.emplace(spec.encryption.begin(), spec.encryption.end());
      break;
    case model::KeyUsage::kSignVerify:
      metadata.signing_algorithms.emplace(spec.signing.begin(), spec.signing.end());
      break;
    case model::KeyUsage::kGenerateVerifyMac:
      metadata.mac_algorithms.emplace(spec.mac.begin(), spec.mac.end());
      break;
    case model::KeyUsage::kKeyAgreement:
      metadata.key_agreement_algorithms.emplace(spec.agreement.begin(), spec.agreement.end());
      break;
  }
}

api::MultiRegionKey RegionOf(const keys::Key& key, model::Region region) {
  return {.arn = model::KeyArn(region, key.account, key.id), .region = std::string(region.name())};
}

api::MultiRegionConfiguration ConfigurationOf(const View& view, const keys::Key& key) {
  api::MultiRegionConfiguration configuration;
  configuration.multi_region_key_type =
      key.is_primary() ? model::MultiRegionKeyType::kPrimary : model::MultiRegionKeyType::kReplica;
  configuration.primary_key = RegionOf(key, key.primary_region);
  auto& replicas = configuration.replica_keys.emplace();
  for (const KeyPtr& related : view.FindRelated(key.id)) {
    if (related->key.is_replica()) replicas.push_back(RegionOf(key, related->key.region));
  }
  return configuration;
}

// ShowImport: expiration is shown while all material is there; ValidTo is the earliest.
void ShowImport(const KeyEntry& entry, api::KeyMetadata& metadata) {
  const auto imports = ImportsOf(entry);
  if (keys::LacksMaterial(entry.key, imports)) return;
  metadata.valid_to = keys::EarliestExpiry(entry.key, imports);
  metadata.expiration_model = metadata.valid_to
                                  ? model::ExpirationModelType::kKeyMaterialExpires
                                  : model::ExpirationModelType::kKeyMaterialDoesNotExpire;
}

void ShowCustody(const View& view, const keys::Key& key, api::KeyMetadata& metadata) {
  metadata.custom_key_store_id = key.custody->store;
  if (!key.custody->external_key.empty()) {
    metadata.xks_key_configuration.emplace().id = key.custody->external_key;
  }
  const CustomKeyStorePtr store = view.FindCustomKeyStore(key.custody->store);
  if (store && store->is_token()) metadata.cloud_hsm_cluster_id = store->row.cluster;
}

}  // namespace

api::KeyMetadata ToKeyMetadata(const View& view, const KeyEntry& entry) {
  const keys::Key& key = entry.key;
  api::KeyMetadata metadata;
  metadata.aws_account_id = key.account.text();
  metadata.key_id = key.id.text();
  metadata.arn = key.arn();
  metadata.creation_date = key.creation_date;
  metadata.enabled = key.state == model::KeyState::kEnabled;
  metadata.description = key.description;
  metadata.key_usage = key.usage;
  metadata.key_state = key.state;
  metadata.deletion_date = key.deletion_date;
  if (key.deletion_window) metadata.pending_deletion_window_in_days = key.deletion_window->count();
  metadata.origin = key.origin;
  metadata.key_manager = key.manager;
  metadata.customer_master_key_spec = key.spec;
  metadata.key_spec = key.spec;
  NameAlgorithms(key, metadata);
  metadata.multi_region = key.multi_region;
  if (key.multi_region) metadata.multi_region_configuration = ConfigurationOf(view, key);
  if (key.spec == model::KeySpec::kSymmetricDefault && key.has_material() && !key.custody &&
      key.state != model::KeyState::kCreating) {
    metadata.current_key_material_id = key.current_material.hex();
  }
  if (key.origin == model::Origin::kExternal) ShowImport(entry, metadata);
  if (key.custody) ShowCustody(view, key, metadata);
  return metadata;
}

}  // namespace keyturn::service
