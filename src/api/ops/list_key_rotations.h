// ListKeyRotations: lists the completed rotations of a key.
// Source: KMS API model 2014-11-01, ListKeyRotations.
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

struct ListKeyRotationsRequest {
  std::string key_id;
  std::optional<model::IncludeKeyMaterial> include_key_material;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};

template <>
inline constexpr auto kShape<ListKeyRotationsRequest> = std::tuple{
    Member{"KeyId", &ListKeyRotationsRequest::key_id, kRequired, Length{1, 2048}},
    Member{"IncludeKeyMaterial", &ListKeyRotationsRequest::include_key_material},
    Member{"Limit", &ListKeyRotationsRequest::limit, Range{1, 1000}},
    Member{"Marker", &ListKeyRotationsRequest::marker, Length{1, 1024}, &pattern::kMarker},
};

struct ListKeyRotationsResponse {
  std::optional<std::vector<RotationsListEntry>> rotations;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListKeyRotationsResponse> = std::tuple{
    Member{"Rotations", &ListKeyRotationsResponse::rotations},
    Member{"NextMarker", &ListKeyRotationsResponse::next_marker, Length{1, 1024},
           &pattern::kMarker},
    Member{"Truncated", &ListKeyRotationsResponse::truncated},
};

namespace op {
struct ListKeyRotations {
  using Request = ListKeyRotationsRequest;
  using Response = ListKeyRotationsResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListKeyRotations,
                                       .name = "ListKeyRotations",
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
