#include "api/ops/generate_data_key_pair_without_plaintext.h"

#include "service/ops/data_key_pair.h"

namespace keyturn::service {

template <>
Result<api::GenerateDataKeyPairWithoutPlaintextResponse>
Handle<api::op::GenerateDataKeyPairWithoutPlaintext>(
    Call& call, const api::GenerateDataKeyPairWithoutPlaintextRequest& request) {
  KT_ASSIGN(DataKeyPair made,
            MakeDataKeyPair(call, "GenerateDataKeyPairWithoutPlaintext", request));
  return api::GenerateDataKeyPairWithoutPlaintextResponse{
      .private_key_ciphertext_blob = std::move(made.blob),
      .public_key = std::move(made.public_key),
      .key_id = call.key().key.arn(),
      .key_pair_spec = request.key_pair_spec,
      .key_material_id = call.key_material_id};
}

}  // namespace keyturn::service
