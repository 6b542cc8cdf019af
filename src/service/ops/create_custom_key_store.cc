#include "api/ops/create_custom_key_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "crypto/certificate.h"
#include "service/custom_key_stores.h"
#include "service/ops/custom_key_store.h"
#include "service/outside_errors.h"
#include "service/outside_work.h"

namespace keyturn::service {
namespace {

using Request = api::CreateCustomKeyStoreRequest;

// CheckMembers: each type has its own, all of them required and none of the other's allowed.
Status CheckMembers(const Request& request, bool is_token) {
  const Named token[] = {
      {"CloudHsmClusterId", request.cloud_hsm_cluster_id.has_value()},
      {"KeyStorePassword", request.key_store_password.has_value()},
      {"TrustAnchorCertificate", request.trust_anchor_certificate.has_value()},
  };
  const Named proxy[] = {
      {"XksProxyConnectivity", request.xks_proxy_connectivity.has_value()},
      {"XksProxyUriEndpoint", request.xks_proxy_uri_endpoint.has_value()},
      {"XksProxyUriPath", request.xks_proxy_uri_path.has_value()},
      {"XksProxyAuthenticationCredential", request.xks_proxy_authentication_credential.has_value()},
  };
  const Named vpc[] = {
      {"XksProxyVpcEndpointServiceName", request.xks_proxy_vpc_endpoint_service_name.has_value()},
      {"XksProxyVpcEndpointServiceOwner", request.xks_proxy_vpc_endpoint_service_owner.has_value()},
  };
  const std::string_view type = is_token ? "AWS_CLOUDHSM" : "EXTERNAL_KEY_STORE";
  KT_TRY(is_token ? RequireAll(token, type) : RequireAll(proxy, type));
  KT_TRY(is_token ? RefuseAll(proxy, type) : RefuseAll(token, type));
  if (is_token) return RefuseAll(vpc, type);
  return CheckConnectivity(request.xks_proxy_connectivity, vpc);
}

// Plan: what would be made, without id and secret.
Result<CustomKeyStore> Plan(const Call& call, const Request& request) {
  CustomKeyStore planned;
  store::CustomKeyStoreRow& row = planned.row;
  row.type = request.custom_key_store_type.value_or(model::CustomKeyStoreType::kAwsCloudhsm);
  KT_TRY(CheckMembers(request, planned.is_token()));
  row.account = call.account();
  row.region = call.region;
  row.name = request.custom_key_store_name;
  row.created = call.now;
  const auto all = call.view.CustomKeyStores();
  const auto own = std::count_if(all.begin(), all.end(), [&](const CustomKeyStorePtr& each) {
    return each->row.account == row.account && each->row.region == row.region;
  });
  if (static_cast<std::size_t>(own) >= kCustomKeyStoresMax) {
    return Fail(ErrorCode::kLimitExceededException,
                fmt::format("There are {} custom key stores in this account and region already.",
                            kCustomKeyStoresMax));
  }
  KT_TRY(CheckName(all, row));
  if (!planned.is_token()) {
    row.uri_endpoint = *request.xks_proxy_uri_endpoint;
    row.uri_path = *request.xks_proxy_uri_path;
    KT_TRY(CheckUri(all, row));
    return planned;
  }
  row.cluster = *request.cloud_hsm_cluster_id;
  row.trust_anchor = *request.trust_anchor_certificate;
  KT_ASSIGN(const TokenCluster* named, NamedCluster(call.environment, row.cluster));
  KT_TRY(CheckClusterIsFree(all, row));
  const auto certificate = crypto::CertificateDer(row.trust_anchor);
  if (!certificate || (!named->trust_anchor.empty() && named->trust_anchor != *certificate)) {
    return Fail(ErrorCode::kIncorrectTrustAnchorException,
                "The trust anchor certificate is not the one of the specified cluster.");
  }
  return planned;
}

// ReadSecret: the members that Plan leaves out. For a plan that lives only to be tried, unsealed.
void ReadSecret(const Request& request, CustomKeyStore& planned) {
  if (planned.is_token()) {
    planned.secret = SecretBytes::CopyOf(request.key_store_password->bytes.reveal());
    return;
  }
  const auto& credential = *request.xks_proxy_authentication_credential;
  planned.access_key_id = AsText(credential.access_key_id.bytes.reveal());
  planned.secret = SecretBytes::CopyOf(credential.raw_secret_access_key.bytes.reveal());
}

std::string NewStoreId(RandomSource& random) {
  std::array<std::uint8_t, 9> bytes{};
  random.Fill(bytes);
  return "cks-" + HexEncode(bytes).substr(0, 17);
}

}  // namespace

template <>
OutsideWork GoOutside<api::op::CreateCustomKeyStore>(Call& call, const Request& request) {
  OutsideWork work;
  auto planned = Plan(call, request);
  if (!planned) return work;
  ReadSecret(request, *planned);
  work.done = true;
  if (planned->is_token()) {
    // AWS tries the password when the store is connected, not here.
    hsm::Cluster* const cluster = ClusterOf(call.environment, *planned);
    work.token = cluster != nullptr ? cluster->Probe().outcome : hsm::Outcome::kNoToken;
  } else if (const auto health = CheckHealth(call, *planned); !health) {
    work.proxy = health.error();
  }
  return work;
}

template <>
void ComeBack<api::op::CreateCustomKeyStore>(const Environment& /*environment*/,
                                             const OutsideWork& /*work*/, bool /*committed*/) {}

template <>
Result<api::CreateCustomKeyStoreResponse> Handle<api::op::CreateCustomKeyStore>(
    Call& call, const Request& request) {
  KT_ASSIGN(CustomKeyStore planned, Plan(call, request));
  KT_TRY(CheckUnchanged(call, nullptr));
  const OutsideWork& work = *call.outside_work;
  if (work.token != hsm::Outcome::kOk) return Fail(ManageError(work.token));
  if (work.proxy) return Fail(ManageError(*work.proxy));
  planned.row.id = NewStoreId(call.environment.random);
  ReadSecret(request, planned);
  auto made = std::make_shared<CustomKeyStore>(CopyOf(planned));
  SetSecret(call.environment, *made, planned.access_key_id, planned.secret.reveal());
  const std::string id = made->row.id;
  call.txn->PutCustomKeyStore(std::move(made));
  return api::CreateCustomKeyStoreResponse{.custom_key_store_id = id};
}

}  // namespace keyturn::service
