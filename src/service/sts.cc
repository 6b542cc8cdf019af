#include "service/sts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model/arn.h"

// FindInSts takes the few keys that a request of STS has.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace keyturn::service {
namespace {

using policy::Key;

constexpr std::int64_t kDurationMin = 900;
constexpr std::int64_t kDurationDefault = 3600;
constexpr std::int64_t kChainedDurationMax = 3600;
constexpr std::int64_t kSessionTokenDurationDefault = 43'200;
constexpr std::int64_t kSessionTokenDurationMax = 129'600;
constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kPolicyBytesMax = 2048;

// StsFacts: what conditions may ask of a request.
struct StsFacts {
  const AssumeRoleRequest* request = nullptr;
  const Role* role = nullptr;
  const WebIdentity* web = nullptr;
  std::int64_t duration = 0;
};

void FindTag(const std::vector<store::Tag>& tags, std::string_view name, policy::Values& out) {
  for (const store::Tag& tag : tags) {
    if (policy::EqualsFolded(tag.key, name)) out.push_back(tag.value);
  }
}

void FindOfWebIdentity(const WebIdentity& web, const policy::ConditionKey& key,
                       policy::Values& out) {
  const std::string host = policy::ToLowerAscii(web.provider->host);
  if (key.name == "aws:federatedprovider") {
    out.push_back(web.provider->host);
  } else if (key.name == host + ":sub") {
    out.push_back(web.subject);
  } else if (key.name == host + ":aud") {
    out.push_back(web.audience);
  } else if (key.name == host + ":amr") {
    out.insert(out.end(), web.methods.begin(), web.methods.end());
  }
}

void FindInSts(const void* untyped, std::string_view, const policy::ConditionKey& key,
               policy::Values& out) {
  const auto& facts = *static_cast<const StsFacts*>(untyped);
  const AssumeRoleRequest& request = *facts.request;
  const auto add = [&](const std::optional<std::string>& text) {
    if (text) out.push_back(*text);
  };
  switch (key.key) {
    case Key::kStsExternalId:
      return add(request.external_id);
    case Key::kStsRoleSessionName:
      return add(request.session_name);
    case Key::kStsDurationSeconds:
      return add(std::to_string(facts.duration));
    case Key::kStsTransitiveTagKeys:
      out.assign(request.transitive_tag_keys.begin(), request.transitive_tag_keys.end());
      return;
    case Key::kAwsRequestTag:
      return FindTag(request.tags, key.qualifier, out);
    case Key::kAwsTagKeys:
      for (const store::Tag& tag : request.tags) out.push_back(tag.key);
      return;
    case Key::kAwsResourceTag:
      return FindTag(facts.role->row.tags, key.qualifier, out);
    case Key::kAwsResourceAccount:
      return add(std::string(facts.role->row.account.text()));
    default:
      if (key.name == "sts:sourceidentity") return add(request.source_identity);
      if (facts.web != nullptr) FindOfWebIdentity(*facts.web, key, out);
  }
}

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(ErrorCode::kValidationException, std::move(message));
}

bool IsSessionName(std::string_view name) {
  return name.size() >= 2 && name.size() <= 64 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_+=,.@-") == std::string_view::npos;
}

Status CheckTags(const AssumeRoleRequest& request) {
  std::set<std::string> names;
  if (request.tags.size() > kTagsMax) return Invalid("A session may have 50 tags.");
  for (const store::Tag& tag : request.tags) {
    if (tag.key.empty() || tag.key.size() > 128 || tag.value.size() > 256 ||
        policy::ToLowerAscii(tag.key).starts_with("aws:")) {
      return Invalid(
          "A session tag must have a key of 1 to 128 characters that does not begin with aws:, and "
          "a value of at most 256.");
    }
    if (!names.insert(policy::ToLowerAscii(tag.key)).second) {
      return Invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
  }
  for (const std::string& key : request.transitive_tag_keys) {
    if (!names.contains(policy::ToLowerAscii(key))) {
      return Invalid("A transitive tag key must be among the session tags.");
    }
  }
  return {};
}

Status CheckForm(const AssumeRoleRequest& request) {
  const auto arn = model::Arn::Parse(request.role_arn);
  if (!arn || arn->service != "iam" || !model::AccountId::Parse(arn->account) ||
      !arn->resource.starts_with("role/")) {
    return Invalid(fmt::format("{} is invalid", request.role_arn));
  }
  if (!IsSessionName(request.session_name)) {
    return Invalid(fmt::format(
        "1 validation error detected: Value '{}' at 'roleSessionName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        request.session_name));
  }
  if (request.source_identity && !IsSessionName(*request.source_identity)) {
    return Invalid("SourceIdentity must have 2 to 64 characters of letters, digits and _+=,.@-");
  }
  if (request.external_id &&
      (request.external_id->size() < 2 || request.external_id->size() > 1224)) {
    return Invalid("ExternalId must have 2 to 1224 characters.");
  }
  if (request.policy && (request.policy->empty() || request.policy->size() > kPolicyBytesMax)) {
    return Invalid("Policy must have 1 to 2048 characters.");
  }
  return CheckTags(request);
}

// IsTransitive: whether a tag of session goes on to the sessions that are made from it.
bool IsTransitive(const Session& session, std::string_view key) {
  return std::any_of(session.transitive_tags.begin(), session.transitive_tags.end(),
                     [&](const std::string& each) { return policy::EqualsFolded(each, key); });
}

// CheckInherited: what a session hands on cannot be asked for anew, so that a trust policy does not
// judge values which the new session would not have.
Status CheckInherited(const Session& from, const AssumeRoleRequest& request) {
  if (request.source_identity && !from.source_identity.empty() &&
      *request.source_identity != from.source_identity) {
    return Invalid("The source identity is already set for this assume role session");
  }
  if (std::any_of(request.tags.begin(), request.tags.end(),
                  [&](const store::Tag& tag) { return IsTransitive(from, tag.key); })) {
    return Fail(ErrorCode::kTagException,
                "One of the specified transitive tag keys can't be set because it conflicts with a "
                "transitive tag key from the calling session.");
  }
  return {};
}

Error Denied(std::string_view who, std::string_view action, std::string_view role_arn) {
  return {ErrorCode::kAccessDeniedException,
          fmt::format("User: {} is not authorized to perform: {} on resource: {}", who, action,
                      role_arn),
          {}};
}

Result<std::int64_t> DurationOf(const AssumeRoleRequest& request, const Role& role, bool chained) {
  const std::int64_t duration = request.duration_seconds.value_or(kDurationDefault);
  if (duration < kDurationMin) {
    return Invalid(fmt::format(
        "1 validation error detected: Value '{}' at 'durationSeconds' failed to satisfy "
        "constraint: Member must have value greater than or equal to {}",
        duration, kDurationMin));
  }
  if (chained && duration > kChainedDurationMax) {
    return Invalid(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
        "chaining");
  }
  if (duration > role.row.session_seconds_max) {
    return Invalid(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return duration;
}

// Required: the actions that a request needs.
std::vector<std::string_view> Required(const AssumeRoleRequest& request, std::string_view assume) {
  std::vector<std::string_view> actions = {assume};
  if (!request.tags.empty()) actions.emplace_back("sts:TagSession");
  if (request.source_identity) actions.emplace_back("sts:SetSourceIdentity");
  return actions;
}

// Finish makes the session of a role that may be assumed.
Result<Assumed> Finish(const Call& call, const AssumeRoleRequest& request, const Role& role,
                       std::int64_t duration) {
  Assumed assumed;
  Session& session = assumed.session;
  session.account = role.row.account;
  session.role = role.row.name;
  session.role_id = role.row.role_id;
  session.name = request.session_name;
  session.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", role.row.account.text(),
                            role.row.name, request.session_name);
  session.source_identity = request.source_identity.value_or("");
  session.issued = call.now;
  session.expires = call.now + std::chrono::seconds(duration);
  session.tags = request.tags;
  session.transitive_tags = request.transitive_tag_keys;
  if (call.caller.session) {
    const Session& from = *call.caller.session;
    for (const store::Tag& tag : from.tags) {
      if (!IsTransitive(from, tag.key)) continue;
      session.tags.push_back(tag);
      session.transitive_tags.push_back(tag.key);
    }
    if (!from.source_identity.empty()) session.source_identity = from.source_identity;
  }
  if (request.policy) {
    KT_ASSIGN(session.policy, policy::Compile(*request.policy, policy::Kind::kIdentityPolicy));
    session.policy_text = *request.policy;
  }
  NewSessionCredentials(session, call.environment.random);
  KT_ASSIGN(assumed.token, SealSession(call.environment.keyring, session, call.environment.random));
  assumed.assumed_role_id = session.role_id + ":" + session.name;
  assumed.packed_percent = PackedPercent(session);
  return assumed;
}

}  // namespace

RolePtr FindRoleByArn(const View& view, std::string_view text) {
  const auto arn = model::Arn::Parse(text);
  const auto account = arn ? model::AccountId::Parse(arn->account) : std::nullopt;
  if (!account || !arn->resource.starts_with("role/") || !PrincipalExists(view, *account, *arn)) {
    return nullptr;
  }
  return view.FindRole(*account, std::string(arn->resource.substr(arn->resource.rfind('/') + 1)));
}

Result<Assumed> AssumeRole(Call& call, const AssumeRoleRequest& request) {
  constexpr std::string_view kAction = "sts:AssumeRole";
  KT_TRY(CheckForm(request));
  if (call.caller.session) KT_TRY(CheckInherited(*call.caller.session, request));
  const RolePtr role = FindRoleByArn(call.view, request.role_arn);
  // A role that does not exist sounds like one that may not be assumed.
  if (!role) return Fail(Denied(call.caller.arn(), kAction, request.role_arn));
  const bool chained = call.caller.session && call.caller.role;
  StsFacts facts{&request, role.get(), nullptr,
                 request.duration_seconds.value_or(kDurationDefault)};
  call.asked = {&facts, &FindInSts};
  const policy::Principal principal = call.caller.principal();
  const policy::KeySide trust{role->trust.get(), &role->row.account, {}};
  for (const std::string_view action : Required(request, kAction)) {
    const CallConditions conditions(call, action, call.region);
    const policy::Request asked{action, role->arn, &principal, &conditions};
    if (!policy::Authorize(asked, &trust, call.caller.policies()).allowed) {
      call.asked = {};
      return Fail(Denied(call.caller.arn(), action, request.role_arn));
    }
  }
  call.asked = {};
  KT_ASSIGN(const std::int64_t duration, DurationOf(request, *role, chained));
  return Finish(call, request, *role, duration);
}

Result<Assumed> AssumeRoleWithWebIdentity(Call& call, const AssumeRoleRequest& request,
                                          const WebIdentity& identity) {
  constexpr std::string_view kAction = "sts:AssumeRoleWithWebIdentity";
  AssumeRoleRequest with_claims = request;
  with_claims.tags = identity.tags;
  with_claims.transitive_tag_keys = identity.transitive_tag_keys;
  with_claims.source_identity = identity.source_identity;
  KT_TRY(CheckForm(with_claims));
  const RolePtr role = FindRoleByArn(call.view, request.role_arn);
  const Error denied{ErrorCode::kAccessDeniedException,
                     "Not authorized to perform sts:AssumeRoleWithWebIdentity",
                     {}};
  if (!role || role->row.account != identity.provider->account) return Fail(denied);
  StsFacts facts{&with_claims, role.get(), &identity,
                 request.duration_seconds.value_or(kDurationDefault)};
  call.asked = {&facts, &FindInSts};
  const std::string provider =
      fmt::format("arn:aws:iam::{}:oidc-provider/{}", identity.provider->account.text(),
                  identity.provider->host);
  const policy::Principal principal{identity.provider->account, provider};
  for (const std::string_view action : Required(with_claims, kAction)) {
    const CallConditions conditions(call, action, call.region);
    const policy::Request asked{action, role->arn, &principal, &conditions};
    if (policy::Evaluate(*role->trust, asked) < policy::Effect::kAllowRole ||
        policy::Evaluate(*role->trust, asked) == policy::Effect::kDeny) {
      call.asked = {};
      return Fail(denied);
    }
  }
  call.asked = {};
  KT_ASSIGN(const std::int64_t duration, DurationOf(request, *role, false));
  KT_ASSIGN(Assumed assumed, Finish(call, with_claims, *role, duration));
  return assumed;
}

Result<Assumed> GetSessionToken(Call& call, std::optional<std::int64_t> duration_seconds) {
  const Caller& caller = call.caller;
  if (caller.session) {
    return Fail(ErrorCode::kAccessDeniedException,
                "Cannot call GetSessionToken with session credentials");
  }
  const std::int64_t duration = duration_seconds.value_or(kSessionTokenDurationDefault);
  if (duration < kDurationMin || duration > kSessionTokenDurationMax) {
    return Invalid(fmt::format("DurationSeconds must be between {} and {}", kDurationMin,
                               kSessionTokenDurationMax));
  }
  Assumed assumed;
  Session& session = assumed.session;
  session.account = caller.account();
  session.user = caller.user->row.name;
  session.user_id = caller.user->row.user_id;
  session.arn = caller.arn();
  session.issued = call.now;
  session.expires = call.now + std::chrono::seconds(duration);
  NewSessionCredentials(session, call.environment.random);
  KT_ASSIGN(assumed.token, SealSession(call.environment.keyring, session, call.environment.random));
  return assumed;
}

}  // namespace keyturn::service
