// UntagResource: removes tags of a key.
// Source: KMS API model 2014-11-01, UntagResource.
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

struct UntagResourceRequest {
  std::string key_id;
  std::vector<std::string> tag_keys;
};

template <>
inline constexpr auto kShape<UntagResourceRequest> = std::tuple{
    Member{"KeyId", &UntagResourceRequest::key_id, kRequired, Length{1, 2048}},
    Member{"TagKeys", &UntagResourceRequest::tag_keys, kRequired, Each{Length{1, 128}}},
};

struct UntagResourceResponse {};

template <>
inline constexpr auto kShape<UntagResourceResponse> = std::tuple<>{};

namespace op {
struct UntagResource {
  using Request = UntagResourceRequest;
  using Response = UntagResourceResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kUntagResource,
                                       .name = "UntagResource",
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
