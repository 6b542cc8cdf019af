// GenerateDataKeyPairWithoutPlaintext: returns a new key pair, its private key encrypted only.
// Source: KMS API model 2014-11-01, GenerateDataKeyPairWithoutPlaintext.
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

struct GenerateDataKeyPairWithoutPlaintextRequest {
  std::optional<std::map<std::string, std::string>> encryption_context;
  std::string key_id;
  model::DataKeyPairSpec key_pair_spec{};
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<GenerateDataKeyPairWithoutPlaintextRequest> = std::tuple{
    Member{"EncryptionContext", &GenerateDataKeyPairWithoutPlaintextRequest::encryption_context},
    Member{"KeyId", &GenerateDataKeyPairWithoutPlaintextRequest::key_id, kRequired,
           Length{1, 2048}},
    Member{"KeyPairSpec", &GenerateDataKeyPairWithoutPlaintextRequest::key_pair_spec, kRequired},
    Member{"GrantTokens", &GenerateDataKeyPairWithoutPlaintextRequest::grant_tokens, kNeverLogged,
           Length{0, 10}, Each{Length{1, 8192}}},
    Member{"DryRun", &GenerateDataKeyPairWithoutPlaintextRequest::dry_run},
};

struct GenerateDataKeyPairWithoutPlaintextResponse {
  std::optional<Bytes> private_key_ciphertext_blob;
  std::optional<Bytes> public_key;
  std::optional<std::string> key_id;
  std::optional<model::DataKeyPairSpec> key_pair_spec;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<GenerateDataKeyPairWithoutPlaintextResponse> = std::tuple{
    Member{"PrivateKeyCiphertextBlob",
           &GenerateDataKeyPairWithoutPlaintextResponse::private_key_ciphertext_blob, kNeverLogged,
           Length{1, 6144}},
    Member{"PublicKey", &GenerateDataKeyPairWithoutPlaintextResponse::public_key, kNeverLogged,
           Length{1, 8192}},
    Member{"KeyId", &GenerateDataKeyPairWithoutPlaintextResponse::key_id, Length{1, 2048}},
    Member{"KeyPairSpec", &GenerateDataKeyPairWithoutPlaintextResponse::key_pair_spec},
    Member{"KeyMaterialId", &GenerateDataKeyPairWithoutPlaintextResponse::key_material_id,
           Length{64, 64}, &pattern::kBackingKeyId},
};

namespace op {
struct GenerateDataKeyPairWithoutPlaintext {
  using Request = GenerateDataKeyPairWithoutPlaintextRequest;
  using Response = GenerateDataKeyPairWithoutPlaintextResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGenerateDataKeyPairWithoutPlaintext,
                                       .name = "GenerateDataKeyPairWithoutPlaintext",
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
