// AdminPrincipals: groups, roles, memberships and permissions boundaries, one change at a time, for
// server/admin.cc. Errors: kNotFoundException, kAlreadyExistsException, kValidationException and
// those of the policy compiler; nothing is staged then.
#pragma once

#include <string>

#include "service/call.h"

namespace keyturn::server {

// AdminNames: what a request names; empty where it does not.
struct AdminNames {
  model::AccountId account;
  std::string user, group, role, policy;
  std::string document;  // policy text
};

Status CreateGroup(service::Call& call, const AdminNames& names);
// DeleteGroup takes its members out first.
Status DeleteGroup(service::Call& call, const AdminNames& names);
Status RemoveGroup(service::Call& call, const service::GroupPtr& group);
Status ChangeGroupPolicy(service::Call& call, const AdminNames& names, bool put);
Status ChangeMembership(service::Call& call, const AdminNames& names, bool add);
Status ChangeUserBoundary(service::Call& call, const AdminNames& names, bool put);

// CreateRole: the document is the trust policy.
Status CreateRole(service::Call& call, const AdminNames& names);
Status DeleteRole(service::Call& call, const AdminNames& names);
enum class RolePart { kTrust, kPutPolicy, kDeletePolicy, kPutBoundary, kDeleteBoundary };
Status ChangeRole(service::Call& call, const AdminNames& names, RolePart part);

}  // namespace keyturn::server
