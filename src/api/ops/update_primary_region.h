// UpdatePrimaryRegion: makes a replica the primary.
// Source: KMS API model 2014-11-01, UpdatePrimaryRegion.
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

struct UpdatePrimaryRegionRequest {
  std::string key_id;
  std::string primary_region;
};

template <>
inline constexpr auto kShape<UpdatePrimaryRegionRequest> = std::tuple{
    Member{"KeyId", &UpdatePrimaryRegionRequest::key_id, kRequired, Length{1, 2048}},
    Member{"PrimaryRegion", &UpdatePrimaryRegionRequest::primary_region, kRequired, Length{1, 32},
           &pattern::kRegion},
};

struct UpdatePrimaryRegionResponse {};

template <>
inline constexpr auto kShape<UpdatePrimaryRegionResponse> = std::tuple<>{};

namespace op {
struct UpdatePrimaryRegion {
  using Request = UpdatePrimaryRegionRequest;
  using Response = UpdatePrimaryRegionResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kUpdatePrimaryRegion,
                                       .name = "UpdatePrimaryRegion",
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
