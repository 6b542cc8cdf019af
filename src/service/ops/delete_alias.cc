#include "api/ops/delete_alias.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DeleteAliasResponse> Handle<api::op::DeleteAlias>(
    Call& call, const api::DeleteAliasRequest& /*request*/) {
  call.txn->DeleteAlias(*call.targets.front().alias);
  return api::DeleteAliasResponse{};
}

}  // namespace keyturn::service
