// UpdateAlias: points an alias to another key.
// Source: KMS API model 2014-11-01, UpdateAlias.
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

struct UpdateAliasRequest {
  std::string alias_name;
  std::string target_key_id;
};

template <>
inline constexpr auto kShape<UpdateAliasRequest> = std::tuple{
    Member{"AliasName", &UpdateAliasRequest::alias_name, kRequired, Length{1, 256},
           &pattern::kAliasName},
    Member{"TargetKeyId", &UpdateAliasRequest::target_key_id, kRequired, Length{1, 2048}},
};

struct UpdateAliasResponse {};

template <>
inline constexpr auto kShape<UpdateAliasResponse> = std::tuple<>{};

namespace op {
struct UpdateAlias {
  using Request = UpdateAliasRequest;
  using Response = UpdateAliasResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kUpdateAlias,
                                       .name = "UpdateAlias",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kAliasAndTarget,
                                       .cross_account = false,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
