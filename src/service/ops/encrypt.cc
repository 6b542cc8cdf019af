#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::EncryptResponse> Handle<api::op::Encrypt>(Call& call,
                                                      const api::EncryptRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(CheckSymmetricUse(entry.key, keys::KeyOperation::kEncrypt, "Encrypt"));
  KT_TRY(CheckAlgorithm(entry.key, request.encryption_algorithm));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  call.key_material_id = entry.current->id.hex();
  KT_TRY(CheckDryRun(request.dry_run));
  KT_ASSIGN(Bytes blob, EncryptWithCurrent(call, entry, request.encryption_context,
                                           request.plaintext.reveal()));
  return api::EncryptResponse{
      .ciphertext_blob = std::move(blob),
      .key_id = entry.key.arn(),
      .encryption_algorithm = model::EncryptionAlgorithmSpec::kSymmetricDefault};
}

}  // namespace keyturn::service
