// ListGrants: lists the grants of a key.
// Source: KMS API model 2014-11-01, ListGrants.
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

struct ListGrantsRequest {
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
  std::string key_id;
  std::optional<std::string> grant_id;
  std::optional<std::string> grantee_principal;
};

template <>
inline constexpr auto kShape<ListGrantsRequest> = std::tuple{
    Member{"Limit", &ListGrantsRequest::limit, Range{1, 100}},  // service bound
    Member{"Marker", &ListGrantsRequest::marker, Length{1, 1024}, &pattern::kMarker},
    Member{"KeyId", &ListGrantsRequest::key_id, kRequired, Length{1, 2048}},
    Member{"GrantId", &ListGrantsRequest::grant_id, Length{1, 128}},
    Member{"GranteePrincipal", &ListGrantsRequest::grantee_principal, Length{1, 256},
           &pattern::kPrincipalId},
};

struct ListGrantsResponse {
  std::optional<std::vector<GrantListEntry>> grants;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListGrantsResponse> = std::tuple{
    Member{"Grants", &ListGrantsResponse::grants},
    Member{"NextMarker", &ListGrantsResponse::next_marker, Length{1, 1024}, &pattern::kMarker},
    Member{"Truncated", &ListGrantsResponse::truncated},
};

namespace op {
struct ListGrants {
  using Request = ListGrantsRequest;
  using Response = ListGrantsResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListGrants,
                                       .name = "ListGrants",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
