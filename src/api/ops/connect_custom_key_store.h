// ConnectCustomKeyStore: connects a custom key store.
// Source: KMS API model 2014-11-01, ConnectCustomKeyStore.
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

struct ConnectCustomKeyStoreRequest {
  std::string custom_key_store_id;
};

template <>
inline constexpr auto kShape<ConnectCustomKeyStoreRequest> = std::tuple{
    Member{"CustomKeyStoreId", &ConnectCustomKeyStoreRequest::custom_key_store_id, kRequired,
           Length{1, 64}},
};

struct ConnectCustomKeyStoreResponse {};

template <>
inline constexpr auto kShape<ConnectCustomKeyStoreResponse> = std::tuple<>{};

namespace op {
struct ConnectCustomKeyStore {
  using Request = ConnectCustomKeyStoreRequest;
  using Response = ConnectCustomKeyStoreResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kConnectCustomKeyStore,
                                       .name = "ConnectCustomKeyStore",
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
