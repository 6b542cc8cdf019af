#include "api/ops/describe_custom_key_stores.h"

#include "service/custom_key_stores.h"
#include "service/ops/common.h"

namespace keyturn::service {
namespace {

api::CustomKeyStoresListEntry ToEntry(const CustomKeyStore& store) {
  const store::CustomKeyStoreRow& row = store.row;
  api::CustomKeyStoresListEntry entry;
  entry.custom_key_store_id = row.id;
  entry.custom_key_store_name = row.name;
  entry.connection_state = store.state();
  if (store.state() == model::ConnectionStateType::kFailed) entry.connection_error_code = row.error;
  entry.creation_date = row.created;
  entry.custom_key_store_type = row.type;
  if (store.is_token()) {
    entry.cloud_hsm_cluster_id = row.cluster;
    entry.trust_anchor_certificate = row.trust_anchor;
    return entry;
  }
  auto& proxy = entry.xks_proxy_configuration.emplace();
  proxy.connectivity = model::XksProxyConnectivityType::kPublicEndpoint;
  proxy.access_key_id = api::SecretText{SecretBytes::CopyOf(AsBytes(store.access_key_id))};
  proxy.uri_endpoint = row.uri_endpoint;
  proxy.uri_path = row.uri_path;
  return entry;
}

}  // namespace

template <>
Result<api::DescribeCustomKeyStoresResponse> Handle<api::op::DescribeCustomKeyStores>(
    Call& call, const api::DescribeCustomKeyStoresRequest& request) {
  constexpr std::string_view kScope = "DescribeCustomKeyStores";
  const auto& id = request.custom_key_store_id;
  const auto& name = request.custom_key_store_name;
  if (id && name) {
    return Fail(ErrorCode::kValidationException,
                "Name a custom key store by CustomKeyStoreId or by CustomKeyStoreName, not by "
                "both.");
  }
  KT_ASSIGN(const Page page,
            ReadPage(call, kScope, request.marker, request.limit, kCustomKeyStoresMax));
  api::DescribeCustomKeyStoresResponse response;
  auto& entries = response.custom_key_stores.emplace();
  bool more = false;
  for (const CustomKeyStorePtr& store : call.view.CustomKeyStores()) {
    const store::CustomKeyStoreRow& row = store->row;
    if (row.account != call.account() || row.region != call.region || row.id <= page.after ||
        (id && row.id != *id) || (name && row.name != *name)) {
      continue;
    }
    more = entries.size() == page.limit;
    if (more) break;
    entries.push_back(ToEntry(*store));
  }
  if (entries.empty() && (id || name)) {
    return Fail(ErrorCode::kCustomKeyStoreNotFoundException,
                "The custom key store " + (id ? *id : *name) + " does not exist.");
  }
  response.truncated = more;
  if (more) response.next_marker = MakeMarker(call, kScope, *entries.back().custom_key_store_id);
  return response;
}

}  // namespace keyturn::service
