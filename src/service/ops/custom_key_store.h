// Custom key stores: the checks that creating and updating share.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/custom_key_stores.h"

namespace keyturn::service {

// Named: a member of a request and whether it is there.
struct Named {
  std::string_view name;
  bool given = false;
};

// RequireAll and RefuseAll: ValidationException naming the member.
Status RequireAll(std::span<const Named> members, std::string_view type);
Status RefuseAll(std::span<const Named> members, std::string_view type);

// CheckConnectivity: this server has no VPCs, so no VPC endpoint service is ever found.
Status CheckConnectivity(const std::optional<model::XksProxyConnectivityType>& connectivity,
                         std::span<const Named> vpc_members);

// Of a row that would be stored, against the others that there are. A row's own id is not another.
Status CheckName(const std::vector<CustomKeyStorePtr>& all, const store::CustomKeyStoreRow& row);
Status CheckUri(const std::vector<CustomKeyStorePtr>& all, const store::CustomKeyStoreRow& row);
// CheckClusterIsFree: a token is one store's in the whole deployment.
Status CheckClusterIsFree(const std::vector<CustomKeyStorePtr>& all,
                          const store::CustomKeyStoreRow& row);
// NamedCluster: CloudHsmClusterNotFoundException for an id that the operator has not named.
Result<const TokenCluster*> NamedCluster(const Environment& environment, const std::string& id);

}  // namespace keyturn::service
