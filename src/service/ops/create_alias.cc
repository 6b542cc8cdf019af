#include "api/ops/create_alias.h"

#include <fmt/format.h>

#include "model/arn.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::CreateAliasResponse> Handle<api::op::CreateAlias>(
    Call& call, const api::CreateAliasRequest& request) {
  const KeyEntry& entry = call.key();
  if (call.view.FindAlias(call.account(), call.region, request.alias_name)) {
    return Fail(ErrorCode::kAlreadyExistsException,
                fmt::format("An alias with the name {} already exists",
                            model::AliasArn(call.region, call.account(), request.alias_name)));
  }
  KT_TRY(keys::CheckState(entry.key, keys::KeyOperation::kCreateAlias));
  if (call.view.AliasesOf(call.account(), call.region, entry.key.id).size() >=
      call.environment.quotas.aliases_per_key) {
    return Fail(ErrorCode::kLimitExceededException,
                fmt::format("{} has {} aliases, which is the limit.", entry.key.arn(),
                            call.environment.quotas.aliases_per_key));
  }
  call.txn->PutAlias(
      {call.account(), call.region, request.alias_name, entry.key.id, call.now, call.now});
  return api::CreateAliasResponse{};
}

}  // namespace keyturn::service
