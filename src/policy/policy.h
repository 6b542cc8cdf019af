// Policy: the policy language, parsed, checked and compiled once, then evaluated without
// allocation. Pure.
//
// The whole language: Version, Id, Statement (object or array), Sid, Effect, Principal and
// NotPrincipal, Action and NotAction, Resource and NotResource, Condition with every operator
// (policy/condition.h), policy variables in resources and in operands of string and ARN operators
// (Version 2012-10-17).
//
// How names match:
// - Actions without regard to case; resources with it. * matches any run of characters, colons and
//   slashes too; ? matches one character, which may have several bytes.
// - An account (its id or root ARN) stands for all its principals: an Allow delegates to the
//   account's identity policies, a Deny binds everybody in it, the root user too.
// - A role ARN matches the role's sessions. Path and partition do not: role names are unique in
//   an account, and one server keeps account ids unique over partitions.
// - NotPrincipal of a Deny exempts those whom it names themselves; an account's ARN there exempts
//   its root user only. NotPrincipal of an Allow leaves out everybody in a named account.
// - Service and Federated principals are taken; no caller of the KMS API is a service.
// - Resource of a key policy is "*", this key. A key ARN or pattern is taken literally: such a
//   statement applies only if it matches the ARN of the request.
// - A key policy statement without Action or without Resource is accepted and does nothing.
//
// Thread-safety: a Policy is immutable; share it freely.
// Source: IAM User Guide, "IAM JSON policy elements" and "Policy evaluation logic"; KMS Developer
// Guide, "Key policies in AWS KMS".
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/ids.h"
#include "policy/context.h"

namespace keyturn::policy {

// Kind: key policies and trust policies (of roles) name principals; identity policies are those of
// users, groups and roles, permissions boundaries and session policies.
enum class Kind { kKeyPolicy, kIdentityPolicy, kTrustPolicy };

class Policy;
using PolicyPtr = std::shared_ptr<const Policy>;

// Compile fails with kMalformedPolicyDocumentException (what is wrong and where); longer than
// 32,768 bytes is kLimitExceededException (key policies; others may have 131,072 bytes and are
// kMalformedPolicyDocumentException beyond).
// Key policies know the actions of vendor kms and "*" only, trust policies those of sts; identity
// policies take every well-formed vendor:Action, since documents written for AWS name other
// services too.
Result<PolicyPtr> Compile(std::string_view text, Kind kind);
// CompileStored compiles a key policy as Reserialize printed it: the limit of 32,768 bytes is one
// of what was sent, and printing makes it longer.
Result<PolicyPtr> CompileStored(std::string_view text);

// NamedPrincipals: the user, role and session ARNs that a key policy names, in order, as written;
// for the caller to tell whether they exist. Valid as long as the policy.
const std::vector<std::string>& NamedPrincipals(const Policy& policy);

// IsPrincipalArn: whether text could stand in a key policy for an account's root, a user, a role or
// a session. Whether they exist is another question.
bool IsPrincipalArn(std::string_view text);

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
  const Context* context = nullptr;  // null: every condition key is absent
};

// Effect of one policy on a request, weakest first. For policies that name principals an Allow says
// through whom, because that decides what may still limit it.
enum class Effect {
  kNone,          // no statement applies
  kAllowAccount,  // Allow for the account (root): its identity policies decide
  kAllowRole,    // Allow for a role, or for "*" met by a session: boundary and session policy limit
  kAllowDirect,  // Allow for the principal itself, or "*"; identity policies: Allow
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

// CallerPolicies: the caller's side. Spans and pointers are borrowed for the call.
struct CallerPolicies {
  std::span<const PolicyPtr> identity = {};  // a user's own and its groups', or a role's
  const Policy* boundary = nullptr;          // permissions boundary
  const Policy* session = nullptr;           // session policy
};

// GrantSide: what a grant adds on the key's side.
struct GrantSide {
  Effect effect = Effect::kNone;  // an Allow, by what kind of principal the grantee is
  // supplies_identity: the grant was issued by a principal of the caller's own account, which is
  // not the key's, and so speaks for that account too.
  bool supplies_identity = false;
};

// KeySide: the resource's side: a key with its policy, or a role with its trust policy. Without a
// policy a grant alone speaks for it.
struct KeySide {
  const Policy* policy = nullptr;
  const model::AccountId* account = nullptr;  // that owns it
  GrantSide grant = {};
};

// Authorize joins all policies as AWS does. An explicit Deny anywhere wins. Within the account an
// Allow of the resource's policy suffices, unless it names the account (then an identity policy
// must allow too) or a role (then boundary and session policy must); across accounts both sides
// must allow. A root user needs no identity policy. key is null for operations without a key
// resource: then the caller's side alone decides.
Decision Authorize(const Request& request, const KeySide* key, const CallerPolicies& caller);

// Judgement: a request looked at by every policy once. What a grant adds is decided from that, so
// that grants, which count where policies do not suffice, do not have the policies judged again.
class Judgement {
 public:
  // CallerEffects: what the caller's policies say. A missing boundary or session policy limits
  // nothing.
  struct CallerEffects {
    Effect identity = Effect::kNone;
    Effect boundary = Effect::kAllowDirect;
    Effect session = Effect::kAllowDirect;
  };
  enum class Why : std::uint8_t;  // what decided; Decide puts it into words

  // As Authorize, but for key->grant, which Allows and Decide are given.
  Judgement(const Request& request, const KeySide* key, const CallerPolicies& caller);
  // Allows: Decide without the reason; it never allocates.
  bool Allows(const GrantSide& grant) const;
  Decision Decide(const GrantSide& grant) const;

 private:
  Why Deciding(const GrantSide& grant) const;

  std::string_view action_;
  bool has_key_ = false;
  bool own_ = true;  // the key is of the principal's account
  Effect key_ = Effect::kNone;
  CallerEffects caller_;
};

// AccessDeniedMessage is the text of AccessDeniedException: "User: <ARN> is not authorized to
// perform: kms:X on resource: <ARN> because ...".
std::string AccessDeniedMessage(const Request& request, const Decision& decision);

// kLockoutMessage goes with kMalformedPolicyDocumentException when AllowsPutKeyPolicy is false.
inline constexpr std::string_view kLockoutMessage =
    "The new key policy will not allow you to update the key policy in the future.";

// AllowsPutKeyPolicy is the lockout safety check of CreateKey and PutKeyPolicy: whether the
// principal could call PutKeyPolicy under the new policy, its identity policies and all Denies
// counted. put is the request as kms:PutKeyPolicy on the ARN of the key (of the key to be).
bool AllowsPutKeyPolicy(const Policy& new_policy, const Request& put,
                        const model::AccountId& key_account, const CallerPolicies& caller);

// Finding: what became of one statement, for people. detail says why it does not apply, or through
// whom it does.
struct Finding {
  std::size_t index = 0;
  std::string sid;
  bool allow = false;
  bool applies = false;
  std::string detail;
};
// Explain looks at every statement; Evaluate decides the same.
std::vector<Finding> Explain(const Policy& policy, const Request& request);

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
