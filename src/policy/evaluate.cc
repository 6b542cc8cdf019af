// Evaluation: which statements apply to a request, and what follows from all policies together.
#include <algorithm>

#include "base/check.h"
#include "model/arn.h"
#include "policy/compiled.h"

namespace keyturn::policy {
namespace {

// Reach: how a statement's Principal meets the caller.
enum class Reach { kNobody, kAccount, kDirect };

bool AnyMatches(const std::vector<Pattern>& patterns, std::string_view subject) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [subject](const Pattern& pattern) { return pattern.Matches(subject); });
}

// ResourceOf returns the part of a principal's ARN behind the account.
std::string_view ResourceOf(std::string_view arn) {
  for (int colons = 0; colons < 5; ++colons) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) {
      return {};
    }
    arn.remove_prefix(colon + 1);
  }
  return arn;
}

// IsSessionOf: resource is "assumed-role/<role>/<session>" of this role.
bool IsSessionOf(std::string_view resource, std::string_view role) {
  constexpr std::string_view kAssumed = "assumed-role/";
  if (!resource.starts_with(kAssumed)) {
    return false;
  }
  resource.remove_prefix(kAssumed.size());
  return resource.size() > role.size() && resource.starts_with(role) &&
         resource[role.size()] == '/';
}

Reach ReachOf(const NamedPrincipal& named, const Principal& principal) {
  using Type = NamedPrincipal::Type;
  if (named.type == Type::kEveryone) {
    return Reach::kDirect;
  }
  if (named.account != principal.account) {
    return Reach::kNobody;
  }
  switch (named.type) {
    case Type::kEveryone:
      return Reach::kDirect;
    case Type::kAccount:
      return principal.is_root ? Reach::kDirect : Reach::kAccount;
    case Type::kUser:
    case Type::kSession:
      return ResourceOf(principal.arn) == named.name ? Reach::kDirect : Reach::kNobody;
    case Type::kRole:
      return IsSessionOf(ResourceOf(principal.arn), named.name) ? Reach::kDirect : Reach::kNobody;
  }
  return Reach::kNobody;
}

Reach ReachOf(const Statement& statement, const Principal& principal) {
  Reach reach = Reach::kNobody;
  for (const NamedPrincipal& named : statement.principals) {
    reach = std::max(reach, ReachOf(named, principal));
  }
  return reach;
}

bool Applies(const Statement& statement, const Request& request) {
  return !statement.inert &&
         AnyMatches(statement.actions, request.action) != statement.negate_actions &&
         AnyMatches(statement.resources, request.resource) != statement.negate_resources;
}

Effect EvaluateAll(const std::vector<PolicyPtr>& policies, const Request& request) {
  Effect effect = Effect::kNone;
  for (const PolicyPtr& policy : policies) {
    effect = std::max(effect, Evaluate(*policy, request));
  }
  return effect;
}

std::string NoneAllows(std::string_view policy_kind, std::string_view action) {
  std::string reason = "because no ";
  reason.append(policy_kind).append(" policy allows the ").append(action).append(" action");
  return reason;
}

Decision Denied(std::string reason) { return {false, std::move(reason), true}; }

Decision DeniedByIdentity() { return Denied("with an explicit deny in an identity-based policy"); }

Decision AuthorizeOwnKey(const Request& request, Effect key, Effect identity) {
  if (key == Effect::kDeny) {
    return Denied("with an explicit deny in a resource-based policy");
  }
  if (identity == Effect::kDeny) {
    return DeniedByIdentity();
  }
  if (key == Effect::kAllowDirect) {
    return {true, {}, true};
  }
  if (key == Effect::kNone) {
    return Denied(NoneAllows("resource-based", request.action));
  }
  if (identity == Effect::kNone) {
    return Denied(NoneAllows("identity-based", request.action));
  }
  return {true, {}, true};
}

// The key's side is looked at first, and all its refusals sound alike, so that the answer does not
// tell whether another account's key exists.
Decision AuthorizeForeignKey(const Request& request, Effect key, Effect identity) {
  Decision decision;
  if (identity == Effect::kDeny) {
    decision = DeniedByIdentity();
  } else if (key == Effect::kDeny || key == Effect::kNone) {
    decision = Denied(std::string(kReasonNoAccess));
  } else if (identity == Effect::kNone) {
    decision = Denied(NoneAllows("identity-based", request.action));
  } else {
    decision.allowed = true;
  }
  decision.names_resource = false;
  return decision;
}

}  // namespace

Effect Evaluate(const Policy& policy, const Request& request) {
  Effect effect = Effect::kNone;
  for (const Statement& statement : policy.statements) {
    if (!Applies(statement, request)) {
      continue;
    }
    Reach reach = Reach::kDirect;
    if (policy.kind == Kind::kKeyPolicy) {
      reach = ReachOf(statement, *request.principal);
    }
    if (reach == Reach::kNobody) {
      continue;
    }
    if (!statement.allow) {
      return Effect::kDeny;
    }
    if (reach == Reach::kDirect) {
      effect = Effect::kAllowDirect;
    } else if (effect == Effect::kNone) {
      effect = Effect::kAllowAccount;
    }
  }
  return effect;
}

Decision Authorize(const Request& request, const Policy* key_policy,
                   const model::AccountId* key_account,
                   const std::vector<PolicyPtr>& identity_policies) {
  KT_CHECK(request.principal != nullptr && (key_policy == nullptr || key_account != nullptr));
  const Effect identity =
      request.principal->is_root ? Effect::kAllowDirect : EvaluateAll(identity_policies, request);
  if (key_policy == nullptr) {
    if (identity == Effect::kDeny) {
      return DeniedByIdentity();
    }
    if (identity == Effect::kNone) {
      return Denied(NoneAllows("identity-based", request.action));
    }
    return {true, {}, true};
  }
  const Effect key = Evaluate(*key_policy, request);
  return *key_account == request.principal->account ? AuthorizeOwnKey(request, key, identity)
                                                    : AuthorizeForeignKey(request, key, identity);
}

bool AllowsPutKeyPolicy(const Policy& new_policy, const Principal& principal,
                        const model::AccountId& key_account, std::string_view key_arn,
                        const std::vector<PolicyPtr>& identity_policies) {
  const Request request{"kms:PutKeyPolicy", key_arn, &principal};
  return Authorize(request, &new_policy, &key_account, identity_policies).allowed;
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
