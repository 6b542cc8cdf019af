// Verify: verifies a signature.
// Source: KMS API model 2014-11-01, Verify.
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

struct VerifyRequest {
  std::string key_id;
  SecretBytes message;
  std::optional<model::MessageType> message_type;
  Bytes signature;
  model::SigningAlgorithmSpec signing_algorithm{};
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<VerifyRequest> = std::tuple{
    Member{"KeyId", &VerifyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Message", &VerifyRequest::message, kRequired, kNeverLogged, Length{1, 4096}},
    Member{"MessageType", &VerifyRequest::message_type},
    Member{"Signature", &VerifyRequest::signature, kRequired, kNeverLogged, Length{1, 6144}},
    Member{"SigningAlgorithm", &VerifyRequest::signing_algorithm, kRequired},
    Member{"GrantTokens", &VerifyRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"DryRun", &VerifyRequest::dry_run},
};

struct VerifyResponse {
  std::optional<std::string> key_id;
  std::optional<bool> signature_valid;
  std::optional<model::SigningAlgorithmSpec> signing_algorithm;
};

template <>
inline constexpr auto kShape<VerifyResponse> = std::tuple{
    Member{"KeyId", &VerifyResponse::key_id, Length{1, 2048}},
    Member{"SignatureValid", &VerifyResponse::signature_valid},
    Member{"SigningAlgorithm", &VerifyResponse::signing_algorithm},
};

namespace op {
struct Verify {
  using Request = VerifyRequest;
  using Response = VerifyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kVerify,
                                       .name = "Verify",
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
