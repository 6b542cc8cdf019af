// GenerateDataKey: returns a new data key, in plaintext and encrypted.
// Source: KMS API model 2014-11-01, GenerateDataKey.
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

struct GenerateDataKeyRequest {
  std::string key_id;
  std::optional<std::map<std::string, std::string>> encryption_context;
  std::optional<std::int32_t> number_of_bytes;
  std::optional<model::DataKeySpec> key_spec;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<RecipientInfo> recipient;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<GenerateDataKeyRequest> = std::tuple{
    Member{"KeyId", &GenerateDataKeyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"EncryptionContext", &GenerateDataKeyRequest::encryption_context},
    Member{"NumberOfBytes", &GenerateDataKeyRequest::number_of_bytes, Range{1, 1024}},
    Member{"KeySpec", &GenerateDataKeyRequest::key_spec},
    Member{"GrantTokens", &GenerateDataKeyRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"Recipient", &GenerateDataKeyRequest::recipient, kNeverLogged},
    Member{"DryRun", &GenerateDataKeyRequest::dry_run},
};

struct GenerateDataKeyResponse {
  std::optional<Bytes> ciphertext_blob;
  std::optional<SecretBytes> plaintext;
  std::optional<std::string> key_id;
  std::optional<Bytes> ciphertext_for_recipient;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<GenerateDataKeyResponse> = std::tuple{
    Member{"CiphertextBlob", &GenerateDataKeyResponse::ciphertext_blob, kNeverLogged,
           Length{1, 6144}},
    Member{"Plaintext", &GenerateDataKeyResponse::plaintext, kNeverLogged, Length{1, 4096}},
    Member{"KeyId", &GenerateDataKeyResponse::key_id, Length{1, 2048}},
    Member{"CiphertextForRecipient", &GenerateDataKeyResponse::ciphertext_for_recipient,
           kNeverLogged, Length{1, 6144}},
    Member{"KeyMaterialId", &GenerateDataKeyResponse::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

namespace op {
struct GenerateDataKey {
  using Request = GenerateDataKeyRequest;
  using Response = GenerateDataKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGenerateDataKey,
                                       .name = "GenerateDataKey",
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
