// ListResourceTags: lists the tags of a key.
// Source: KMS API model 2014-11-01, ListResourceTags.
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

struct ListResourceTagsRequest {
  std::string key_id;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};

template <>
inline constexpr auto kShape<ListResourceTagsRequest> = std::tuple{
    Member{"KeyId", &ListResourceTagsRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Limit", &ListResourceTagsRequest::limit, Range{1, 50}},  // service bound
    Member{"Marker", &ListResourceTagsRequest::marker, Length{1, 1024}, &pattern::kMarker},
};

struct ListResourceTagsResponse {
  std::optional<std::vector<Tag>> tags;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListResourceTagsResponse> = std::tuple{
    Member{"Tags", &ListResourceTagsResponse::tags},
    Member{"NextMarker", &ListResourceTagsResponse::next_marker, Length{1, 1024},
           &pattern::kMarker},
    Member{"Truncated", &ListResourceTagsResponse::truncated},
};

namespace op {
struct ListResourceTags {
  using Request = ListResourceTagsRequest;
  using Response = ListResourceTagsResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListResourceTags,
                                       .name = "ListResourceTags",
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
