// ListAliases: lists aliases of the account and Region, or of one key.
// Source: KMS API model 2014-11-01, ListAliases.
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

struct ListAliasesRequest {
  std::optional<std::string> key_id;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};

template <>
inline constexpr auto kShape<ListAliasesRequest> = std::tuple{
    Member{"KeyId", &ListAliasesRequest::key_id, Length{1, 2048}},
    Member{"Limit", &ListAliasesRequest::limit, Range{1, 100}},  // service bound
    Member{"Marker", &ListAliasesRequest::marker, Length{1, 1024}, &pattern::kMarker},
};

struct ListAliasesResponse {
  std::optional<std::vector<AliasListEntry>> aliases;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListAliasesResponse> = std::tuple{
    Member{"Aliases", &ListAliasesResponse::aliases},
    Member{"NextMarker", &ListAliasesResponse::next_marker, Length{1, 1024}, &pattern::kMarker},
    Member{"Truncated", &ListAliasesResponse::truncated},
};

namespace op {
struct ListAliases {
  using Request = ListAliasesRequest;
  using Response = ListAliasesResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListAliases,
                                       .name = "ListAliases",
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
