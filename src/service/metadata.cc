#include "service/metadata.h"

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

}  // namespace

api::KeyMetadata ToKeyMetadata(const keys::Key& key) {
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
  metadata.origin = key.origin;
  metadata.key_manager = key.manager;
  metadata.customer_master_key_spec = key.spec;
  metadata.key_spec = key.spec;
  NameAlgorithms(key, metadata);
  metadata.multi_region = key.multi_region;
  if (key.multi_region) {
    metadata.multi_region_configuration = api::MultiRegionConfiguration{
        .multi_region_key_type = model::MultiRegionKeyType::kPrimary,
        .primary_key =
            api::MultiRegionKey{.arn = key.arn(), .region = std::string(key.region.name())},
        .replica_keys = std::vector<api::MultiRegionKey>{}};
  }
  if (keys::SpecOf(key.spec).is_symmetric_encryption()) {
    metadata.current_key_material_id = key.current_material.hex();
  }
  return metadata;
}

}  // namespace keyturn::service
