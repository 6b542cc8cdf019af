// GenerateDataKeyPair: returns a new key pair.
// Source: KMS API model 2014-11-01, GenerateDataKeyPair.
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

struct GenerateDataKeyPairRequest {
  std::optional<std::map<std::string, std::string>> encryption_context;
  std::string key_id;
  model::DataKeyPairSpec key_pair_spec{};
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<RecipientInfo> recipient;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<GenerateDataKeyPairRequest> = std::tuple{
    Member{"EncryptionContext", &GenerateDataKeyPairRequest::encryption_context},
    Member{"KeyId", &GenerateDataKeyPairRequest::key_id, kRequired, Length{1, 2048}},
    Member{"KeyPairSpec", &GenerateDataKeyPairRequest::key_pair_spec, kRequired},
    Member{"GrantTokens", &GenerateDataKeyPairRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"Recipient", &GenerateDataKeyPairRequest::recipient, kNeverLogged},
    Member{"DryRun", &GenerateDataKeyPairRequest::dry_run},
};

struct GenerateDataKeyPairResponse {
  std::optional<Bytes> private_key_ciphertext_blob;
  std::optional<SecretBytes> private_key_plaintext;
  std::optional<Bytes> public_key;
  std::optional<std::string> key_id;
  std::optional<model::DataKeyPairSpec> key_pair_spec;
  std::optional<Bytes> ciphertext_for_recipient;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<GenerateDataKeyPairResponse> = std::tuple{
    Member{"PrivateKeyCiphertextBlob", &GenerateDataKeyPairResponse::private_key_ciphertext_blob,
           kNeverLogged, Length{1, 6144}},
    Member{"PrivateKeyPlaintext", &GenerateDataKeyPairResponse::private_key_plaintext, kNeverLogged,
           Length{1, 4096}},
    Member{"PublicKey", &GenerateDataKeyPairResponse::public_key, kNeverLogged, Length{1, 8192}},
    Member{"KeyId", &GenerateDataKeyPairResponse::key_id, Length{1, 2048}},
    Member{"KeyPairSpec", &GenerateDataKeyPairResponse::key_pair_spec},
    Member{"CiphertextForRecipient", &GenerateDataKeyPairResponse::ciphertext_for_recipient,
           kNeverLogged, Length{1, 6144}},
    Member{"KeyMaterialId", &GenerateDataKeyPairResponse::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

namespace op {
struct GenerateDataKeyPair {
  using Request = GenerateDataKeyPairRequest;
  using Response = GenerateDataKeyPairResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGenerateDataKeyPair,
                                       .name = "GenerateDataKeyPair",
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
