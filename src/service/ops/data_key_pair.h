// Data key pairs: what GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext share.
#pragma once

#include "service/key_pairs.h"
#include "service/ops/common.h"

namespace keyturn::service {

struct DataKeyPair {
  SecretBytes private_key;  // PKCS#8
  Bytes blob;               // private_key, encrypted
  Bytes public_key;         // SubjectPublicKeyInfo
};

template <typename Request>
Result<DataKeyPair> MakeDataKeyPair(Call& call, std::string_view operation,
                                    const Request& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(CheckSymmetricUse(entry.key, keys::KeyOperation::kGenerateDataKey, operation));
  KT_TRY(keys::CheckHere(entry.key));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_ASSIGN(const crypto::KeyType type, KeyTypeOf(request.key_pair_spec, call.region));
  call.key_material_id = MaterialIdOf(entry);
  KT_TRY(CheckDryRun(request.dry_run));
  const crypto::AsymmetricKey pair = crypto::AsymmetricKey::Generate(type);
  DataKeyPair made{pair.Pkcs8(), {}, pair.Spki()};
  KT_ASSIGN(made.blob,
            EncryptWithCurrent(call, entry, request.encryption_context, made.private_key.reveal()));
  return made;
}

}  // namespace keyturn::service
