#include "api/ops/generate_data_key.h"

#include "service/ops/common.h"
#include "service/ops/data_key.h"

namespace keyturn::service {

template <>
Result<api::GenerateDataKeyResponse> Handle<api::op::GenerateDataKey>(
    Call& call, const api::GenerateDataKeyRequest& request) {
  KT_TRY(CheckRecipient(request.recipient));
  KT_ASSIGN(DataKey data_key, MakeDataKey(call, "GenerateDataKey", request));
  return api::GenerateDataKeyResponse{.ciphertext_blob = std::move(data_key.blob),
                                      .plaintext = std::move(data_key.plaintext),
                                      .key_id = call.key().key.arn(),
                                      .ciphertext_for_recipient = std::nullopt,
                                      .key_material_id = call.key_material_id};
}

}  // namespace keyturn::service
