// Authorize: what follows from all policies together.
#include <algorithm>

#include "base/check.h"
#include "policy/policy.h"

namespace keyturn::policy {
namespace {

// Side: the effects of the caller's policies. A missing boundary or session policy limits nothing.
struct Side {
  Effect identity = Effect::kNone;
  Effect boundary = Effect::kAllowDirect;
  Effect session = Effect::kAllowDirect;
};

// Why: what decided. Everything but kAllowed refuses.
enum class Why : std::uint8_t {
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

Side EvaluateCaller(const Request& request, const CallerPolicies& caller) {
  Side side;
  if (request.principal->is_root) {
    side.identity = Effect::kAllowDirect;
  } else {
    for (const PolicyPtr& policy : caller.identity) {
      side.identity = std::max(side.identity, Evaluate(*policy, request));
    }
  }
  if (caller.boundary != nullptr) side.boundary = Evaluate(*caller.boundary, request);
  if (caller.session != nullptr) side.session = Evaluate(*caller.session, request);
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

// All refusals of the key's side sound alike, so that the answer does not tell whether another
// account's key exists.
Why AuthorizeForeign(Effect key, const GrantSide& grant, const Side& side) {
  if (key == Effect::kDeny || key == Effect::kNone) return Why::kHidden;
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

Decision Authorize(const Request& request, const KeySide* key, const CallerPolicies& caller) {
  KT_CHECK(request.principal != nullptr);
  const Side side = EvaluateCaller(request, caller);
  Why why = ExplicitDeny(side);
  bool own = true;
  if (key == nullptr) {
    if (why == Why::kAllowed) why = CallerAllows(side);
  } else {
    KT_CHECK(key->policy != nullptr && key->account != nullptr);
    const Effect effect = std::max(Evaluate(*key->policy, request), key->grant.effect);
    own = *key->account == request.principal->account;
    if (own && (why == Why::kAllowed || effect == Effect::kDeny)) {
      why = AuthorizeOwn(effect, side);
    } else if (why == Why::kAllowed) {
      why = AuthorizeForeign(effect, key->grant, side);
    }
  }
  if (why == Why::kAllowed) return {true, {}, true};
  return {false, Reason(why, request.action), own};
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
