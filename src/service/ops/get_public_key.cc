#include "api/ops/get_public_key.h"

#include "keys/spec.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::GetPublicKeyResponse> Handle<api::op::GetPublicKey>(
    Call& call, const api::GetPublicKeyRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckState(entry.key, keys::KeyOperation::kGetPublicKey));
  if (!keys::SpecOf(entry.key.spec).is_pair()) {
    return Fail(ErrorCode::kUnsupportedOperationException);
  }
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(const crypto::AsymmetricKey* pair,
            call.environment.keyring.RevealPair(entry.key, *entry.current));
  api::KeyMetadata metadata = ToKeyMetadata(call.view, entry);
  return api::GetPublicKeyResponse{
      .key_id = entry.key.arn(),
      .public_key = pair->Spki(),
      .customer_master_key_spec = metadata.customer_master_key_spec,
      .key_spec = metadata.key_spec,
      .key_usage = metadata.key_usage,
      .encryption_algorithms = std::move(metadata.encryption_algorithms),
      .signing_algorithms = std::move(metadata.signing_algorithms),
      .key_agreement_algorithms = std::move(metadata.key_agreement_algorithms)};
}

}  // namespace keyturn::service
