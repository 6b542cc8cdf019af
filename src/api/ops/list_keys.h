// ListKeys: lists all keys of the account and Region.
// Source: KMS API model 2014-11-01, ListKeys.
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

struct ListKeysRequest {
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};

template <>
inline constexpr auto kShape<ListKeysRequest> = std::tuple{
    Member{"Limit", &ListKeysRequest::limit, Range{1, 1000}},
    Member{"Marker", &ListKeysRequest::marker, Length{1, 1024}, &pattern::kMarker},
};

struct ListKeysResponse {
  std::optional<std::vector<KeyListEntry>> keys;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListKeysResponse> = std::tuple{
    Member{"Keys", &ListKeysResponse::keys},
    Member{"NextMarker", &ListKeysResponse::next_marker, Length{1, 1024}, &pattern::kMarker},
    Member{"Truncated", &ListKeysResponse::truncated},
};

namespace op {
struct ListKeys {
  using Request = ListKeysRequest;
  using Response = ListKeysResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListKeys,
                                       .name = "ListKeys",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kNone,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
