#include "api/ops/update_custom_key_store.h"

#include "service/ops/custom_key_store.h"
#include "service/outside_errors.h"
#include "service/outside_work.h"

namespace keyturn::service {
namespace {

using Request = api::UpdateCustomKeyStoreRequest;

// Plan: the store as it would be.
struct Plan {
  CustomKeyStorePtr before;
  CustomKeyStore after;
  bool new_secret = false;
  bool new_proxy = false;  // the proxy has to prove itself
  bool new_cluster = false;
};

Status CheckMembers(const Request& request, bool is_token) {
  const Named token[] = {
      {"CloudHsmClusterId", request.cloud_hsm_cluster_id.has_value()},
      {"KeyStorePassword", request.key_store_password.has_value()},
  };
  const Named proxy[] = {
      {"XksProxyConnectivity", request.xks_proxy_connectivity.has_value()},
      {"XksProxyUriEndpoint", request.xks_proxy_uri_endpoint.has_value()},
      {"XksProxyUriPath", request.xks_proxy_uri_path.has_value()},
      {"XksProxyAuthenticationCredential", request.xks_proxy_authentication_credential.has_value()},
      {"XksProxyVpcEndpointServiceName", request.xks_proxy_vpc_endpoint_service_name.has_value()},
      {"XksProxyVpcEndpointServiceOwner", request.xks_proxy_vpc_endpoint_service_owner.has_value()},
  };
  bool any = request.new_custom_key_store_name.has_value();
  for (const Named& member : token) any = any || member.given;
  for (const Named& member : proxy) any = any || member.given;
  if (!any) {
    return Fail(ErrorCode::kValidationException,
                "Name at least one property of the custom key store to update.");
  }
  if (is_token) return RefuseAll(proxy, "AWS_CLOUDHSM");
  KT_TRY(RefuseAll(token, "EXTERNAL_KEY_STORE"));
  return CheckConnectivity(request.xks_proxy_connectivity, std::span(proxy).subspan(4));
}

// CheckStateFor: a name may change at any time but on the way to another state; a proxy's path and
// credential while connected too; all else needs a disconnected store.
Status CheckStateFor(const Request& request, const CustomKeyStore& store) {
  using State = model::ConnectionStateType;
  const bool needs_disconnected = request.key_store_password || request.cloud_hsm_cluster_id ||
                                  request.xks_proxy_uri_endpoint || request.xks_proxy_connectivity;
  const State state = store.state();
  const bool allowed =
      state == State::kDisconnected || (state == State::kConnected && !needs_disconnected);
  return allowed ? Status() : Fail(WrongState(store));
}

Result<Plan> PlanUpdate(const Call& call, const Request& request) {
  KT_ASSIGN(CustomKeyStorePtr before, OwnCustomKeyStore(call, request.custom_key_store_id));
  KT_TRY(CheckMembers(request, before->is_token()));
  KT_TRY(CheckStateFor(request, *before));
  Plan plan{before, CopyOf(*before)};
  store::CustomKeyStoreRow& row = plan.after.row;
  const auto all = call.view.CustomKeyStores();
  if (request.new_custom_key_store_name) {
    row.name = *request.new_custom_key_store_name;
    KT_TRY(CheckName(all, row));
  }
  if (request.key_store_password) {
    plan.after.secret = SecretBytes::CopyOf(request.key_store_password->bytes.reveal());
    plan.new_secret = true;
  }
  if (request.cloud_hsm_cluster_id) {
    plan.new_cluster = row.cluster != *request.cloud_hsm_cluster_id;
    row.cluster = *request.cloud_hsm_cluster_id;
    KT_TRY(NamedCluster(call.environment, row.cluster));
    // AWS has no error of its own for a related cluster that is another store's.
    if (!CheckClusterIsFree(all, row)) {
      return Fail(ErrorCode::kCloudHsmClusterNotRelatedException,
                  "The cluster is associated with another custom key store.");
    }
  }
  if (const auto& credential = request.xks_proxy_authentication_credential) {
    plan.after.access_key_id = AsText(credential->access_key_id.bytes.reveal());
    plan.after.secret = SecretBytes::CopyOf(credential->raw_secret_access_key.bytes.reveal());
    plan.new_secret = true;
  }
  if (request.xks_proxy_uri_endpoint) row.uri_endpoint = *request.xks_proxy_uri_endpoint;
  if (request.xks_proxy_uri_path) row.uri_path = *request.xks_proxy_uri_path;
  plan.new_proxy = !before->is_token() &&
                   (request.xks_proxy_uri_endpoint || request.xks_proxy_uri_path ||
                    request.xks_proxy_authentication_credential || request.xks_proxy_connectivity);
  if (plan.new_proxy) KT_TRY(CheckUri(all, row));
  return plan;
}

// AskNewCluster: another token is related when it has every key of the store.
void AskNewCluster(const Call& call, const Plan& plan, OutsideWork& work) {
  hsm::Cluster* const cluster = ClusterOf(call.environment, plan.after);
  work.token = cluster->Probe().outcome;
  if (work.token != hsm::Outcome::kOk) return;
  const auto keys = call.view.KeysInCustody(plan.before->row.id, SIZE_MAX);
  if (keys.empty()) return;
  work.token = cluster->Login(plan.after.secret.reveal()).outcome;
  for (const KeyName& key : keys) {
    if (work.token != hsm::Outcome::kOk) break;
    hsm::Request request;
    request.action = hsm::Action::kFindKey;
    request.key = key.id.text();
    work.token = cluster->Call(request, plan.after.secret.reveal()).outcome;
  }
  cluster->Logout();
  if (work.token == hsm::Outcome::kNoKey) {
    work.token = hsm::Outcome::kOk;
    work.related = false;
  }
}

}  // namespace

template <>
OutsideWork GoOutside<api::op::UpdateCustomKeyStore>(Call& call, const Request& request) {
  OutsideWork work;
  const auto plan = PlanUpdate(call, request);
  if (!plan) return work;
  work.done = true;
  work.store = plan->before;
  if (plan->new_cluster) AskNewCluster(call, *plan, work);
  if (plan->new_proxy) {
    if (const auto health = CheckHealth(call, plan->after); !health) work.proxy = health.error();
  }
  return work;
}

template <>
void ComeBack<api::op::UpdateCustomKeyStore>(const Environment& /*environment*/,
                                             const OutsideWork& /*work*/, bool /*committed*/) {}

template <>
Result<api::UpdateCustomKeyStoreResponse> Handle<api::op::UpdateCustomKeyStore>(
    Call& call, const Request& request) {
  KT_ASSIGN(Plan plan, PlanUpdate(call, request));
  KT_TRY(CheckUnchanged(call, plan.before));
  const OutsideWork& work = *call.outside_work;
  if (work.token != hsm::Outcome::kOk) return Fail(ManageError(work.token));
  if (work.proxy) return Fail(ManageError(*work.proxy));
  if (!work.related) {
    return Fail(ErrorCode::kCloudHsmClusterNotRelatedException,
                "The cluster does not have all keys of the custom key store.");
  }
  auto after = std::make_shared<CustomKeyStore>(CopyOf(plan.after));
  if (plan.new_secret) {
    SetSecret(call.environment, *after, plan.after.access_key_id, plan.after.secret.reveal());
  }
  call.txn->PutCustomKeyStore(std::move(after));
  return api::UpdateCustomKeyStoreResponse{};
}

}  // namespace keyturn::service
