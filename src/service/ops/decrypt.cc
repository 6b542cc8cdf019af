#include "api/ops/decrypt.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DecryptResponse> Handle<api::op::Decrypt>(Call& call,
                                                      const api::DecryptRequest& request) {
  const KeyEntry& entry = call.key();
  if (IgnoresCiphertext(request)) return Fail(CheckDryRun(true).error());
  KT_ASSIGN(const auto algorithm,
            CheckEncryption(entry.key, keys::KeyOperation::kDecrypt, "Decrypt",
                            request.encryption_algorithm, request.encryption_context));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(Opened opened, DecryptAs(call, entry, algorithm, request.encryption_context,
                                     *request.ciphertext_blob));
  call.key_material_id = std::move(opened.key_material_id);
  KT_TRY(CheckDryRun(request.dry_run));
  std::optional<SecretBytes> plaintext(std::move(opened.plaintext));
  KT_ASSIGN(auto envelope, ForRecipient(call, plaintext));
  return api::DecryptResponse{
      .key_id = entry.key.arn(),
      .plaintext = std::move(plaintext),
      .encryption_algorithm = algorithm,
      .ciphertext_for_recipient = std::move(envelope),
      .key_material_id = call.attested ? std::nullopt : IdOrNone(call.key_material_id)};
}

}  // namespace keyturn::service
