// ReEncrypt: moves a ciphertext to another key or to the current material.
// Source: KMS API model 2014-11-01, ReEncrypt.
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

struct ReEncryptRequest {
  std::optional<Bytes> ciphertext_blob;
  std::optional<std::map<std::string, std::string>> source_encryption_context;
  std::optional<std::string> source_key_id;
  std::string destination_key_id;
  std::optional<std::map<std::string, std::string>> destination_encryption_context;
  std::optional<model::EncryptionAlgorithmSpec> source_encryption_algorithm;
  std::optional<model::EncryptionAlgorithmSpec> destination_encryption_algorithm;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
  std::optional<std::vector<model::DryRunModifierType>> dry_run_modifiers;
};

template <>
inline constexpr auto kShape<ReEncryptRequest> = std::tuple{
    Member{"CiphertextBlob", &ReEncryptRequest::ciphertext_blob, kNeverLogged, Length{1, 6144}},
    Member{"SourceEncryptionContext", &ReEncryptRequest::source_encryption_context},
    Member{"SourceKeyId", &ReEncryptRequest::source_key_id, Length{1, 2048}},
    Member{"DestinationKeyId", &ReEncryptRequest::destination_key_id, kRequired, Length{1, 2048}},
    Member{"DestinationEncryptionContext", &ReEncryptRequest::destination_encryption_context},
    Member{"SourceEncryptionAlgorithm", &ReEncryptRequest::source_encryption_algorithm},
    Member{"DestinationEncryptionAlgorithm", &ReEncryptRequest::destination_encryption_algorithm},
    Member{"GrantTokens", &ReEncryptRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"DryRun", &ReEncryptRequest::dry_run},
    Member{"DryRunModifiers", &ReEncryptRequest::dry_run_modifiers},
};

struct ReEncryptResponse {
  std::optional<Bytes> ciphertext_blob;
  std::optional<std::string> source_key_id;
  std::optional<std::string> key_id;
  std::optional<model::EncryptionAlgorithmSpec> source_encryption_algorithm;
  std::optional<model::EncryptionAlgorithmSpec> destination_encryption_algorithm;
  std::optional<std::string> source_key_material_id;
  std::optional<std::string> destination_key_material_id;
};

template <>
inline constexpr auto kShape<ReEncryptResponse> = std::tuple{
    Member{"CiphertextBlob", &ReEncryptResponse::ciphertext_blob, kNeverLogged, Length{1, 6144}},
    Member{"SourceKeyId", &ReEncryptResponse::source_key_id, Length{1, 2048}},
    Member{"KeyId", &ReEncryptResponse::key_id, Length{1, 2048}},
    Member{"SourceEncryptionAlgorithm", &ReEncryptResponse::source_encryption_algorithm},
    Member{"DestinationEncryptionAlgorithm", &ReEncryptResponse::destination_encryption_algorithm},
    Member{"SourceKeyMaterialId", &ReEncryptResponse::source_key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
    Member{"DestinationKeyMaterialId", &ReEncryptResponse::destination_key_material_id,
           Length{64, 64}, &pattern::kBackingKeyId},
};

namespace op {
struct ReEncrypt {
  using Request = ReEncryptRequest;
  using Response = ReEncryptResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kReEncrypt,
                                       .name = "ReEncrypt",
                                       .access = Access::kCryptographic,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kReEncrypt,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
