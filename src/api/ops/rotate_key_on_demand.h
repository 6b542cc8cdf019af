// RotateKeyOnDemand: makes new key material current now.
// Source: KMS API model 2014-11-01, RotateKeyOnDemand.
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

struct RotateKeyOnDemandRequest {
  std::string key_id;
};

template <>
inline constexpr auto kShape<RotateKeyOnDemandRequest> = std::tuple{
    Member{"KeyId", &RotateKeyOnDemandRequest::key_id, kRequired, Length{1, 2048}},
};

struct RotateKeyOnDemandResponse {
  std::optional<std::string> key_id;
};

template <>
inline constexpr auto kShape<RotateKeyOnDemandResponse> = std::tuple{
    Member{"KeyId", &RotateKeyOnDemandResponse::key_id, Length{1, 2048}},
};

namespace op {
struct RotateKeyOnDemand {
  using Request = RotateKeyOnDemandRequest;
  using Response = RotateKeyOnDemandResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kRotateKeyOnDemand,
                                       .name = "RotateKeyOnDemand",
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
