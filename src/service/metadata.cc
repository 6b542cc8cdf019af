#include "service/metadata.h"

#include "model/arn.h"

namespace keyturn::service {

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
  metadata.encryption_algorithms = {model::EncryptionAlgorithmSpec::kSymmetricDefault};
  metadata.multi_region = key.multi_region;
  if (key.multi_region) {
    metadata.multi_region_configuration = api::MultiRegionConfiguration{
        .multi_region_key_type = model::MultiRegionKeyType::kPrimary,
        .primary_key =
            api::MultiRegionKey{.arn = key.arn(), .region = std::string(key.region.name())},
        .replica_keys = std::vector<api::MultiRegionKey>{}};
  }
  metadata.current_key_material_id = key.current_material.hex();
  return metadata;
}

}  // namespace keyturn::service
