// ListRetirableGrants: lists grants that a principal may retire.
// Source: KMS API model 2014-11-01, ListRetirableGrants.
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

struct ListRetirableGrantsRequest {
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
  std::string retiring_principal;
};

template <>
inline constexpr auto kShape<ListRetirableGrantsRequest> = std::tuple{
    Member{"Limit", &ListRetirableGrantsRequest::limit, Range{1, 100}},  // service bound
    Member{"Marker", &ListRetirableGrantsRequest::marker, Length{1, 1024}, &pattern::kMarker},
    Member{"RetiringPrincipal", &ListRetirableGrantsRequest::retiring_principal, kRequired,
           Length{1, 256}, &pattern::kPrincipalId},
};

struct ListRetirableGrantsResponse {
  std::optional<std::vector<GrantListEntry>> grants;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListRetirableGrantsResponse> = std::tuple{
    Member{"Grants", &ListRetirableGrantsResponse::grants},
    Member{"NextMarker", &ListRetirableGrantsResponse::next_marker, Length{1, 1024},
           &pattern::kMarker},
    Member{"Truncated", &ListRetirableGrantsResponse::truncated},
};

namespace op {
struct ListRetirableGrants {
  using Request = ListRetirableGrantsRequest;
  using Response = ListRetirableGrantsResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListRetirableGrants,
                                       .name = "ListRetirableGrants",
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
