#include "api/ops/sign.h"

#include "service/ops/signing.h"

namespace keyturn::service {

template <>
Result<api::SignResponse> Handle<api::op::Sign>(Call& call, const api::SignRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(
      keys::CheckUse(entry.key, keys::KeyOperation::kSign, "Sign", model::KeyUsage::kSignVerify));
  KT_TRY(keys::CheckAlgorithm(entry.key, keys::SpecOf(entry.key.spec).signing,
                              request.signing_algorithm));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(const Signed content, SignedInput(entry.key, request));
  KT_TRY(CheckDryRun(request.dry_run));
  KT_ASSIGN(const crypto::AsymmetricKey* pair,
            call.environment.keyring.RevealPair(entry.key, *entry.current));
  return api::SignResponse{
      .key_id = entry.key.arn(),
      .signature = pair->Sign(content.scheme, HashOf(request.signing_algorithm), content.input),
      .signing_algorithm = request.signing_algorithm};
}

}  // namespace keyturn::service
