// Policy: the policy language, parsed, checked and compiled once, then evaluated without allocation.
// Pure.
//
// Supported now: Version, Id, Statement (object or array), Sid, Effect, Principal (key policies:
// "*", {"AWS": account id | root ARN | user ARN | role ARN | "*" or a list}), Action and NotAction
// with * and ?, Resource and NotResource. A policy that uses anything else of the language
// (Condition, NotPrincipal, Service or Federated principals, policy variables) is refused when it is
// put, never half-obeyed.
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
// than 32,768 bytes is kLimitExceededException (key policies).
Result<PolicyPtr> Compile(std::string_view text, Kind kind);

// Principal: who asks.
struct Principal {
  model::AccountId account;
  std::string_view arn;  // user or root ARN
  bool is_root = false;
};

struct Request {
  std::string_view action;    // "kms:Encrypt"
  std::string_view resource;  // ARN of the key or alias, or "*"
  const Principal* principal = nullptr;
};

// Effect of one policy on a request. For key policies an Allow says through whom.
enum class Effect {
  kNone,           // no statement applies
  kAllowDirect,    // Allow: names the principal itself or "*"; identity policies: Allow
  kAllowAccount,   // key policies only: allows the account (root), so identity policies decide
  kDeny,
};
Effect Evaluate(const Policy& policy, const Request& request);

// Decision of Authorize, with AWS's reason phrase for AccessDeniedException:
// "because no identity-based policy allows the kms:X action", "with an explicit deny in a
// resource-based policy", ...
struct Decision {
  bool allowed = false;
  std::string reason;  // empty when allowed
};

// Authorize: the same-account rule. key_policy is null for operations without a key resource (then
// identity policies alone decide, the account's root user is allowed). Cross-account access needs
// both sides. identity policies are those of the caller's user.
Decision Authorize(const Request& request, const Policy* key_policy,
                   const model::AccountId* key_account,
                   const std::vector<PolicyPtr>& identity_policies);

// DefaultKeyPolicy: the text that CreateKey without Policy stores.
std::string DefaultKeyPolicy(std::string_view partition, const model::AccountId& account);

// AwsManagedKeyPolicy: readable by the account, changeable by nobody; service is "sqs" of
// "alias/aws/sqs". Use of the key is allowed to the account's principals.
std::string AwsManagedKeyPolicy(std::string_view partition, const model::AccountId& account,
                                std::string_view service);

// Reserialize returns the text the way GetKeyPolicy prints it (two spaces, "key" : value).
Result<std::string> Reserialize(std::string_view text);

}  // namespace keyturn::policy
