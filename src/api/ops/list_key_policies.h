// ListKeyPolicies: lists the names of key policies: always "default".
// Source: KMS API model 2014-11-01, ListKeyPolicies.
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

struct ListKeyPoliciesRequest {
  std::string key_id;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};

template <>
inline constexpr auto kShape<ListKeyPoliciesRequest> = std::tuple{
    Member{"KeyId", &ListKeyPoliciesRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Limit", &ListKeyPoliciesRequest::limit, Range{1, 1000}},
    Member{"Marker", &ListKeyPoliciesRequest::marker, Length{1, 1024}, &pattern::kMarker},
};

struct ListKeyPoliciesResponse {
  std::optional<std::vector<std::string>> policy_names;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<ListKeyPoliciesResponse> = std::tuple{
    Member{"PolicyNames", &ListKeyPoliciesResponse::policy_names,
           Each{Length{1, 128}, &pattern::kPolicyName}},
    Member{"NextMarker", &ListKeyPoliciesResponse::next_marker, Length{1, 1024}, &pattern::kMarker},
    Member{"Truncated", &ListKeyPoliciesResponse::truncated},
};

namespace op {
struct ListKeyPolicies {
  using Request = ListKeyPoliciesRequest;
  using Response = ListKeyPoliciesResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kListKeyPolicies,
                                       .name = "ListKeyPolicies",
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
