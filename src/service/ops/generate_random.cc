#include "api/ops/generate_random.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::GenerateRandomResponse> Handle<api::op::GenerateRandom>(
    Call& call, const api::GenerateRandomRequest& request) {
  if (!request.number_of_bytes) {
    return Fail(ErrorCode::kValidationException, "NumberOfBytes is required.");
  }
  KT_TRY(CheckRecipient(request.recipient));
  if (request.custom_key_store_id) {
    return Fail(ErrorCode::kCustomKeyStoreNotFoundException);
  }
  SecretBytes bytes(static_cast<std::size_t>(*request.number_of_bytes));
  call.environment.random.Fill(bytes.reveal_mutable());
  return api::GenerateRandomResponse{.plaintext = std::move(bytes),
                                     .ciphertext_for_recipient = std::nullopt};
}

}  // namespace keyturn::service
