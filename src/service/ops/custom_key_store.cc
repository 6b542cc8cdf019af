#include "service/ops/custom_key_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::service {
namespace {

bool SharesRegion(const store::CustomKeyStoreRow& a, const store::CustomKeyStoreRow& b) {
  return a.id != b.id && a.account == b.account && a.region == b.region;
}

}  // namespace

Status RequireAll(std::span<const Named> members, std::string_view type) {
  for (const Named& member : members) {
    if (!member.given) {
      return Fail(
          ErrorCode::kValidationException,
          fmt::format("{} is required for a custom key store of type {}.", member.name, type));
    }
  }
  return {};
}

Status RefuseAll(std::span<const Named> members, std::string_view type) {
  for (const Named& member : members) {
    if (member.given) {
      return Fail(
          ErrorCode::kValidationException,
          fmt::format("{} is not valid for a custom key store of type {}.", member.name, type));
    }
  }
  return {};
}

Status CheckConnectivity(const std::optional<model::XksProxyConnectivityType>& connectivity,
                         std::span<const Named> vpc_members) {
  if (connectivity == model::XksProxyConnectivityType::kVpcEndpointService) {
    KT_TRY(RequireAll(vpc_members.first(1), "EXTERNAL_KEY_STORE with VPC_ENDPOINT_SERVICE"));
    return Fail(ErrorCode::kXksProxyVpcEndpointServiceNotFoundException,
                "This server has no VPC endpoint services; use PUBLIC_ENDPOINT.");
  }
  return RefuseAll(vpc_members, "EXTERNAL_KEY_STORE with PUBLIC_ENDPOINT");
}

Status CheckName(const std::vector<CustomKeyStorePtr>& all, const store::CustomKeyStoreRow& row) {
  for (const CustomKeyStorePtr& other : all) {
    if (SharesRegion(other->row, row) && other->row.name == row.name) {
      return Fail(ErrorCode::kCustomKeyStoreNameInUseException,
                  fmt::format("There is a custom key store named {} already.", row.name));
    }
  }
  return {};
}

Status CheckUri(const std::vector<CustomKeyStorePtr>& all, const store::CustomKeyStoreRow& row) {
  for (const CustomKeyStorePtr& other : all) {
    if (SharesRegion(other->row, row) && other->row.uri_endpoint == row.uri_endpoint &&
        other->row.uri_path == row.uri_path) {
      return Fail(ErrorCode::kXksProxyUriInUseException,
                  fmt::format("The external key store {} has this XksProxyUriEndpoint and "
                              "XksProxyUriPath.",
                              other->row.id));
    }
  }
  return {};
}

Status CheckClusterIsFree(const std::vector<CustomKeyStorePtr>& all,
                          const store::CustomKeyStoreRow& row) {
  const bool taken = std::any_of(all.begin(), all.end(), [&](const CustomKeyStorePtr& other) {
    return other->row.id != row.id && other->row.cluster == row.cluster;
  });
  if (!taken) return {};
  // Which store it is may be another account's business.
  return Fail(
      ErrorCode::kCloudHsmClusterInUseException,
      fmt::format("The cluster {} is associated with a custom key store already.", row.cluster));
}

Result<const TokenCluster*> NamedCluster(const Environment& environment, const std::string& id) {
  const TokenCluster* named =
      environment.outside != nullptr ? environment.outside->FindCluster(id) : nullptr;
  if (named == nullptr) {
    return Fail(ErrorCode::kCloudHsmClusterNotFoundException,
                fmt::format("There is no cluster {}: the operator of this server names clusters "
                            "with --hsm-cluster.",
                            id));
  }
  return named;
}

}  // namespace keyturn::service
