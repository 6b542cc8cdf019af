#include "api/ops/derive_shared_secret.h"

#include "keys/spec.h"
#include "service/key_pairs.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DeriveSharedSecretResponse> Handle<api::op::DeriveSharedSecret>(
    Call& call, const api::DeriveSharedSecretRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckUse(entry.key, keys::KeyOperation::kDeriveSharedSecret, "DeriveSharedSecret",
                        model::KeyUsage::kKeyAgreement));
  KT_TRY(keys::CheckAlgorithm(entry.key, keys::SpecOf(entry.key.spec).agreement,
                              request.key_agreement_algorithm));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  const auto peer = crypto::AsymmetricKey::FromSpki(KeyTypeOf(entry.key.spec), request.public_key);
  if (!peer) return Fail(ErrorCode::kValidationException, {}, peer.error().message);
  KT_TRY(CheckDryRun(request.dry_run));
  KT_ASSIGN(const crypto::AsymmetricKey* pair,
            call.environment.keyring.RevealPair(entry.key, *entry.current));
  auto secret = pair->SharedSecret(*peer);
  if (!secret) return Fail(ErrorCode::kValidationException, {}, secret.error().message);
  std::optional<SecretBytes> plaintext(std::move(*secret));
  KT_ASSIGN(auto envelope, ForRecipient(call, plaintext));
  return api::DeriveSharedSecretResponse{.key_id = entry.key.arn(),
                                         .shared_secret = std::move(plaintext),
                                         .ciphertext_for_recipient = std::move(envelope),
                                         .key_agreement_algorithm = request.key_agreement_algorithm,
                                         .key_origin = entry.key.origin};
}

}  // namespace keyturn::service
