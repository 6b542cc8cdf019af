// DisableKey: makes a key unusable until it is enabled.
// Source: KMS API model 2014-11-01, DisableKey.
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

struct DisableKeyRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<DisableKeyRequest> = std::tuple{
    Member{"KeyId", &DisableKeyRequest::key_id, kRequired, Length{1, 2048}},
};

struct DisableKeyResponse {};

template <>
inline constexpr auto kShape<DisableKeyResponse> = std::tuple<>{};

namespace op {
struct DisableKey {
  using Request = DisableKeyRequest;
  using Response = DisableKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDisableKey,
                                       .name = "DisableKey",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
