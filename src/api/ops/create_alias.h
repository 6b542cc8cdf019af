// CreateAlias: names a key.
// Source: KMS API model 2014-11-01, CreateAlias.
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

struct CreateAliasRequest {
  std::string alias_name;
  std::string target_key_id;
};

template <>
inline constexpr auto kShape<CreateAliasRequest> = std::tuple{
    Member{"AliasName", &CreateAliasRequest::alias_name, kRequired, Length{1, 256},
           &pattern::kAliasName},
    Member{"TargetKeyId", &CreateAliasRequest::target_key_id, kRequired, Length{1, 2048}},
};

struct CreateAliasResponse {};

template <>
inline constexpr auto kShape<CreateAliasResponse> = std::tuple<>{};

namespace op {
struct CreateAlias {
  using Request = CreateAliasRequest;
  using Response = CreateAliasResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kCreateAlias,
                                       .name = "CreateAlias",
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
