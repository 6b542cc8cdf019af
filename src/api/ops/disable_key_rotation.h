// DisableKeyRotation: ends automatic rotation and forgets its period.
// Source: KMS API model 2014-11-01, DisableKeyRotation.
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

struct DisableKeyRotationRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<DisableKeyRotationRequest> = std::tuple{
    Member{"KeyId", &DisableKeyRotationRequest::key_id, kRequired, Length{1, 2048}},
};

struct DisableKeyRotationResponse {};

template <>
inline constexpr auto kShape<DisableKeyRotationResponse> = std::tuple<>{};

namespace op {
struct DisableKeyRotation {
  using Request = DisableKeyRotationRequest;
  using Response = DisableKeyRotationResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDisableKeyRotation,
                                       .name = "DisableKeyRotation",
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
