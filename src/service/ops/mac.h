// What GenerateMac and VerifyMac share.
#pragma once

#include "keys/spec.h"
#include "service/key_pairs.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <typename Request>
Status CheckMacUse(const Call& call, keys::KeyOperation operation, std::string_view name,
                   const Request& request) {
  const keys::Key& key = call.key().key;
  KT_TRY(keys::CheckUse(key, operation, name, model::KeyUsage::kGenerateVerifyMac));
  KT_TRY(keys::CheckAlgorithm(key, keys::SpecOf(key.spec).mac, request.mac_algorithm));
  return CheckGrantTokens(call, request.grant_tokens);
}

template <typename Request>
Result<Bytes> MacOf(const Call& call, const Request& request) {
  const KeyEntry& entry = call.key();
  KT_ASSIGN(const SecretBytes key, call.environment.keyring.OpenMaterialBytes(
                                       entry.key, entry.current->id, entry.current->sealed));
  return crypto::Hmac(HashOf(request.mac_algorithm), key.reveal(), request.message.reveal());
}

}  // namespace keyturn::service
