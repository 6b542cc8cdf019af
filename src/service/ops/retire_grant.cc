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

// EffectFor: what the grant says of its being retired by the caller. It names its retiring
// principal, and its grantee if RetireGrant is among the operations; the accounts of the key and of
// who issued it may retire it too, through whoever their identity policies let.
policy::Effect EffectFor(const Call& call, const store::GrantRow& grant) {
  const bool by_grantee = std::find(grant.operations.begin(), grant.operations.end(),
                                    model::GrantOperation::kRetireGrant) != grant.operations.end();
  const bool backup = call.account() == grant.account || call.account() == grant.issuing_account;
  policy::Effect effect = backup ? policy::Effect::kAllowAccount : policy::Effect::kNone;
  const auto retirer = model::WithoutPartition(grant.retiring_principal);
  const auto grantee = model::WithoutPartition(grant.grantee);
  call.caller.VisitGranteeNames([&](std::string_view arn, policy::Effect named) {
    const auto name = model::WithoutPartition(arn);
    if (name == retirer || (by_grantee && name == grantee)) {
      effect = std::max(effect, named);
    }
    return true;
  });
  return effect;
}

// AuthorizeRetiring: the grant is the resource's side, of whichever account the caller is; key
// policies have no say.
Status AuthorizeRetiring(const Call& call, const store::GrantRow& grant, const KeyEntry& key) {
  const policy::Effect effect = EffectFor(call, grant);
  if (effect == policy::Effect::kNone) return Fail(HiddenKey(call, kAction));
  const policy::Principal principal = call.caller.principal();
  const std::string arn = key.key.arn();
  const CallConditions conditions(call, kAction, key, {});
  const policy::Request request{kAction, arn, &principal, &conditions};
  const policy::KeySide side{nullptr, &principal.account, {effect}};
  policy::Decision decision = policy::Authorize(request, &side, call.caller.policies());
  if (decision.allowed) return {};
  decision.names_resource = call.account() == grant.account;
  return Fail(ErrorCode::kAccessDeniedException, policy::AccessDeniedMessage(request, decision));
}

}  // namespace

template <>
Result<api::RetireGrantResponse> Handle<api::op::RetireGrant>(
    Call& call, const api::RetireGrantRequest& request) {
  KT_ASSIGN(const GrantPtr grant, FindGrantToRetire(call, request));
  const KeyPtr key = call.view.FindKey(grant->region, grant->key);
  if (!key) return Fail(ErrorCode::kInvalidGrantTokenException);
  KT_TRY(AuthorizeRetiring(call, *grant, *key));
  KT_TRY(CheckDryRun(request.dry_run));
  call.targets.push_back({key, std::nullopt});
  call.grant_id = grant->id;
  call.txn->DeleteGrant(grant);
  return api::RetireGrantResponse{};
}

}  // namespace keyturn::service
