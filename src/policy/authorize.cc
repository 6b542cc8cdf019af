// Authorize: what follows from all policies together.
#include <algorithm>

#include "base/check.h"
#include "policy/compiled.h"
#include "policy/policy.h"

namespace keyturn::policy {

// Everything but kAllowed refuses.
enum class Judgement::Why : std::uint8_t {
  kAllowed,
  kKeyDenies,
  kIdentityDenies,
  kBoundaryDenies,
  kSessionDenies,
  kKeySilent,
  kIdentitySilent,
  kBoundarySilent,
  kSessionSilent,
  kHidden,
};

namespace {

using Side = Judgement::CallerEffects;
using Why = Judgement::Why;

Side EvaluateCaller(Asking& asking, const CallerPolicies& caller) {
  Side side;
  if (asking.request.principal->is_root) {
    side.identity = Effect::kAllowDirect;
  } else {
    for (const PolicyPtr& policy : caller.identity) {
      side.identity = std::max(side.identity, Evaluate(*policy, asking));
    }
  }
  if (caller.boundary != nullptr) side.boundary = Evaluate(*caller.boundary, asking);
  if (caller.session != nullptr) side.session = Evaluate(*caller.session, asking);
  return side;
}

// ExplicitDeny: the first Deny on the caller's side.
Why ExplicitDeny(const Side& side) {
  if (side.identity == Effect::kDeny) return Why::kIdentityDenies;
  if (side.boundary == Effect::kDeny) return Why::kBoundaryDenies;
  return side.session == Effect::kDeny ? Why::kSessionDenies : Why::kAllowed;
}

// Limits: boundary and session policy must allow what another policy allows.
Why Limits(const Side& side) {
  if (side.boundary == Effect::kNone) return Why::kBoundarySilent;
  return side.session == Effect::kNone ? Why::kSessionSilent : Why::kAllowed;
}

Why CallerAllows(const Side& side) {
  return side.identity == Effect::kNone ? Why::kIdentitySilent : Limits(side);
}

Why AuthorizeOwn(Effect key, const Side& side) {
  switch (key) {
    case Effect::kDeny:
      return Why::kKeyDenies;
    case Effect::kNone:
      return Why::kKeySilent;
    case Effect::kAllowDirect:
      return Why::kAllowed;
    case Effect::kAllowRole:
      return Limits(side);
    case Effect::kAllowAccount:
      break;
  }
  return CallerAllows(side);
}

// All refusals of the key's side sound alike, and come before those of the caller's, so that the
// answer does not tell whether another account's key exists.
Why AuthorizeForeign(Effect key, const GrantSide& grant, const Side& side, Why denied) {
  if (key == Effect::kDeny || key == Effect::kNone) return Why::kHidden;
  if (denied != Why::kAllowed) return denied;
  if (grant.effect != Effect::kNone && grant.supplies_identity) {
    return grant.effect == Effect::kAllowDirect ? Why::kAllowed : Limits(side);
  }
  return CallerAllows(side);
}

std::string Reason(Why why, std::string_view action) {
  const auto none_allows = [action](std::string_view kind) {
    std::string reason = "because no ";
    return reason.append(kind).append(" allows the ").append(action).append(" action");
  };
  switch (why) {
    case Why::kAllowed:
      return {};
    case Why::kKeyDenies:
      return "with an explicit deny in a resource-based policy";
    case Why::kIdentityDenies:
      return "with an explicit deny in an identity-based policy";
    case Why::kBoundaryDenies:
      return "with an explicit deny in a permissions boundary";
    case Why::kSessionDenies:
      return "with an explicit deny in a session policy";
    case Why::kKeySilent:
      return none_allows("resource-based policy");
    case Why::kIdentitySilent:
      return none_allows("identity-based policy");
    case Why::kBoundarySilent:
      return none_allows("permissions boundary");
    case Why::kSessionSilent:
      return none_allows("session policy");
    case Why::kHidden:
      break;
  }
  return std::string(kReasonNoAccess);
}

}  // namespace

Judgement::Judgement(const Request& request, const KeySide* key, const CallerPolicies& caller)
    : action_(request.action), has_key_(key != nullptr) {
  KT_CHECK(request.principal != nullptr);
  Asking asking(request);
  caller_ = EvaluateCaller(asking, caller);
  if (key == nullptr) return;
  KT_CHECK(key->account != nullptr);
  if (key->policy != nullptr) key_ = Evaluate(*key->policy, asking);
  own_ = *key->account == request.principal->account;
}

Judgement::Why Judgement::Deciding(const GrantSide& grant) const {
  const Why denied = ExplicitDeny(caller_);
  if (!has_key_) return denied == Why::kAllowed ? CallerAllows(caller_) : denied;
  const Effect effect = std::max(key_, grant.effect);
  if (!own_) return AuthorizeForeign(effect, grant, caller_, denied);
  if (denied != Why::kAllowed && effect != Effect::kDeny) return denied;
  return AuthorizeOwn(effect, caller_);
}

bool Judgement::Allows(const GrantSide& grant) const { return Deciding(grant) == Why::kAllowed; }

Decision Judgement::Decide(const GrantSide& grant) const {
  const Why why = Deciding(grant);
  if (why == Why::kAllowed) return {true, {}, true};
  return {false, Reason(why, action_), own_};
}

Decision Authorize(const Request& request, const KeySide* key, const CallerPolicies& caller) {
  return Judgement(request, key, caller).Decide(key != nullptr ? key->grant : GrantSide{});
}

bool AllowsPutKeyPolicy(const Policy& new_policy, const Request& put,
                        const model::AccountId& key_account, const CallerPolicies& caller) {
  const KeySide key{&new_policy, &key_account, {}};
  return Authorize(put, &key, caller).allowed;
}

std::string AccessDeniedMessage(const Request& request, const Decision& decision) {
  std::string text = "User: ";
  text.append(request.principal->arn).append(" is not authorized to perform: ");
  text.append(request.action);
  if (decision.names_resource) {
    text.append(" on resource: ").append(request.resource);
  } else {
    text.append(" on this resource");
  }
  return text.append(" ").append(decision.reason);
}

}  // namespace keyturn::policy
