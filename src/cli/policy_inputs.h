// PolicyInputs: everything that one question about access is decided from, gathered from files or
// from a data directory that no server has open. Thread-safety: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "policy/policy.h"

namespace keyturn::cli {

// Question: what `keyturn policy explain` was asked.
struct Question {
  std::string principal;  // ARN of a user, role, role session or root
  std::string action;     // "kms:Decrypt"
  std::string resource;   // key id, key ARN, alias name or alias ARN; ARN or "*" with files
  std::string region;     // of a key id or alias name; with a data directory only
  std::vector<std::string> context;  // "name=value", repeated for several values

  std::string data_dir;  // or files:
  std::string key_policy;
  std::string key_account;  // owner of the key, when it is not the principal's account
  std::vector<std::string> identity_policies;
  std::string boundary;
  std::string session_policy;
};

// FixedContext answers with given values; names have no case.
class FixedContext final : public policy::Context {
 public:
  void Add(std::string_view name, std::string value);
  bool Has(std::string_view name) const;
  void Find(const policy::ConditionKey& key, policy::Values& out) const override;
  // CountUnder counts the names that begin with prefix.
  std::size_t CountUnder(std::string_view prefix) const;

 private:
  std::map<std::string, policy::Values> values_;
};

struct NamedCompiled {
  std::string name;  // "user anna, policy main"
  policy::PolicyPtr policy;
};

struct GrantLine {
  std::string id;
  policy::GrantSide side;  // effect kNone: does not apply
  std::string detail;
};

struct PolicyInputs {
  std::string principal_arn;  // as callers are named: a role is asked as one of its sessions
  model::AccountId principal_account;
  bool is_root = false;
  std::string resource;          // ARN or "*"
  policy::PolicyPtr key_policy;  // null: no key is involved
  model::AccountId key_account;
  std::vector<NamedCompiled> identity;  // in the order of evaluation
  NamedCompiled boundary, session;      // policy null: none
  std::vector<GrantLine> grants;
  FixedContext context;
};

// GatherInputs: kUsage, kNotFound and the compiler's errors, naming the file or row.
Result<PolicyInputs> GatherInputs(const Question& question);

}  // namespace keyturn::cli
