// DescribeKey: tells everything about a key but its material.
// Source: KMS API model 2014-11-01, DescribeKey.
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

struct DescribeKeyRequest {
  std::string key_id;
  std::optional<std::vector<std::string>> grant_tokens;
};

template <>
inline constexpr auto kShape<DescribeKeyRequest> = std::tuple{
    Member{"KeyId", &DescribeKeyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"GrantTokens", &DescribeKeyRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
};

struct DescribeKeyResponse {
  std::optional<KeyMetadata> key_metadata;
};

template <>
inline constexpr auto kShape<DescribeKeyResponse> = std::tuple{
    Member{"KeyMetadata", &DescribeKeyResponse::key_metadata},
};

namespace op {
struct DescribeKey {
  using Request = DescribeKeyRequest;
  using Response = DescribeKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDescribeKey,
                                       .name = "DescribeKey",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKeyOrAlias,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
