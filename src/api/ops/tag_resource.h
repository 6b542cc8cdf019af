// TagResource: adds or replaces tags of a key.
// Source: KMS API model 2014-11-01, TagResource.
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

struct TagResourceRequest {
  std::string key_id;
  std::vector<Tag> tags;
};

template <>
inline constexpr auto kShape<TagResourceRequest> = std::tuple{
    Member{"KeyId", &TagResourceRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Tags", &TagResourceRequest::tags, kRequired},
};

struct TagResourceResponse {};

template <>
inline constexpr auto kShape<TagResourceResponse> = std::tuple<>{};

namespace op {
struct TagResource {
  using Request = TagResourceRequest;
  using Response = TagResourceResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kTagResource,
                                       .name = "TagResource",
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
