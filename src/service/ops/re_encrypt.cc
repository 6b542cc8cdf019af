#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ReEncryptResponse> Handle<api::op::ReEncrypt>(Call& call,
                                                          const api::ReEncryptRequest& request) {
  const KeyEntry& source = *call.targets.at(0).key;
  const KeyEntry& destination = *call.targets.at(1).key;
  for (const KeyEntry* entry : {&source, &destination}) {
    KT_TRY(CheckSymmetricUse(entry->key, keys::KeyOperation::kReEncrypt, "ReEncrypt"));
  }
  KT_TRY(CheckAlgorithm(source.key, request.source_encryption_algorithm));
  KT_TRY(CheckAlgorithm(destination.key, request.destination_encryption_algorithm));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(Opened opened, DecryptWithAny(call, source, request.source_encryption_context,
                                          *request.ciphertext_blob));
  call.key_material_id = opened.key_material_id;
  call.destination_key_material_id = destination.current->id.hex();
  KT_TRY(CheckDryRun(request.dry_run));
  KT_ASSIGN(Bytes blob,
            EncryptWithCurrent(call, destination, request.destination_encryption_context,
                               opened.plaintext.reveal()));
  return api::ReEncryptResponse{
      .ciphertext_blob = std::move(blob),
      .source_key_id = source.key.arn(),
      .key_id = destination.key.arn(),
      .source_encryption_algorithm = model::EncryptionAlgorithmSpec::kSymmetricDefault,
      .destination_encryption_algorithm = model::EncryptionAlgorithmSpec::kSymmetricDefault,
      .source_key_material_id = std::move(opened.key_material_id),
      .destination_key_material_id = call.destination_key_material_id};
}

}  // namespace keyturn::service
