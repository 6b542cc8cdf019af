// Sts: who may become whom. The rules of AssumeRole, AssumeRoleWithWebIdentity and GetSessionToken;
// the wire is server/sts.h's.
//
// Errors: kAccessDeniedException, kValidationException, kMalformedPolicyDocumentException,
// kLimitExceededException (session too large), kTagException (a tag that the session hands on).
// Source: AWS STS API Reference; IAM User Guide, "Policies and permissions: role trust policies",
// "Passing session tags in AWS STS".
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/sessions.h"

namespace keyturn::service {

struct AssumeRoleRequest {
  std::string role_arn;
  std::string session_name;
  std::optional<std::string> policy;
  std::optional<std::int64_t> duration_seconds;
  std::optional<std::string> external_id;
  std::optional<std::string> source_identity;
  std::vector<store::Tag> tags;
  std::vector<std::string> transitive_tag_keys;
};

// WebIdentity: the claims of a token whose signature, issuer, audience and dates are verified.
struct WebIdentity {
  ProviderPtr provider;
  std::string subject;
  std::string audience;
  std::vector<std::string> methods;  // amr
  std::vector<store::Tag> tags;      // principal_tags
  std::vector<std::string> transitive_tag_keys;
  std::optional<std::string> source_identity;
};

// Assumed: new credentials.
struct Assumed {
  Session session;
  std::string token;
  std::string assumed_role_id;  // AROA...:<session>
  int packed_percent = 0;
};

// AssumeRole: call.caller is who asks. Both sides must allow sts:AssumeRole (and sts:TagSession,
// sts:SetSourceIdentity when used): the role's trust policy, and the caller's policies, unless the
// trust policy of the caller's own account names the caller itself.
Result<Assumed> AssumeRole(Call& call, const AssumeRoleRequest& request);
// AssumeRoleWithWebIdentity: the trust policy alone decides; call.caller is nobody. Tags and source
// identity are the token's: whoever holds it must not be able to choose them.
Result<Assumed> AssumeRoleWithWebIdentity(Call& call, const AssumeRoleRequest& request,
                                          const WebIdentity& identity);
// GetSessionToken: the same user with credentials that end; not for sessions.
Result<Assumed> GetSessionToken(Call& call, std::optional<std::int64_t> duration_seconds);

// FindRoleByArn: nullptr unless arn names a role that exists, with its path.
RolePtr FindRoleByArn(const View& view, std::string_view arn);

}  // namespace keyturn::service
