// ScheduleKeyDeletion: starts the waiting period before deletion.
// Source: KMS API model 2014-11-01, ScheduleKeyDeletion.
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

struct ScheduleKeyDeletionRequest {
  std::string key_id;
  std::optional<std::int32_t> pending_window_in_days;
};

template <>
inline constexpr auto kShape<ScheduleKeyDeletionRequest> = std::tuple{
    Member{"KeyId", &ScheduleKeyDeletionRequest::key_id, kRequired, Length{1, 2048}},
    Member{"PendingWindowInDays", &ScheduleKeyDeletionRequest::pending_window_in_days,
           Range{7, 30}},  // service bound
};

struct ScheduleKeyDeletionResponse {
  std::optional<std::string> key_id;
  std::optional<TimePoint> deletion_date;
  std::optional<model::KeyState> key_state;
  std::optional<std::int32_t> pending_window_in_days;
};

template <>
inline constexpr auto kShape<ScheduleKeyDeletionResponse> = std::tuple{
    Member{"KeyId", &ScheduleKeyDeletionResponse::key_id, Length{1, 2048}},
    Member{"DeletionDate", &ScheduleKeyDeletionResponse::deletion_date},
    Member{"KeyState", &ScheduleKeyDeletionResponse::key_state},
    Member{"PendingWindowInDays", &ScheduleKeyDeletionResponse::pending_window_in_days,
           Range{7, 30}},  // service bound
};

namespace op {
struct ScheduleKeyDeletion {
  using Request = ScheduleKeyDeletionRequest;
  using Response = ScheduleKeyDeletionResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kScheduleKeyDeletion,
                                       .name = "ScheduleKeyDeletion",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
