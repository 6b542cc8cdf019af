#include "api/ops/update_alias.h"

#include <fmt/format.h>

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::UpdateAliasResponse> Handle<api::op::UpdateAlias>(
    Call& call, const api::UpdateAliasRequest& request) {
  const Target& old = call.targets.at(0);
  const keys::Key& target = call.targets.at(1).key->key;
  KT_TRY(keys::CheckState(target, keys::KeyOperation::kUpdateAliasNewTarget));
  if (target.spec != old.key->key.spec || target.usage != old.key->key.usage) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Alias {} cannot be changed from a CMK with key type {} to a CMK with "
                            "key type {}. The key type of the current CMK and the new CMK must be "
                            "the same.",
                            request.alias_name, model::ToWire(old.key->key.spec),
                            model::ToWire(target.spec)));
  }
  if (target.id != old.key->key.id &&
      call.view.AliasesOf(call.account(), call.region, target.id).size() >=
          call.environment.quotas.aliases_per_key) {
    return Fail(ErrorCode::kLimitExceededException,
                fmt::format("{} has {} aliases, which is the limit.", target.arn(),
                            call.environment.quotas.aliases_per_key));
  }
  store::AliasRow row = *old.alias;
  row.target = target.id;
  row.last_updated_date = call.now;
  call.txn->PutAlias(std::move(row));
  return api::UpdateAliasResponse{};
}

}  // namespace keyturn::service
