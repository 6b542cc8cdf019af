// DisconnectCustomKeyStore: disconnects a custom key store.
// Source: KMS API model 2014-11-01, DisconnectCustomKeyStore.
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

struct DisconnectCustomKeyStoreRequest {
  std::string custom_key_store_id;
};

template <>
inline constexpr auto kShape<DisconnectCustomKeyStoreRequest> = std::tuple{
    Member{"CustomKeyStoreId", &DisconnectCustomKeyStoreRequest::custom_key_store_id, kRequired,
           Length{1, 64}},
};

struct DisconnectCustomKeyStoreResponse {};

template <>
inline constexpr auto kShape<DisconnectCustomKeyStoreResponse> = std::tuple<>{};

namespace op {
struct DisconnectCustomKeyStore {
  using Request = DisconnectCustomKeyStoreRequest;
  using Response = DisconnectCustomKeyStoreResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDisconnectCustomKeyStore,
                                       .name = "DisconnectCustomKeyStore",
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
