#include "api/ops/generate_random.h"

#include "service/custom_key_stores.h"
#include "service/ops/common.h"
#include "service/outside_errors.h"

namespace keyturn::service {
namespace {

// FromToken: the random bytes of a CloudHSM key store.
Result<api::GenerateRandomResponse> FromToken(const Call& call,
                                              const api::GenerateRandomRequest& request) {
  KT_ASSIGN(const CustomKeyStorePtr store, OwnCustomKeyStore(call, *request.custom_key_store_id));
  if (!store->is_token()) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "GenerateRandom is not supported in a custom key store of type "
                "EXTERNAL_KEY_STORE.");
  }
  if (!store->connected()) return Fail(WrongState(*store));
  if (!call.may_wait) return call.MustWait();
  hsm::Request random;
  random.action = hsm::Action::kRandom;
  random.count = static_cast<std::uint32_t>(*request.number_of_bytes);
  hsm::Reply reply = CallToken(call.environment, *store, random);
  if (!reply.ok()) {
    // This operation has no error of a key's state.
    Error error = UseError(reply.outcome);
    if (error.code == ErrorCode::kKMSInvalidStateException) {
      error.code = ErrorCode::kCustomKeyStoreInvalidStateException;
    } else if (error.code == ErrorCode::kKeyUnavailableException) {
      error.code = ErrorCode::kKMSInternalException;
    }
    return Fail(std::move(error));
  }
  api::GenerateRandomResponse response;
  response.plaintext = std::move(reply.data);
  KT_ASSIGN(response.ciphertext_for_recipient, ForRecipient(call, response.plaintext));
  return response;
}

}  // namespace

template <>
Result<api::GenerateRandomResponse> Handle<api::op::GenerateRandom>(
    Call& call, const api::GenerateRandomRequest& request) {
  if (!request.number_of_bytes) {
    return Fail(ErrorCode::kValidationException, "NumberOfBytes is required.");
  }
  if (request.custom_key_store_id) return FromToken(call, request);
  SecretBytes bytes(static_cast<std::size_t>(*request.number_of_bytes));
  call.environment.random.Fill(bytes.reveal_mutable());
  api::GenerateRandomResponse response;
  response.plaintext = std::move(bytes);
  KT_ASSIGN(response.ciphertext_for_recipient, ForRecipient(call, response.plaintext));
  return response;
}

}  // namespace keyturn::service
