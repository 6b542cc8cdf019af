// EnableKey: makes a disabled key usable; an overdue rotation runs.
// Source: KMS API model 2014-11-01, EnableKey.
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

struct EnableKeyRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<EnableKeyRequest> = std::tuple{
    Member{"KeyId", &EnableKeyRequest::key_id, kRequired, Length{1, 2048}},
};

struct EnableKeyResponse {};

template <>
inline constexpr auto kShape<EnableKeyResponse> = std::tuple<>{};

namespace op {
struct EnableKey {
  using Request = EnableKeyRequest;
  using Response = EnableKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kEnableKey,
                                       .name = "EnableKey",
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
