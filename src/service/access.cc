#include "service/access.h"

#include <fmt/format.h>

#include "model/arn.h"

namespace keyturn::service {
namespace {

constexpr std::string_view kAliasPrefix = "alias/";

// Identifier: the four spellings of a key, taken apart.
struct Identifier {
  bool is_alias = false;
  std::string_view name;       // key id, or alias name with its prefix
  std::string_view account;    // of an ARN; empty: the caller's
  std::string_view partition;  // of an ARN, and its region; empty: the endpoint's
  std::string_view region;
};

Result<Identifier> Parse(std::string_view text) {
  if (!text.starts_with("arn:")) {
    return Identifier{text.starts_with(kAliasPrefix), text, {}, {}, {}};
  }
  const auto arn = model::Arn::Parse(text);
  constexpr std::string_view kKey = "key/";
  if (!arn || arn->service != "kms" || !model::AccountId::Parse(arn->account) ||
      !(arn->resource.starts_with(kKey) || arn->resource.starts_with(kAliasPrefix))) {
    return Fail(ErrorCode::kInvalidArnException, fmt::format("Invalid arn {}", text));
  }
  const bool alias = arn->resource.starts_with(kAliasPrefix);
  return Identifier{alias, alias ? arn->resource : arn->resource.substr(kKey.size()), arn->account,
                    arn->partition, arn->region};
}

Result<Target> FindByAlias(const Call& call, const model::AccountId& account, std::string_view name,
                           bool foreign, std::string_view action) {
  const auto alias = call.view.FindAlias(account, call.region, name);
  if (!alias) {
    if (foreign) return Fail(HiddenKey(call, action));
    return Fail(ErrorCode::kNotFoundException,
                fmt::format("Alias {} is not found.", model::AliasArn(call.region, account, name)));
  }
  KeyPtr key = call.view.FindKey(call.region, alias->target);
  if (!key) {
    return Fail(ErrorCode::kKMSInternalException, {}, "alias without its key: " + alias->name);
  }
  return Target{std::move(key), *alias};
}

}  // namespace

Error HiddenKey(const Call& call, std::string_view action) {
  policy::Decision decision;
  decision.reason = policy::kReasonNoAccess;
  decision.names_resource = false;
  const policy::Principal principal = call.caller.principal();
  return {ErrorCode::kAccessDeniedException,
          policy::AccessDeniedMessage({action, {}, &principal}, decision),
          {}};
}

Result<Target> ResolveKey(const Call& call, std::string_view text, bool aliases_allowed,
                          std::string_view action, bool cross_account) {
  KT_ASSIGN(const Identifier identifier, Parse(text));
  if (identifier.is_alias && !aliases_allowed) {
    return Fail(ErrorCode::kInvalidArnException,
                "Key Aliases are not supported for this operation.");
  }
  if (!identifier.partition.empty() && (identifier.region != call.region.name() ||
                                        identifier.partition != call.region.partition())) {
    return Fail(ErrorCode::kNotFoundException, fmt::format("Invalid arn {}", identifier.region));
  }
  const model::AccountId account =
      identifier.account.empty() ? call.account() : *model::AccountId::Parse(identifier.account);
  const bool foreign = account != call.account();
  if (foreign && !cross_account) {
    return Fail(HiddenKey(call, action));
  }
  if (identifier.is_alias) {
    return FindByAlias(call, account, identifier.name, foreign, action);
  }
  const auto id = model::KeyId::Parse(identifier.name);
  if (!id) {
    return Fail(ErrorCode::kNotFoundException, fmt::format("Invalid keyId '{}'", identifier.name));
  }
  KeyPtr key = call.view.FindKey(call.region, *id);
  if (!key || key->key.account != account) {
    if (foreign) return Fail(HiddenKey(call, action));
    return Fail(ErrorCode::kNotFoundException,
                fmt::format("Key '{}' does not exist", model::KeyArn(call.region, account, *id)));
  }
  return Target{std::move(key), std::nullopt};
}

namespace {

Status AuthorizeNamed(const Call& call, std::string_view action, const KeyEntry& entry,
                      std::string_view alias) {
  const policy::Principal principal = call.caller.principal();
  const std::string arn = entry.key.arn();
  const CallConditions conditions(call, action, entry, alias);
  const policy::Request request{action, arn, &principal, &conditions};
  const policy::KeySide key{entry.policy->compiled.get(), &entry.key.account, {}};
  const policy::Judgement judgement(request, &key, call.caller.policies());
  if (judgement.Allows({})) return {};
  // Grants are looked at only where policies do not suffice, and could.
  constexpr policy::GrantSide kMost{policy::Effect::kAllowDirect, true};
  if (judgement.Allows(kMost)) {
    bool allowed = false;
    VisitGrants(call, action, entry, [&](const policy::GrantSide& grant) {
      allowed = judgement.Allows(grant);
      return !allowed;
    });
    if (allowed) return {};
  }
  return Fail(ErrorCode::kAccessDeniedException,
              policy::AccessDeniedMessage(request, judgement.Decide({})));
}

}  // namespace

Status AuthorizeKey(const Call& call, std::string_view action, const KeyEntry& entry) {
  return AuthorizeNamed(call, action, entry, {});
}

Status AuthorizeKey(const Call& call, std::string_view action, const Target& target) {
  return AuthorizeNamed(call, action, *target.key,
                        target.alias ? std::string_view(target.alias->name) : std::string_view());
}

Status AuthorizeResource(const Call& call, std::string_view action, std::string_view resource) {
  return AuthorizeResource(call, action, resource, call.region);
}

Status AuthorizeResource(const Call& call, std::string_view action, std::string_view resource,
                         model::Region region) {
  const policy::Principal principal = call.caller.principal();
  const CallConditions conditions(call, action, region);
  const policy::Request request{action, resource, &principal, &conditions};
  const policy::Decision decision = policy::Authorize(request, nullptr, call.caller.policies());
  if (decision.allowed) return {};
  return Fail(ErrorCode::kAccessDeniedException, policy::AccessDeniedMessage(request, decision));
}

Status CheckAliasName(std::string_view name) {
  if (!name.starts_with(kAliasPrefix)) {
    return Fail(ErrorCode::kValidationException,
                "Alias must start with the prefix \"alias/\". Please see "
                "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html");
  }
  const std::string_view rest = name.substr(kAliasPrefix.size());
  if (rest.empty()) return Fail(ErrorCode::kValidationException, "Invalid identifier");
  if (rest.find(':') != std::string_view::npos) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("{} contains invalid characters for an alias", name));
  }
  if (rest.starts_with("aws/")) return Fail(ErrorCode::kNotAuthorizedException);
  return {};
}

}  // namespace keyturn::service
