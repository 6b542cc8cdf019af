// RetireGrant: ends a grant from its own side.
// Source: KMS API model 2014-11-01, RetireGrant.
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

struct RetireGrantRequest {
  std::optional<std::string> grant_token;
  std::optional<std::string> key_id;
  std::optional<std::string> grant_id;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<RetireGrantRequest> = std::tuple{
    Member{"GrantToken", &RetireGrantRequest::grant_token, kNeverLogged, Length{1, 8192}},
    Member{"KeyId", &RetireGrantRequest::key_id, Length{1, 2048}},
    Member{"GrantId", &RetireGrantRequest::grant_id, Length{1, 128}},
    Member{"DryRun", &RetireGrantRequest::dry_run},
};

struct RetireGrantResponse {};

template <>
inline constexpr auto kShape<RetireGrantResponse> = std::tuple<>{};

namespace op {
struct RetireGrant {
  using Request = RetireGrantRequest;
  using Response = RetireGrantResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kRetireGrant,
                                       .name = "RetireGrant",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kNone,
                                       .cross_account = true,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
