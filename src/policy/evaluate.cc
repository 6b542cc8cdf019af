// Evaluation: which statements apply to a request.
#include <fmt/format.h>

#include <algorithm>

#include "policy/compiled.h"

namespace keyturn::policy {
namespace {

bool AnyMatches(const std::vector<Pattern>& patterns, std::string_view subject) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [subject](const Pattern& pattern) { return pattern.Matches(subject); });
}

bool AnyMatches(const std::vector<Pattern>& actions, const LowerAction& action) {
  return std::any_of(actions.begin(), actions.end(), [text = action.text()](const Pattern& each) {
    return each.MatchesLower(text);
  });
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

constexpr std::string_view kAssumed = "assumed-role/";

// IsSessionOf: resource is "assumed-role/<role>/<session>" of this role.
bool IsSessionOf(std::string_view resource, std::string_view role) {
  if (!resource.starts_with(kAssumed)) {
    return false;
  }
  resource.remove_prefix(kAssumed.size());
  return resource.size() > role.size() && resource.starts_with(role) &&
         resource[role.size()] == '/';
}

Reach ReachOf(const NamedPrincipal& named, const Asking& asking) {
  const Principal& principal = *asking.request.principal;
  using Type = NamedPrincipal::Type;
  switch (named.type) {
    case Type::kEveryone:
      return asking.caller.starts_with(kAssumed) ? Reach::kRole : Reach::kDirect;
    case Type::kFederated:
      return principal.arn == named.name ? Reach::kDirect : Reach::kNobody;
    case Type::kService:
      return Reach::kNobody;
    case Type::kAccount:
    case Type::kUser:
    case Type::kSession:
    case Type::kRole:
      break;
  }
  if (named.account != principal.account) {
    return Reach::kNobody;
  }
  if (named.type == Type::kAccount) {
    return principal.is_root ? Reach::kDirect : Reach::kAccount;
  }
  if (named.type == Type::kRole) {
    return IsSessionOf(asking.caller, named.name) ? Reach::kRole : Reach::kNobody;
  }
  return asking.caller == named.name ? Reach::kDirect : Reach::kNobody;
}

Reach ReachOf(const Statement& statement, const Asking& asking) {
  Reach reach = Reach::kNobody;
  for (const NamedPrincipal& named : statement.principals) {
    reach = std::max(reach, ReachOf(named, asking));
  }
  if (!statement.negate_principals) {
    return reach;
  }
  const bool exempt = statement.allow ? reach != Reach::kNobody : reach >= Reach::kRole;
  return exempt ? Reach::kNobody : ReachOf(NamedPrincipal{}, asking);
}

// ResourceMatches: nullopt when a variable that decides has no value.
std::optional<bool> ResourceMatches(const Statement& statement, Asking& asking) {
  const std::string_view resource = asking.request.resource;
  if (AnyMatches(statement.resources, resource)) {
    return true;
  }
  bool unresolved = false;
  for (const Text& text : statement.variable_resources) {
    const Expanded* expanded = text.Expand(asking.answers);
    if (expanded == nullptr) {
      unresolved = true;
    } else if (expanded->Matches(resource, Case::kSensitive)) {
      return true;
    }
  }
  if (unresolved) {
    return std::nullopt;
  }
  return false;
}

Effect EffectOf(const Statement& statement, Reach reach) {
  if (!statement.allow) {
    return Effect::kDeny;
  }
  switch (reach) {
    case Reach::kNobody:
      return Effect::kNone;
    case Reach::kAccount:
      return Effect::kAllowAccount;
    case Reach::kRole:
      return Effect::kAllowRole;
    case Reach::kDirect:
      return Effect::kAllowDirect;
  }
  return Effect::kNone;
}

std::string DetailOf(const Outcome& outcome, Kind kind) {
  switch (outcome.step) {
    case Outcome::Step::kInert:
      return "has no Action or no Resource, and so no effect";
    case Outcome::Step::kOtherAction:
      return "is about other actions";
    case Outcome::Step::kOtherResource:
      return "is about other resources";
    case Outcome::Step::kOtherPrincipal:
      return "is about other principals";
    case Outcome::Step::kCondition:
      return fmt::format("the condition {} does not hold", outcome.failed->label);
    case Outcome::Step::kApplies:
      break;
  }
  if (kind == Kind::kIdentityPolicy) {
    return "applies";
  }
  switch (outcome.reach) {
    case Reach::kAccount:
      return "applies, by the account: identity policies decide";
    case Reach::kRole:
      return "applies, by the role";
    case Reach::kNobody:
    case Reach::kDirect:
      break;
  }
  return "applies, by the principal itself or by *";
}

}  // namespace

LowerAction::LowerAction(std::string_view action) : size_(action.size()) {
  if (size_ > room_.size()) {
    long_ = ToLowerAscii(action);
  } else {
    LowerAscii(action, room_.data());
  }
}

Asking::Asking(const Request& asked)
    : request(asked),
      action(asked.action),
      answers(asked.context),
      caller(asked.principal != nullptr ? ResourceOf(asked.principal->arn) : std::string_view()) {}

Outcome Try(const Statement& statement, Kind kind, Asking& asking) {
  using Step = Outcome::Step;
  const Request& request = asking.request;
  if (statement.inert) {
    return {Step::kInert, Reach::kNobody, nullptr};
  }
  if (AnyMatches(statement.actions, asking.action) == statement.negate_actions) {
    return {Step::kOtherAction, Reach::kNobody, nullptr};
  }
  if (statement.variable_resources.empty()) {
    if (kind != Kind::kTrustPolicy &&
        AnyMatches(statement.resources, request.resource) == statement.negate_resources) {
      return {Step::kOtherResource, Reach::kNobody, nullptr};
    }
  } else {
    const std::optional<bool> matches = ResourceMatches(statement, asking);
    if (!matches || *matches == statement.negate_resources) {
      return {Step::kOtherResource, Reach::kNobody, nullptr};
    }
  }
  Reach reach = Reach::kDirect;
  if (kind != Kind::kIdentityPolicy) {
    reach = ReachOf(statement, asking);
    if (reach == Reach::kNobody) {
      return {Step::kOtherPrincipal, reach, nullptr};
    }
  }
  for (const Condition& condition : statement.conditions) {
    if (!condition.Holds(asking.answers)) {
      return {Step::kCondition, reach, &condition};
    }
  }
  return {Step::kApplies, reach, nullptr};
}

Effect Evaluate(const Policy& policy, const Request& request) {
  Asking asking(request);
  return Evaluate(policy, asking);
}

Effect Evaluate(const Policy& policy, Asking& asking) {
  asking.answers.MakeRoom();
  Effect effect = Effect::kNone;
  for (const Statement& statement : policy.statements) {
    const Outcome outcome = Try(statement, policy.kind, asking);
    if (outcome.step != Outcome::Step::kApplies) {
      continue;
    }
    effect = std::max(effect, EffectOf(statement, outcome.reach));
    if (effect == Effect::kDeny) {
      break;
    }
  }
  return effect;
}

std::vector<Finding> Explain(const Policy& policy, const Request& request) {
  Asking asking(request);
  std::vector<Finding> findings;
  for (const Statement& statement : policy.statements) {
    const Outcome outcome = Try(statement, policy.kind, asking);
    findings.push_back({findings.size(), statement.sid, statement.allow,
                        outcome.step == Outcome::Step::kApplies, DetailOf(outcome, policy.kind)});
  }
  return findings;
}

}  // namespace keyturn::policy
