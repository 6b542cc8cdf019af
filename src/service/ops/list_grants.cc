#include "api/ops/list_grants.h"

#include <algorithm>

#include "service/ops/common.h"
#include "service/ops/grant_entry.h"

namespace keyturn::service {

template <>
Result<api::ListGrantsResponse> Handle<api::op::ListGrants>(Call& call,
                                                            const api::ListGrantsRequest& request) {
  const keys::Key& key = call.key().key;
  const std::string scope =
      "ListGrants " + std::string(key.id.text()) + " " + request.grantee_principal.value_or("");
  KT_ASSIGN(const Page page,
            ReadPage(call, scope, request.marker, request.limit, kGrantsPageDefault));
  std::vector<GrantPtr> grants;
  if (request.grant_id) {
    GrantPtr grant = call.view.FindGrant(key.region, key.id, *request.grant_id);
    if (!grant) return Fail(ErrorCode::kInvalidGrantIdException);
    if (!request.grantee_principal || model::WithoutPartition(grant->grantee) ==
                                          model::WithoutPartition(*request.grantee_principal)) {
      grants.push_back(std::move(grant));
    }
  } else if (request.grantee_principal) {
    KT_TRY(CheckGrantPrincipal(call, *request.grantee_principal));
    for (GrantPtr& grant : call.view.GrantsOf(key.region, key.id, *request.grantee_principal)) {
      if (grant->id > page.after && grants.size() <= page.limit) grants.push_back(std::move(grant));
    }
  } else {
    grants = call.environment.tables.ListGrants(key.region, key.id, page.after, page.limit + 1);
  }
  api::ListGrantsResponse response;
  response.truncated = grants.size() > page.limit;
  if (*response.truncated) {
    grants.resize(page.limit);
    response.next_marker = MakeMarker(call, scope, grants.back()->id);
  }
  auto& entries = response.grants.emplace();
  for (const GrantPtr& grant : grants) entries.push_back(ToGrantEntry(*grant));
  return response;
}

}  // namespace keyturn::service
