// GenerateRandom: returns random bytes.
// Source: KMS API model 2014-11-01, GenerateRandom.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/operation.h"
#include "api/patterns.h"
#include "api/shape.h"
#include "api/structures.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"
#include "model/enums.h"

namespace keyturn::api {

struct GenerateRandomRequest {
  std::optional<std::int32_t> number_of_bytes;
  std::optional<std::string> custom_key_store_id;
  std::optional<RecipientInfo> recipient;
};

template <>
inline constexpr auto kShape<GenerateRandomRequest> = std::tuple{
    Member{"NumberOfBytes", &GenerateRandomRequest::number_of_bytes, Range{1, 1024}},
    Member{"CustomKeyStoreId", &GenerateRandomRequest::custom_key_store_id, Length{1, 64}},
    Member{"Recipient", &GenerateRandomRequest::recipient, kNeverLogged},
};

struct GenerateRandomResponse {
  std::optional<SecretBytes> plaintext;
  std::optional<Bytes> ciphertext_for_recipient;
};

template <>
inline constexpr auto kShape<GenerateRandomResponse> = std::tuple{
    Member{"Plaintext", &GenerateRandomResponse::plaintext, kNeverLogged, Length{1, 4096}},
    Member{"CiphertextForRecipient", &GenerateRandomResponse::ciphertext_for_recipient,
           kNeverLogged, Length{1, 6144}},
};

namespace op {
struct GenerateRandom {
  using Request = GenerateRandomRequest;
  using Response = GenerateRandomResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGenerateRandom,
                                       .name = "GenerateRandom",
                                       .access = Access::kCryptographic,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kNone,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
