// Policy: the policy language, parsed, checked and compiled once, then evaluated without
// allocation. Pure.
//
// Supported now: Version, Id, Statement (object or array), Sid, Effect, Principal (key policies:
// "*", {"AWS": account id | root ARN | user ARN | role ARN | session ARN | "*" or a list}), Action
// and NotAction with * and ?, Resource and NotResource. A policy that uses anything else of the
// language (Condition, NotPrincipal, Service or Federated principals, policy variables) is refused
// when it is put, never half-obeyed.
//
// How names match:
// - Actions without regard to case; resources with it. * matches any run of characters, colons and
//   slashes too; ? matches one.
// - An account (its id or root ARN) stands for all its principals: an Allow delegates to the
//   account's identity policies, a Deny binds everybody in it, the root user too.
// - A role ARN matches the role's sessions. Path and partition do not: role names are unique in
//   an account, and one server keeps account ids unique over partitions.
// - Resource of a key policy is "*", this key. A key ARN or pattern is taken literally: such a
//   statement applies only if it matches the ARN of the request.
// - A key policy statement without Action or without Resource is accepted and does nothing.
//
// Thread-safety: a Policy is immutable; share it freely.
// Source: IAM User Guide, "IAM JSON policy elements" and "Policy evaluation logic"; KMS Developer
// Guide, "Key policies in AWS KMS".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/ids.h"

namespace keyturn::policy {

enum class Kind { kKeyPolicy, kIdentityPolicy };

class Policy;
using PolicyPtr = std::shared_ptr<const Policy>;

// Compile fails with kMalformedPolicyDocumentException (what is wrong and where) or, for parts of
// the language that are not supported yet, kUnsupportedOperationException naming the part; longer
// than 32,768 bytes is kLimitExceededException (key policies; identity policies may have 131,072
// bytes and are kMalformedPolicyDocumentException beyond).
// Key policies know the actions of vendor kms and "*" only; identity policies take every
// well-formed vendor:Action, since documents written for AWS name other services too.
Result<PolicyPtr> Compile(std::string_view text, Kind kind);

// NamedPrincipals: the user, role and session ARNs that a key policy names, in order, as written;
// for the caller to tell whether they exist. Valid as long as the policy.
const std::vector<std::string>& NamedPrincipals(const Policy& policy);

// Principal: who asks.
struct Principal {
  model::AccountId account;
  std::string_view arn;  // user, root or session ARN
  bool is_root = false;
};

struct Request {
  std::string_view action;    // "kms:Encrypt"
  std::string_view resource;  // ARN of the key or alias, or "*"
  const Principal* principal = nullptr;
};

// Effect of one policy on a request. For key policies an Allow says through whom.
enum class Effect {
  kNone,          // no statement applies
  kAllowDirect,   // Allow: names the principal itself or "*"; identity policies: Allow
  kAllowAccount,  // key policies only: allows the account (root), so identity policies decide
  kDeny,
};
Effect Evaluate(const Policy& policy, const Request& request);

// Decision of Authorize, with AWS's reason phrase for AccessDeniedException:
// "because no identity-based policy allows the kms:X action", "with an explicit deny in a
// resource-based policy", ...
struct Decision {
  bool allowed = false;
  std::string reason;  // empty when allowed
  // names_resource is false where AWS withholds the ARN ("on this resource"): another account's
  // key.
  bool names_resource = true;
};

// kReasonNoAccess is what callers of other accounts are told whether the key exists or not; the
// same words serve for a key that is not there.
inline constexpr std::string_view kReasonNoAccess =
    "because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access";

// Authorize: the same-account rule. key_policy is null for operations without a key resource (then
// identity policies alone decide, the account's root user is allowed). Cross-account access needs
// both sides. identity policies are those of the caller's user; none count for a root user, who is
// allowed on the identity side. An explicit Deny anywhere wins. key_account is required with
// key_policy (KT_CHECK) and ignored without.
Decision Authorize(const Request& request, const Policy* key_policy,
                   const model::AccountId* key_account,
                   const std::vector<PolicyPtr>& identity_policies);

// AccessDeniedMessage is the text of AccessDeniedException: "User: <ARN> is not authorized to
// perform: kms:X on resource: <ARN> because ...".
std::string AccessDeniedMessage(const Request& request, const Decision& decision);

// kLockoutMessage goes with kMalformedPolicyDocumentException when AllowsPutKeyPolicy is false.
inline constexpr std::string_view kLockoutMessage =
    "The new key policy will not allow you to update the key policy in the future.";

// AllowsPutKeyPolicy is the lockout safety check of CreateKey and PutKeyPolicy: whether the
// principal could call PutKeyPolicy under the new policy, its identity policies and all Denies
// counted. key_arn is the ARN of the key (of the key to be).
bool AllowsPutKeyPolicy(const Policy& new_policy, const Principal& principal,
                        const model::AccountId& key_account, std::string_view key_arn,
                        const std::vector<PolicyPtr>& identity_policies);

// DefaultKeyPolicy: the text that CreateKey without Policy stores.
std::string DefaultKeyPolicy(std::string_view partition, const model::AccountId& account);

// AwsManagedKeyPolicy: readable by the account, changeable by nobody; service is "sqs" of
// "alias/aws/sqs". Use of the key is allowed to the account's principals.
std::string AwsManagedKeyPolicy(std::string_view partition, const model::AccountId& account,
                                std::string_view service);

// Reserialize returns the text the way GetKeyPolicy prints it: two spaces an object level,
// "key" : value, lists as [ a, b ] and [ {...}, {...} ]. Member order and values are kept. Fails
// with kMalformedPolicyDocumentException when the text is not JSON.
Result<std::string> Reserialize(std::string_view text);

}  // namespace keyturn::policy
