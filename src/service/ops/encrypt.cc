#include "api/ops/encrypt.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::EncryptResponse> Handle<api::op::Encrypt>(Call& call,
                                                      const api::EncryptRequest& request) {
  const KeyEntry& entry = call.key();
  KT_ASSIGN(const auto algorithm,
            CheckEncryption(entry.key, keys::KeyOperation::kEncrypt, "Encrypt",
                            request.encryption_algorithm, request.encryption_context));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  if (algorithm == model::EncryptionAlgorithmSpec::kSymmetricDefault) {
    call.key_material_id = MaterialIdOf(entry);
  }
  // Nobody outside is asked to encrypt what nobody will get.
  if (entry.key.custody) KT_TRY(CheckDryRun(request.dry_run));
  // Encrypted before the question of a dry run, so that a plaintext that is too long is told.
  KT_ASSIGN(Bytes blob, EncryptAs(call, entry, algorithm, request.encryption_context,
                                  request.plaintext.reveal()));
  KT_TRY(CheckDryRun(request.dry_run));
  return api::EncryptResponse{.ciphertext_blob = std::move(blob),
                              .key_id = entry.key.arn(),
                              .encryption_algorithm = algorithm};
}

}  // namespace keyturn::service
