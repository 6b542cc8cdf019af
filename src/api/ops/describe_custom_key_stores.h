// DescribeCustomKeyStores: lists custom key stores.
// Source: KMS API model 2014-11-01, DescribeCustomKeyStores.
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

struct DescribeCustomKeyStoresRequest {
  std::optional<std::string> custom_key_store_id;
  std::optional<std::string> custom_key_store_name;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};

template <>
inline constexpr auto kShape<DescribeCustomKeyStoresRequest> = std::tuple{
    Member{"CustomKeyStoreId", &DescribeCustomKeyStoresRequest::custom_key_store_id, Length{1, 64}},
    Member{"CustomKeyStoreName", &DescribeCustomKeyStoresRequest::custom_key_store_name,
           Length{1, 256}},
    Member{"Limit", &DescribeCustomKeyStoresRequest::limit, Range{1, 1000}},
    Member{"Marker", &DescribeCustomKeyStoresRequest::marker, Length{1, 1024}, &pattern::kMarker},
};

struct DescribeCustomKeyStoresResponse {
  std::optional<std::vector<CustomKeyStoresListEntry>> custom_key_stores;
  std::optional<std::string> next_marker;
  std::optional<bool> truncated;
};

template <>
inline constexpr auto kShape<DescribeCustomKeyStoresResponse> = std::tuple{
    Member{"CustomKeyStores", &DescribeCustomKeyStoresResponse::custom_key_stores},
    Member{"NextMarker", &DescribeCustomKeyStoresResponse::next_marker, Length{1, 1024},
           &pattern::kMarker},
    Member{"Truncated", &DescribeCustomKeyStoresResponse::truncated},
};

namespace op {
struct DescribeCustomKeyStores {
  using Request = DescribeCustomKeyStoresRequest;
  using Response = DescribeCustomKeyStoresResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDescribeCustomKeyStores,
                                       .name = "DescribeCustomKeyStores",
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
