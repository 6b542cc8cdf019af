// Compiled form of a policy: what Evaluate walks over. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "policy/pattern.h"
#include "policy/policy.h"

namespace keyturn::policy {

// NamedPrincipal is one value of Principal.
struct NamedPrincipal {
  enum class Type : std::uint8_t {
    kEveryone,  // "*"
    kAccount,   // account id or root ARN
    kUser,      // name: "user/path/name"
    kRole,      // name: the role's name without path
    kSession,   // name: "assumed-role/role/session" or "federated-user/name"
  };
  Type type = Type::kEveryone;
  model::AccountId account;  // not for kEveryone
  std::string name;

  // Parse returns nullopt unless text is "*", twelve digits or one of the ARNs above without
  // wildcards.
  static std::optional<NamedPrincipal> Parse(std::string_view text);
};

struct Statement {
  bool allow = false;
  // inert: a key policy statement without Action or Resource, which applies to nothing.
  bool inert = false;
  bool negate_actions = false;    // NotAction
  bool negate_resources = false;  // NotResource
  std::vector<Pattern> actions;
  std::vector<Pattern> resources;
  std::vector<NamedPrincipal> principals;  // key policies only
};

class Policy {
 public:
  Kind kind = Kind::kKeyPolicy;
  std::vector<Statement> statements;
  std::vector<std::string> named_arns;  // as NamedPrincipals says
};

}  // namespace keyturn::policy
