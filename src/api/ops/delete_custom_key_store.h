// DeleteCustomKeyStore: deletes a custom key store.
// Source: KMS API model 2014-11-01, DeleteCustomKeyStore.
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

struct DeleteCustomKeyStoreRequest {
  std::string custom_key_store_id;
};

template <>
inline constexpr auto kShape<DeleteCustomKeyStoreRequest> = std::tuple{
    Member{"CustomKeyStoreId", &DeleteCustomKeyStoreRequest::custom_key_store_id, kRequired,
           Length{1, 64}},
};

struct DeleteCustomKeyStoreResponse {};

template <>
inline constexpr auto kShape<DeleteCustomKeyStoreResponse> = std::tuple<>{};

namespace op {
struct DeleteCustomKeyStore {
  using Request = DeleteCustomKeyStoreRequest;
  using Response = DeleteCustomKeyStoreResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDeleteCustomKeyStore,
                                       .name = "DeleteCustomKeyStore",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kNone,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
