// GetKeyRotationStatus: tells whether and when a key rotates.
// Source: KMS API model 2014-11-01, GetKeyRotationStatus.
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

struct GetKeyRotationStatusRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<GetKeyRotationStatusRequest> = std::tuple{
    Member{"KeyId", &GetKeyRotationStatusRequest::key_id, kRequired, Length{1, 2048}},
};

struct GetKeyRotationStatusResponse {
  std::optional<bool> key_rotation_enabled;
  std::optional<std::string> key_id;
  std::optional<std::int32_t> rotation_period_in_days;
  std::optional<TimePoint> next_rotation_date;
  std::optional<TimePoint> on_demand_rotation_start_date;
};

template <>
inline constexpr auto kShape<GetKeyRotationStatusResponse> = std::tuple{
    Member{"KeyRotationEnabled", &GetKeyRotationStatusResponse::key_rotation_enabled},
    Member{"KeyId", &GetKeyRotationStatusResponse::key_id, Length{1, 2048}},
    Member{"RotationPeriodInDays", &GetKeyRotationStatusResponse::rotation_period_in_days,
           Range{90, 2560}},
    Member{"NextRotationDate", &GetKeyRotationStatusResponse::next_rotation_date},
    Member{"OnDemandRotationStartDate",
           &GetKeyRotationStatusResponse::on_demand_rotation_start_date},
};

namespace op {
struct GetKeyRotationStatus {
  using Request = GetKeyRotationStatusRequest;
  using Response = GetKeyRotationStatusResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGetKeyRotationStatus,
                                       .name = "GetKeyRotationStatus",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
