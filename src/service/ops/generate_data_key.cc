#include "api/ops/generate_data_key.h"

#include "service/ops/common.h"
#include "service/ops/data_key.h"

namespace keyturn::service {

template <>
Result<api::GenerateDataKeyResponse> Handle<api::op::GenerateDataKey>(
    Call& call, const api::GenerateDataKeyRequest& request) {
  KT_ASSIGN(DataKey data_key, MakeDataKey(call, "GenerateDataKey", request));
  std::optional<SecretBytes> plaintext(std::move(data_key.plaintext));
  KT_ASSIGN(auto envelope, ForRecipient(call, plaintext));
  return api::GenerateDataKeyResponse{
      .ciphertext_blob = std::move(data_key.blob),
      .plaintext = std::move(plaintext),
      .key_id = call.key().key.arn(),
      .ciphertext_for_recipient = std::move(envelope),
      .key_material_id = call.attested ? std::nullopt : IdOrNone(call.key_material_id)};
}

}  // namespace keyturn::service
