// GetPublicKey: returns the public key.
// Source: KMS API model 2014-11-01, GetPublicKey.
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

struct GetPublicKeyRequest {
  std::string key_id;
  std::optional<std::vector<std::string>> grant_tokens;
};

template <>
inline constexpr auto kShape<GetPublicKeyRequest> = std::tuple{
    Member{"KeyId", &GetPublicKeyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"GrantTokens", &GetPublicKeyRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
};

struct GetPublicKeyResponse {
  std::optional<std::string> key_id;
  std::optional<Bytes> public_key;
  std::optional<model::KeySpec> customer_master_key_spec;
  std::optional<model::KeySpec> key_spec;
  std::optional<model::KeyUsage> key_usage;
  std::optional<std::vector<model::EncryptionAlgorithmSpec>> encryption_algorithms;
  std::optional<std::vector<model::SigningAlgorithmSpec>> signing_algorithms;
  std::optional<std::vector<model::KeyAgreementAlgorithmSpec>> key_agreement_algorithms;
};

template <>
inline constexpr auto kShape<GetPublicKeyResponse> = std::tuple{
    Member{"KeyId", &GetPublicKeyResponse::key_id, Length{1, 2048}},
    Member{"PublicKey", &GetPublicKeyResponse::public_key, kNeverLogged, Length{1, 8192}},
    Member{"CustomerMasterKeySpec", &GetPublicKeyResponse::customer_master_key_spec},
    Member{"KeySpec", &GetPublicKeyResponse::key_spec},
    Member{"KeyUsage", &GetPublicKeyResponse::key_usage},
    Member{"EncryptionAlgorithms", &GetPublicKeyResponse::encryption_algorithms},
    Member{"SigningAlgorithms", &GetPublicKeyResponse::signing_algorithms},
    Member{"KeyAgreementAlgorithms", &GetPublicKeyResponse::key_agreement_algorithms},
};

namespace op {
struct GetPublicKey {
  using Request = GetPublicKeyRequest;
  using Response = GetPublicKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGetPublicKey,
                                       .name = "GetPublicKey",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKeyOrAlias,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
