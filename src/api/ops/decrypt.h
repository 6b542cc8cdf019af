// Decrypt: opens a ciphertext; a symmetric one names its key and material.
// Source: KMS API model 2014-11-01, Decrypt.
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

struct DecryptRequest {
  std::optional<Bytes> ciphertext_blob;
  std::optional<std::map<std::string, std::string>> encryption_context;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<std::string> key_id;
  std::optional<model::EncryptionAlgorithmSpec> encryption_algorithm;
  std::optional<RecipientInfo> recipient;
  std::optional<bool> dry_run;
  std::optional<std::vector<model::DryRunModifierType>> dry_run_modifiers;
};

template <>
inline constexpr auto kShape<DecryptRequest> = std::tuple{
    Member{"CiphertextBlob", &DecryptRequest::ciphertext_blob, kNeverLogged, Length{1, 6144}},
    Member{"EncryptionContext", &DecryptRequest::encryption_context},
    Member{"GrantTokens", &DecryptRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"KeyId", &DecryptRequest::key_id, Length{1, 2048}},
    Member{"EncryptionAlgorithm", &DecryptRequest::encryption_algorithm},
    Member{"Recipient", &DecryptRequest::recipient, kNeverLogged},
    Member{"DryRun", &DecryptRequest::dry_run},
    Member{"DryRunModifiers", &DecryptRequest::dry_run_modifiers},
};

struct DecryptResponse {
  std::optional<std::string> key_id;
  std::optional<SecretBytes> plaintext;
  std::optional<model::EncryptionAlgorithmSpec> encryption_algorithm;
  std::optional<Bytes> ciphertext_for_recipient;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<DecryptResponse> = std::tuple{
    Member{"KeyId", &DecryptResponse::key_id, Length{1, 2048}},
    Member{"Plaintext", &DecryptResponse::plaintext, kNeverLogged, Length{1, 4096}},
    Member{"EncryptionAlgorithm", &DecryptResponse::encryption_algorithm},
    Member{"CiphertextForRecipient", &DecryptResponse::ciphertext_for_recipient, kNeverLogged,
           Length{1, 6144}},
    Member{"KeyMaterialId", &DecryptResponse::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

namespace op {
struct Decrypt {
  using Request = DecryptRequest;
  using Response = DecryptResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDecrypt,
                                       .name = "Decrypt",
                                       .access = Access::kCryptographic,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kCiphertext,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
