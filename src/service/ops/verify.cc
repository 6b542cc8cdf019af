#include "api/ops/verify.h"

#include "service/ops/signing.h"

namespace keyturn::service {

template <>
Result<api::VerifyResponse> Handle<api::op::Verify>(Call& call, const api::VerifyRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckUse(entry.key, keys::KeyOperation::kVerify, "Verify",
                        model::KeyUsage::kSignVerify));
  KT_TRY(keys::CheckAlgorithm(entry.key, keys::SpecOf(entry.key.spec).signing,
                              request.signing_algorithm));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(const Signed content, SignedInput(entry.key, request));
  KT_ASSIGN(const crypto::AsymmetricKey* pair,
            call.environment.keyring.RevealPair(entry.key, *entry.current));
  if (!pair->Verify(content.scheme, HashOf(request.signing_algorithm), content.input,
                    request.signature)) {
    return Fail(ErrorCode::kKMSInvalidSignatureException);
  }
  KT_TRY(CheckDryRun(request.dry_run));
  return api::VerifyResponse{.key_id = entry.key.arn(),
                             .signature_valid = true,
                             .signing_algorithm = request.signing_algorithm};
}

}  // namespace keyturn::service
