// CreateCustomKeyStore: creates a custom key store.
// Source: KMS API model 2014-11-01, CreateCustomKeyStore.
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

struct CreateCustomKeyStoreRequest {
  std::string custom_key_store_name;
  std::optional<std::string> cloud_hsm_cluster_id;
  std::optional<std::string> trust_anchor_certificate;
  std::optional<SecretText> key_store_password;
  std::optional<model::CustomKeyStoreType> custom_key_store_type;
  std::optional<std::string> xks_proxy_uri_endpoint;
  std::optional<std::string> xks_proxy_uri_path;
  std::optional<std::string> xks_proxy_vpc_endpoint_service_name;
  std::optional<std::string> xks_proxy_vpc_endpoint_service_owner;
  std::optional<XksProxyAuthenticationCredentialType> xks_proxy_authentication_credential;
  std::optional<model::XksProxyConnectivityType> xks_proxy_connectivity;
};

template <>
inline constexpr auto kShape<CreateCustomKeyStoreRequest> = std::tuple{
    Member{"CustomKeyStoreName", &CreateCustomKeyStoreRequest::custom_key_store_name, kRequired,
           Length{1, 256}},
    Member{"CloudHsmClusterId", &CreateCustomKeyStoreRequest::cloud_hsm_cluster_id, Length{19, 24},
           &pattern::kCloudHsmClusterId},
    Member{"TrustAnchorCertificate", &CreateCustomKeyStoreRequest::trust_anchor_certificate,
           kNeverLogged, Length{1, 5000}},
    Member{"KeyStorePassword", &CreateCustomKeyStoreRequest::key_store_password, kNeverLogged,
           Length{7, 32}},
    Member{"CustomKeyStoreType", &CreateCustomKeyStoreRequest::custom_key_store_type},
    Member{"XksProxyUriEndpoint", &CreateCustomKeyStoreRequest::xks_proxy_uri_endpoint,
           Length{10, 128}, &pattern::kXksUriEndpoint},
    Member{"XksProxyUriPath", &CreateCustomKeyStoreRequest::xks_proxy_uri_path, Length{10, 128},
           &pattern::kXksUriPath},
    Member{"XksProxyVpcEndpointServiceName",
           &CreateCustomKeyStoreRequest::xks_proxy_vpc_endpoint_service_name, Length{20, 64},
           &pattern::kXksVpcService},
    Member{"XksProxyVpcEndpointServiceOwner",
           &CreateCustomKeyStoreRequest::xks_proxy_vpc_endpoint_service_owner, Length{12, 12},
           &pattern::kAccountId},
    Member{"XksProxyAuthenticationCredential",
           &CreateCustomKeyStoreRequest::xks_proxy_authentication_credential, kNeverLogged},
    Member{"XksProxyConnectivity", &CreateCustomKeyStoreRequest::xks_proxy_connectivity},
};

struct CreateCustomKeyStoreResponse {
  std::optional<std::string> custom_key_store_id;
};

template <>
inline constexpr auto kShape<CreateCustomKeyStoreResponse> = std::tuple{
    Member{"CustomKeyStoreId", &CreateCustomKeyStoreResponse::custom_key_store_id, Length{1, 64}},
};

namespace op {
struct CreateCustomKeyStore {
  using Request = CreateCustomKeyStoreRequest;
  using Response = CreateCustomKeyStoreResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kCreateCustomKeyStore,
                                       .name = "CreateCustomKeyStore",
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
