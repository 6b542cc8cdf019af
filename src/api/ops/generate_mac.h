// GenerateMac: computes an HMAC.
// Source: KMS API model 2014-11-01, GenerateMac.
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

struct GenerateMacRequest {
  SecretBytes message;
  std::string key_id;
  model::MacAlgorithmSpec mac_algorithm{};
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<GenerateMacRequest> = std::tuple{
    Member{"Message", &GenerateMacRequest::message, kRequired, kNeverLogged, Length{1, 4096}},
    Member{"KeyId", &GenerateMacRequest::key_id, kRequired, Length{1, 2048}},
    Member{"MacAlgorithm", &GenerateMacRequest::mac_algorithm, kRequired},
    Member{"GrantTokens", &GenerateMacRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"DryRun", &GenerateMacRequest::dry_run},
};

struct GenerateMacResponse {
  std::optional<Bytes> mac;
  std::optional<model::MacAlgorithmSpec> mac_algorithm;
  std::optional<std::string> key_id;
};

template <>
inline constexpr auto kShape<GenerateMacResponse> = std::tuple{
    Member{"Mac", &GenerateMacResponse::mac, kNeverLogged, Length{1, 6144}},
    Member{"MacAlgorithm", &GenerateMacResponse::mac_algorithm},
    Member{"KeyId", &GenerateMacResponse::key_id, Length{1, 2048}},
};

namespace op {
struct GenerateMac {
  using Request = GenerateMacRequest;
  using Response = GenerateMacResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGenerateMac,
                                       .name = "GenerateMac",
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
