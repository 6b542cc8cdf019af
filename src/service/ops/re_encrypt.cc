#include "api/ops/re_encrypt.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ReEncryptResponse> Handle<api::op::ReEncrypt>(Call& call,
                                                          const api::ReEncryptRequest& request) {
  if (IgnoresCiphertext(request)) return Fail(CheckDryRun(true).error());
  const KeyEntry& source = *call.targets.at(0).key;
  const KeyEntry& destination = *call.targets.at(1).key;
  KT_ASSIGN(const auto from, CheckEncryption(source.key, keys::KeyOperation::kReEncrypt,
                                             "ReEncrypt", request.source_encryption_algorithm,
                                             request.source_encryption_context));
  KT_ASSIGN(const auto to, CheckEncryption(destination.key, keys::KeyOperation::kReEncrypt,
                                           "ReEncrypt", request.destination_encryption_algorithm,
                                           request.destination_encryption_context));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(Opened opened, DecryptAs(call, source, from, request.source_encryption_context,
                                     *request.ciphertext_blob));
  call.key_material_id = opened.key_material_id;
  if (to == model::EncryptionAlgorithmSpec::kSymmetricDefault) {
    call.destination_key_material_id = MaterialIdOf(destination);
  }
  KT_TRY(CheckDryRun(request.dry_run));
  KT_ASSIGN(Bytes blob, EncryptAs(call, destination, to, request.destination_encryption_context,
                                  opened.plaintext.reveal()));
  return api::ReEncryptResponse{
      .ciphertext_blob = std::move(blob),
      .source_key_id = source.key.arn(),
      .key_id = destination.key.arn(),
      .source_encryption_algorithm = from,
      .destination_encryption_algorithm = to,
      .source_key_material_id = IdOrNone(opened.key_material_id),
      .destination_key_material_id = IdOrNone(call.destination_key_material_id)};
}

}  // namespace keyturn::service
