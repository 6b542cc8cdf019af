// ApplyAccess: a description of accounts (users, groups, roles, identity providers) made true in
// one transaction, or only compared (dry run). docs/access.md has the document's form.
//
// What the document does not name stays, unless prune is asked for: then the principals of a
// section that the document has, and does not name, are deleted; never the caller itself. A
// principal that is named becomes exactly what is said of it: policies that are not there go.
//
// Errors: kValidationException and kMalformedPolicyDocumentException name the account, the kind and
// the name; nothing is changed then.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "service/call.h"

namespace keyturn::server {

// AccessChange: one line of the difference.
struct AccessChange {
  enum class Kind { kCreate, kUpdate, kDelete };
  Kind kind = Kind::kCreate;
  std::string account;
  std::string type;  // "user", "group", "role", "identity provider"
  std::string name;
  std::vector<std::string> parts;  // of an update: "policy main", "trust", "tags", ...
};

// StageAccess stages the changes in call.txn and returns them in order. may_touch says whether the
// caller may administer an account.
Result<std::vector<AccessChange>> StageAccess(
    service::Call& call, const json::Value& document, bool prune,
    const std::function<bool(const model::AccountId&)>& may_touch);

}  // namespace keyturn::server
