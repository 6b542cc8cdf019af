// DeleteAlias: removes a name from a key.
// Source: KMS API model 2014-11-01, DeleteAlias.
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

struct DeleteAliasRequest {
  std::string alias_name;
};

template <>
inline constexpr auto kShape<DeleteAliasRequest> = std::tuple{
    Member{"AliasName", &DeleteAliasRequest::alias_name, kRequired, Length{1, 256},
           &pattern::kAliasName},
};

struct DeleteAliasResponse {};

template <>
inline constexpr auto kShape<DeleteAliasResponse> = std::tuple<>{};

namespace op {
struct DeleteAlias {
  using Request = DeleteAliasRequest;
  using Response = DeleteAliasResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDeleteAlias,
                                       .name = "DeleteAlias",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kAlias,
                                       .cross_account = false,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
