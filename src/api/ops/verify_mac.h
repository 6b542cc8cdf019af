// VerifyMac: verifies an HMAC.
// Source: KMS API model 2014-11-01, VerifyMac.
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

struct VerifyMacRequest {
  SecretBytes message;
  std::string key_id;
  model::MacAlgorithmSpec mac_algorithm{};
  Bytes mac;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<VerifyMacRequest> = std::tuple{
    Member{"Message", &VerifyMacRequest::message, kRequired, kNeverLogged, Length{1, 4096}},
    Member{"KeyId", &VerifyMacRequest::key_id, kRequired, Length{1, 2048}},
    Member{"MacAlgorithm", &VerifyMacRequest::mac_algorithm, kRequired},
    Member{"Mac", &VerifyMacRequest::mac, kRequired, kNeverLogged, Length{1, 6144}},
    Member{"GrantTokens", &VerifyMacRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"DryRun", &VerifyMacRequest::dry_run},
};

struct VerifyMacResponse {
  std::optional<std::string> key_id;
  std::optional<bool> mac_valid;
  std::optional<model::MacAlgorithmSpec> mac_algorithm;
};

template <>
inline constexpr auto kShape<VerifyMacResponse> = std::tuple{
    Member{"KeyId", &VerifyMacResponse::key_id, Length{1, 2048}},
    Member{"MacValid", &VerifyMacResponse::mac_valid},
    Member{"MacAlgorithm", &VerifyMacResponse::mac_algorithm},
};

namespace op {
struct VerifyMac {
  using Request = VerifyMacRequest;
  using Response = VerifyMacResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kVerifyMac,
                                       .name = "VerifyMac",
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
