#include "api/ops/generate_data_key_without_plaintext.h"

#include "service/ops/common.h"
#include "service/ops/data_key.h"

namespace keyturn::service {

template <>
Result<api::GenerateDataKeyWithoutPlaintextResponse>
Handle<api::op::GenerateDataKeyWithoutPlaintext>(
    Call& call, const api::GenerateDataKeyWithoutPlaintextRequest& request) {
  KT_ASSIGN(DataKey data_key, MakeDataKey(call, "GenerateDataKeyWithoutPlaintext", request));
  return api::GenerateDataKeyWithoutPlaintextResponse{
      .ciphertext_blob = std::move(data_key.blob),
      .key_id = call.key().key.arn(),
      .key_material_id = IdOrNone(call.key_material_id)};
}

}  // namespace keyturn::service
