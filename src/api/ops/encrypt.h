// Encrypt: encrypts up to 4,096 bytes.
// Source: KMS API model 2014-11-01, Encrypt.
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

struct EncryptRequest {
  std::string key_id;
  SecretBytes plaintext;
  std::optional<std::map<std::string, std::string>> encryption_context;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<model::EncryptionAlgorithmSpec> encryption_algorithm;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<EncryptRequest> = std::tuple{
    Member{"KeyId", &EncryptRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Plaintext", &EncryptRequest::plaintext, kRequired, kNeverLogged, Length{1, 4096}},
    Member{"EncryptionContext", &EncryptRequest::encryption_context},
    Member{"GrantTokens", &EncryptRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"EncryptionAlgorithm", &EncryptRequest::encryption_algorithm},
    Member{"DryRun", &EncryptRequest::dry_run},
};

struct EncryptResponse {
  std::optional<Bytes> ciphertext_blob;
  std::optional<std::string> key_id;
  std::optional<model::EncryptionAlgorithmSpec> encryption_algorithm;
};

template <>
inline constexpr auto kShape<EncryptResponse> = std::tuple{
    Member{"CiphertextBlob", &EncryptResponse::ciphertext_blob, kNeverLogged, Length{1, 6144}},
    Member{"KeyId", &EncryptResponse::key_id, Length{1, 2048}},
    Member{"EncryptionAlgorithm", &EncryptResponse::encryption_algorithm},
};

namespace op {
struct Encrypt {
  using Request = EncryptRequest;
  using Response = EncryptResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kEncrypt,
                                       .name = "Encrypt",
                                       .access = Access::kCryptographic,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKeyOrAlias,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
