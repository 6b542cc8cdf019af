// Compiled form of a policy: what Evaluate walks over. Private to the room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "policy/answers.h"
#include "policy/condition.h"
#include "policy/pattern.h"
#include "policy/policy.h"

namespace keyturn::policy {

// NamedPrincipal is one value of Principal.
struct NamedPrincipal {
  enum class Type : std::uint8_t {
    kEveryone,   // "*"
    kAccount,    // account id or root ARN
    kUser,       // name: "user/path/name"
    kRole,       // name: the role's name without path
    kSession,    // name: "assumed-role/role/session" or "federated-user/name"
    kService,    // name: "logs.amazonaws.com"; no caller of ours is one
    kFederated,  // name: the ARN or domain of an identity provider
  };
  Type type = Type::kEveryone;
  model::AccountId account;  // of kAccount, kUser, kRole and kSession
  std::string name;

  // Parse returns nullopt unless text is "*", twelve digits or one of the ARNs above without
  // wildcards.
  static std::optional<NamedPrincipal> Parse(std::string_view text);
  // ParseService takes a domain name, ParseFederated one or the ARN of an identity provider.
  static std::optional<NamedPrincipal> ParseService(std::string_view text);
  static std::optional<NamedPrincipal> ParseFederated(std::string_view text);
};

struct Statement {
  std::string sid;
  bool allow = false;
  // inert: a key policy statement without Action or Resource, which applies to nothing.
  bool inert = false;
  bool negate_actions = false;     // NotAction
  bool negate_resources = false;   // NotResource
  bool negate_principals = false;  // NotPrincipal
  std::vector<Pattern> actions;    // of Case::kInsensitive
  std::vector<Pattern> resources;
  std::vector<Text> variable_resources;    // those of resources that have variables
  std::vector<NamedPrincipal> principals;  // not in identity policies
  std::vector<Condition> conditions;
};

// Reach: how a statement's Principal meets the caller, weakest first.
enum class Reach : std::uint8_t { kNobody, kAccount, kRole, kDirect };

// Outcome: what became of one statement for one request.
struct Outcome {
  enum class Step : std::uint8_t {
    kApplies,
    kInert,
    kOtherAction,
    kOtherResource,
    kOtherPrincipal,
    kCondition,
  };
  Step step = Step::kApplies;
  Reach reach = Reach::kDirect;       // when it applies
  const Condition* failed = nullptr;  // of kCondition
};

// LowerAction: an action in lower case, in memory of its own where it has a usual length.
class LowerAction {
 public:
  explicit LowerAction(std::string_view action);
  std::string_view text() const { return {long_.empty() ? room_.data() : long_.data(), size_}; }

 private:
  std::array<char, 64> room_{};  // kms:GenerateDataKeyPairWithoutPlaintext has 39
  std::string long_;
  std::size_t size_;
};

// Asking: a request, and what policies find out about it again and again. The policies must outlive
// it.
struct Asking {
  explicit Asking(const Request& asked);

  const Request& request;
  const LowerAction action;
  Answers answers;
  std::string_view caller;  // the part of the principal's ARN behind the account
};
Outcome Try(const Statement& statement, Kind kind, Asking& asking);
Effect Evaluate(const Policy& policy, Asking& asking);

class Policy {
 public:
  Kind kind = Kind::kKeyPolicy;
  std::vector<Statement> statements;
  std::vector<std::string> named_arns;  // as NamedPrincipals says
};

}  // namespace keyturn::policy
