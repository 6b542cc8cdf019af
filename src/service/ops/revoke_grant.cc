#include "api/ops/revoke_grant.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::RevokeGrantResponse> Handle<api::op::RevokeGrant>(
    Call& call, const api::RevokeGrantRequest& request) {
  const keys::Key& key = call.key().key;
  const GrantPtr grant = call.view.FindGrant(key.region, key.id, request.grant_id);
  if (!grant) {
    return Fail(ErrorCode::kNotFoundException, "Grant ID " + request.grant_id + " not found");
  }
  KT_TRY(CheckDryRun(request.dry_run));
  call.txn->DeleteGrant(grant);
  return api::RevokeGrantResponse{};
}

}  // namespace keyturn::service
