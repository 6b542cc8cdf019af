// DeriveSharedSecret: agrees on a secret by ECDH.
// Source: KMS API model 2014-11-01, DeriveSharedSecret.
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

struct DeriveSharedSecretRequest {
  std::string key_id;
  model::KeyAgreementAlgorithmSpec key_agreement_algorithm{};
  Bytes public_key;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
  std::optional<RecipientInfo> recipient;
};

template <>
inline constexpr auto kShape<DeriveSharedSecretRequest> = std::tuple{
    Member{"KeyId", &DeriveSharedSecretRequest::key_id, kRequired, Length{1, 2048}},
    Member{"KeyAgreementAlgorithm", &DeriveSharedSecretRequest::key_agreement_algorithm, kRequired},
    Member{"PublicKey", &DeriveSharedSecretRequest::public_key, kRequired, kNeverLogged,
           Length{1, 8192}},
    Member{"GrantTokens", &DeriveSharedSecretRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"DryRun", &DeriveSharedSecretRequest::dry_run},
    Member{"Recipient", &DeriveSharedSecretRequest::recipient, kNeverLogged},
};

struct DeriveSharedSecretResponse {
  std::optional<std::string> key_id;
  std::optional<SecretBytes> shared_secret;
  std::optional<Bytes> ciphertext_for_recipient;
  std::optional<model::KeyAgreementAlgorithmSpec> key_agreement_algorithm;
  std::optional<model::Origin> key_origin;
};

template <>
inline constexpr auto kShape<DeriveSharedSecretResponse> = std::tuple{
    Member{"KeyId", &DeriveSharedSecretResponse::key_id, Length{1, 2048}},
    Member{"SharedSecret", &DeriveSharedSecretResponse::shared_secret, kNeverLogged,
           Length{1, 4096}},
    Member{"CiphertextForRecipient", &DeriveSharedSecretResponse::ciphertext_for_recipient,
           kNeverLogged, Length{1, 6144}},
    Member{"KeyAgreementAlgorithm", &DeriveSharedSecretResponse::key_agreement_algorithm},
    Member{"KeyOrigin", &DeriveSharedSecretResponse::key_origin},
};

namespace op {
struct DeriveSharedSecret {
  using Request = DeriveSharedSecretRequest;
  using Response = DeriveSharedSecretResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDeriveSharedSecret,
                                       .name = "DeriveSharedSecret",
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
