#include "api/ops/generate_random.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::GenerateRandomResponse> Handle<api::op::GenerateRandom>(
    Call& call, const api::GenerateRandomRequest& request) {
  if (!request.number_of_bytes) {
    return Fail(ErrorCode::kValidationException, "NumberOfBytes is required.");
  }
  if (request.custom_key_store_id) {
    return Fail(ErrorCode::kCustomKeyStoreNotFoundException);
  }
  SecretBytes bytes(static_cast<std::size_t>(*request.number_of_bytes));
  call.environment.random.Fill(bytes.reveal_mutable());
  std::optional<SecretBytes> plaintext(std::move(bytes));
  KT_ASSIGN(auto envelope, ForRecipient(call, plaintext));
  return api::GenerateRandomResponse{.plaintext = std::move(plaintext),
                                     .ciphertext_for_recipient = std::move(envelope)};
}

}  // namespace keyturn::service
