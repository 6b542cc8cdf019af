// EnableKeyRotation: starts automatic rotation, or changes its period.
// Source: KMS API model 2014-11-01, EnableKeyRotation.
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

struct EnableKeyRotationRequest {
  std::string key_id;
  std::optional<std::int32_t> rotation_period_in_days;
};

template <>
inline constexpr auto kShape<EnableKeyRotationRequest> = std::tuple{
    Member{"KeyId", &EnableKeyRotationRequest::key_id, kRequired, Length{1, 2048}},
    Member{"RotationPeriodInDays", &EnableKeyRotationRequest::rotation_period_in_days,
           Range{90, 2560}},
};

struct EnableKeyRotationResponse {};

template <>
inline constexpr auto kShape<EnableKeyRotationResponse> = std::tuple<>{};

namespace op {
struct EnableKeyRotation {
  using Request = EnableKeyRotationRequest;
  using Response = EnableKeyRotationResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kEnableKeyRotation,
                                       .name = "EnableKeyRotation",
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
