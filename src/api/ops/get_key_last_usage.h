// GetKeyLastUsage: tells when a key was last used.
// Source: KMS API model 2014-11-01, GetKeyLastUsage.
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

struct GetKeyLastUsageRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<GetKeyLastUsageRequest> = std::tuple{
    Member{"KeyId", &GetKeyLastUsageRequest::key_id, kRequired, Length{1, 2048}},
};

struct GetKeyLastUsageResponse {
  std::optional<std::string> key_id;
  std::optional<KeyLastUsageData> key_last_usage;
  std::optional<TimePoint> tracking_start_date;
  std::optional<TimePoint> key_creation_date;
};

template <>
inline constexpr auto kShape<GetKeyLastUsageResponse> = std::tuple{
    Member{"KeyId", &GetKeyLastUsageResponse::key_id, Length{1, 2048}},
    Member{"KeyLastUsage", &GetKeyLastUsageResponse::key_last_usage},
    Member{"TrackingStartDate", &GetKeyLastUsageResponse::tracking_start_date},
    Member{"KeyCreationDate", &GetKeyLastUsageResponse::key_creation_date},
};

namespace op {
struct GetKeyLastUsage {
  using Request = GetKeyLastUsageRequest;
  using Response = GetKeyLastUsageResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGetKeyLastUsage,
                                       .name = "GetKeyLastUsage",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
