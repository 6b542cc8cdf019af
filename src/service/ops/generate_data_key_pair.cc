#include "api/ops/generate_data_key_pair.h"

#include "service/ops/data_key_pair.h"

namespace keyturn::service {

template <>
Result<api::GenerateDataKeyPairResponse> Handle<api::op::GenerateDataKeyPair>(
    Call& call, const api::GenerateDataKeyPairRequest& request) {
  KT_ASSIGN(DataKeyPair made, MakeDataKeyPair(call, "GenerateDataKeyPair", request));
  std::optional<SecretBytes> plaintext(std::move(made.private_key));
  KT_ASSIGN(auto envelope, ForRecipient(call, plaintext));
  return api::GenerateDataKeyPairResponse{.private_key_ciphertext_blob = std::move(made.blob),
                                          .private_key_plaintext = std::move(plaintext),
                                          .public_key = std::move(made.public_key),
                                          .key_id = call.key().key.arn(),
                                          .key_pair_spec = request.key_pair_spec,
                                          .ciphertext_for_recipient = std::move(envelope),
                                          .key_material_id = call.key_material_id};
}

}  // namespace keyturn::service
