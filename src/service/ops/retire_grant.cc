#include "api/ops/retire_grant.h"

#include <algorithm>

#include "service/ops/common.h"

namespace keyturn::service {
namespace {

constexpr std::string_view kAction = "kms:RetireGrant";

Result<GrantPtr> FindGrantToRetire(Call& call, const api::RetireGrantRequest& request) {
  if (request.grant_token) {
    if (request.key_id || request.grant_id) {
      return Fail(ErrorCode::kValidationException,
                  "Specify either GrantToken, or both KeyId and GrantId.");
    }
    return OpenGrantToken(call, *request.grant_token);
  }
  if (!request.key_id || !request.grant_id) {
    return Fail(ErrorCode::kValidationException,
                "Specify either GrantToken, or both KeyId and GrantId.");
  }
  KT_ASSIGN(const Target target, ResolveKey(call, *request.key_id, false, kAction, true));
  const keys::Key& key = target.key->key;
  GrantPtr grant = call.view.FindGrant(key.region, key.id, *request.grant_id);
  if (!grant) {
    // Who has nothing to do with the key learns nothing of its grants.
    if (key.account != call.account()) return Fail(HiddenKey(call, kAction));
    return Fail(ErrorCode::kNotFoundException, "Grant ID " + *request.grant_id + " not found");
  }
  return grant;
}

// MayRetire: the retiring principal, the grantee if the grant says so, and in the key's account
// whoever an identity policy lets. Key policies have no say.
bool MayRetire(const Call& call, const store::GrantRow& grant) {
  const bool by_grantee = std::find(grant.operations.begin(), grant.operations.end(),
                                    model::GrantOperation::kRetireGrant) != grant.operations.end();
  bool may = false;
  call.caller.VisitGranteeNames([&](std::string_view name, policy::Effect effect) {
    may = effect != policy::Effect::kAllowAccount &&
          (name == grant.retiring_principal || (by_grantee && name == grant.grantee));
    return !may;
  });
  return may;
}

}  // namespace

template <>
Result<api::RetireGrantResponse> Handle<api::op::RetireGrant>(
    Call& call, const api::RetireGrantRequest& request) {
  KT_ASSIGN(const GrantPtr grant, FindGrantToRetire(call, request));
  const KeyPtr key = call.view.FindKey(grant->region, grant->key);
  if (!key) return Fail(ErrorCode::kInvalidGrantTokenException);
  if (!MayRetire(call, *grant)) {
    if (grant->account != call.account()) return Fail(HiddenKey(call, kAction));
    KT_TRY(AuthorizeResource(call, kAction, key->key.arn()));
  }
  KT_TRY(CheckDryRun(request.dry_run));
  call.targets.push_back({key, std::nullopt});
  call.grant_id = grant->id;
  call.txn->DeleteGrant(grant);
  return api::RetireGrantResponse{};
}

}  // namespace keyturn::service
