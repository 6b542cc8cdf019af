// Sign: signs a message.
// Source: KMS API model 2014-11-01, Sign.
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

struct SignRequest {
  std::string key_id;
  SecretBytes message;
  std::optional<model::MessageType> message_type;
  std::optional<std::vector<std::string>> grant_tokens;
  model::SigningAlgorithmSpec signing_algorithm{};
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<SignRequest> = std::tuple{
    Member{"KeyId", &SignRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Message", &SignRequest::message, kRequired, kNeverLogged, Length{1, 4096}},
    Member{"MessageType", &SignRequest::message_type},
    Member{"GrantTokens", &SignRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"SigningAlgorithm", &SignRequest::signing_algorithm, kRequired},
    Member{"DryRun", &SignRequest::dry_run},
};

struct SignResponse {
  std::optional<std::string> key_id;
  std::optional<Bytes> signature;
  std::optional<model::SigningAlgorithmSpec> signing_algorithm;
};

template <>
inline constexpr auto kShape<SignResponse> = std::tuple{
    Member{"KeyId", &SignResponse::key_id, Length{1, 2048}},
    Member{"Signature", &SignResponse::signature, kNeverLogged, Length{1, 6144}},
    Member{"SigningAlgorithm", &SignResponse::signing_algorithm},
};

namespace op {
struct Sign {
  using Request = SignRequest;
  using Response = SignResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kSign,
                                       .name = "Sign",
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
