#include "api/ops/update_alias.h"

#include <fmt/format.h>

#include "keys/spec.h"
#include "service/ops/common.h"

namespace keyturn::service {
namespace {

// CheckReplaces: what uses the old key by its alias can use the new one, if not its ciphertexts.
// How AWS names a type in its text is not known; here it is the spec.
Status CheckReplaces(std::string_view alias, const keys::Key& old, const keys::Key& target) {
  const auto differs = [&](std::string_view what, std::string_view from, std::string_view to) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Alias {0} cannot be changed from a CMK with {1} {2} to a CMK with {1} "
                            "{3}. The {1} of the current CMK and the new CMK must be the same.",
                            alias, what, from, to));
  };
  if (target.usage != old.usage) {
    return differs("key usage", model::ToWire(old.usage), model::ToWire(target.usage));
  }
  if (!keys::IsSameType(target.spec, old.spec)) {
    return differs("key type", model::ToWire(old.spec), model::ToWire(target.spec));
  }
  return {};
}

}  // namespace

template <>
Result<api::UpdateAliasResponse> Handle<api::op::UpdateAlias>(
    Call& call, const api::UpdateAliasRequest& request) {
  const Target& old = call.targets.at(0);
  const keys::Key& target = call.targets.at(1).key->key;
  KT_TRY(keys::CheckState(target, keys::KeyOperation::kUpdateAliasNewTarget));
  KT_TRY(CheckReplaces(request.alias_name, old.key->key, target));
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
