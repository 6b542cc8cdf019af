// RevokeGrant: ends a grant from the side of the key.
// Source: KMS API model 2014-11-01, RevokeGrant.
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

struct RevokeGrantRequest {
  std::string key_id;
  std::string grant_id;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<RevokeGrantRequest> = std::tuple{
    Member{"KeyId", &RevokeGrantRequest::key_id, kRequired, Length{1, 2048}},
    Member{"GrantId", &RevokeGrantRequest::grant_id, kRequired, Length{1, 128}},
    Member{"DryRun", &RevokeGrantRequest::dry_run},
};

struct RevokeGrantResponse {};

template <>
inline constexpr auto kShape<RevokeGrantResponse> = std::tuple<>{};

namespace op {
struct RevokeGrant {
  using Request = RevokeGrantRequest;
  using Response = RevokeGrantResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kRevokeGrant,
                                       .name = "RevokeGrant",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = true,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
