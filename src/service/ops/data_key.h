// Data keys: what GenerateDataKey and GenerateDataKeyWithoutPlaintext share.
#pragma once

#include "service/ops/common.h"

namespace keyturn::service {

struct DataKey {
  SecretBytes plaintext;
  Bytes blob;
};

template <typename Request>
Result<DataKey> MakeDataKey(Call& call, std::string_view operation, const Request& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(CheckSymmetricUse(entry.key, keys::KeyOperation::kGenerateDataKey, operation));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  if (request.key_spec.has_value() == request.number_of_bytes.has_value()) {
    return Fail(ErrorCode::kValidationException,
                "Please specify either number of bytes or key spec.");
  }
  call.key_material_id = MaterialIdOf(entry);
  KT_TRY(CheckDryRun(request.dry_run));
  std::size_t size = 0;
  if (request.number_of_bytes) {
    size = static_cast<std::size_t>(*request.number_of_bytes);
  } else {
    size = *request.key_spec == model::DataKeySpec::kAes128 ? 16 : 32;
  }
  DataKey data_key{SecretBytes(size), {}};
  call.environment.random.Fill(data_key.plaintext.reveal_mutable());
  KT_ASSIGN(data_key.blob, EncryptWithCurrent(call, entry, request.encryption_context,
                                              data_key.plaintext.reveal()));
  return data_key;
}

}  // namespace keyturn::service
