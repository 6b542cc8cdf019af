// UpdateCustomKeyStore: changes a custom key store.
// Source: KMS API model 2014-11-01, UpdateCustomKeyStore.
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

struct UpdateCustomKeyStoreRequest {
  std::string custom_key_store_id;
  std::optional<std::string> new_custom_key_store_name;
  std::optional<SecretText> key_store_password;
  std::optional<std::string> cloud_hsm_cluster_id;
  std::optional<std::string> xks_proxy_uri_endpoint;
  std::optional<std::string> xks_proxy_uri_path;
  std::optional<std::string> xks_proxy_vpc_endpoint_service_name;
  std::optional<std::string> xks_proxy_vpc_endpoint_service_owner;
  std::optional<XksProxyAuthenticationCredentialType> xks_proxy_authentication_credential;
  std::optional<model::XksProxyConnectivityType> xks_proxy_connectivity;
};

template <>
inline constexpr auto kShape<UpdateCustomKeyStoreRequest> = std::tuple{
    Member{"CustomKeyStoreId", &UpdateCustomKeyStoreRequest::custom_key_store_id, kRequired,
           Length{1, 64}},
    Member{"NewCustomKeyStoreName", &UpdateCustomKeyStoreRequest::new_custom_key_store_name,
           Length{1, 256}},
    Member{"KeyStorePassword", &UpdateCustomKeyStoreRequest::key_store_password, kNeverLogged,
           Length{7, 32}},
    Member{"CloudHsmClusterId", &UpdateCustomKeyStoreRequest::cloud_hsm_cluster_id, Length{19, 24},
           &pattern::kCloudHsmClusterId},
    Member{"XksProxyUriEndpoint", &UpdateCustomKeyStoreRequest::xks_proxy_uri_endpoint,
           Length{10, 128}, &pattern::kXksUriEndpoint},
    Member{"XksProxyUriPath", &UpdateCustomKeyStoreRequest::xks_proxy_uri_path, Length{10, 128},
           &pattern::kXksUriPath},
    Member{"XksProxyVpcEndpointServiceName",
           &UpdateCustomKeyStoreRequest::xks_proxy_vpc_endpoint_service_name, Length{20, 64},
           &pattern::kXksVpcService},
    Member{"XksProxyVpcEndpointServiceOwner",
           &UpdateCustomKeyStoreRequest::xks_proxy_vpc_endpoint_service_owner, Length{12, 12},
           &pattern::kAccountId},
    Member{"XksProxyAuthenticationCredential",
           &UpdateCustomKeyStoreRequest::xks_proxy_authentication_credential, kNeverLogged},
    Member{"XksProxyConnectivity", &UpdateCustomKeyStoreRequest::xks_proxy_connectivity},
};

struct UpdateCustomKeyStoreResponse {};

template <>
inline constexpr auto kShape<UpdateCustomKeyStoreResponse> = std::tuple<>{};

namespace op {
struct UpdateCustomKeyStore {
  using Request = UpdateCustomKeyStoreRequest;
  using Response = UpdateCustomKeyStoreResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kUpdateCustomKeyStore,
                                       .name = "UpdateCustomKeyStore",
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
