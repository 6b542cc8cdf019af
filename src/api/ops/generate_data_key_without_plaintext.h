// GenerateDataKeyWithoutPlaintext: returns a new data key, encrypted only.
// Source: KMS API model 2014-11-01, GenerateDataKeyWithoutPlaintext.
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

struct GenerateDataKeyWithoutPlaintextRequest {
  std::string key_id;
  std::optional<std::map<std::string, std::string>> encryption_context;
  std::optional<model::DataKeySpec> key_spec;
  std::optional<std::int32_t> number_of_bytes;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<GenerateDataKeyWithoutPlaintextRequest> = std::tuple{
    Member{"KeyId", &GenerateDataKeyWithoutPlaintextRequest::key_id, kRequired, Length{1, 2048}},
    Member{"EncryptionContext", &GenerateDataKeyWithoutPlaintextRequest::encryption_context},
    Member{"KeySpec", &GenerateDataKeyWithoutPlaintextRequest::key_spec},
    Member{"NumberOfBytes", &GenerateDataKeyWithoutPlaintextRequest::number_of_bytes,
           Range{1, 1024}},
    Member{"GrantTokens", &GenerateDataKeyWithoutPlaintextRequest::grant_tokens, kNeverLogged,
           Length{0, 10}, Each{Length{1, 8192}}},
    Member{"DryRun", &GenerateDataKeyWithoutPlaintextRequest::dry_run},
};

struct GenerateDataKeyWithoutPlaintextResponse {
  std::optional<Bytes> ciphertext_blob;
  std::optional<std::string> key_id;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<GenerateDataKeyWithoutPlaintextResponse> = std::tuple{
    Member{"CiphertextBlob", &GenerateDataKeyWithoutPlaintextResponse::ciphertext_blob,
           kNeverLogged, Length{1, 6144}},
    Member{"KeyId", &GenerateDataKeyWithoutPlaintextResponse::key_id, Length{1, 2048}},
    Member{"KeyMaterialId", &GenerateDataKeyWithoutPlaintextResponse::key_material_id,
           Length{64, 64}, &pattern::kBackingKeyId},
};

namespace op {
struct GenerateDataKeyWithoutPlaintext {
  using Request = GenerateDataKeyWithoutPlaintextRequest;
  using Response = GenerateDataKeyWithoutPlaintextResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGenerateDataKeyWithoutPlaintext,
                                       .name = "GenerateDataKeyWithoutPlaintext",
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
