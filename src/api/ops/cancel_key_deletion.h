// CancelKeyDeletion: takes a key out of its waiting period; it becomes Disabled.
// Source: KMS API model 2014-11-01, CancelKeyDeletion.
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

struct CancelKeyDeletionRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<CancelKeyDeletionRequest> = std::tuple{
    Member{"KeyId", &CancelKeyDeletionRequest::key_id, kRequired, Length{1, 2048}},
};

struct CancelKeyDeletionResponse {
  std::optional<std::string> key_id;
};

template <>
inline constexpr auto kShape<CancelKeyDeletionResponse> = std::tuple{
    Member{"KeyId", &CancelKeyDeletionResponse::key_id, Length{1, 2048}},
};

namespace op {
struct CancelKeyDeletion {
  using Request = CancelKeyDeletionRequest;
  using Response = CancelKeyDeletionResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kCancelKeyDeletion,
                                       .name = "CancelKeyDeletion",
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
