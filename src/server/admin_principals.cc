// Administration of groups, roles and permissions boundaries, one change at a time. What a file
// describes as a whole is server/apply_access.h's.
#include "server/admin_principals.h"

#include <fmt/format.h>

#include <algorithm>

#include "service/principals.h"

namespace keyturn::server {
namespace {

using service::Call;

template <typename Ptr>
Result<Ptr> Existing(Ptr found, std::string_view type, const AdminNames& names,
                     const std::string& name) {
  if (!found) {
    return Fail(ErrorCode::kNotFoundException, fmt::format("{} {} does not exist in account {}",
                                                           type, name, names.account.text()));
  }
  return found;
}

tl::unexpected<Error> Exists(std::string_view type, const std::string& name) {
  return Fail(ErrorCode::kAlreadyExistsException, fmt::format("{} {} already exists", type, name));
}

Status PutNamed(std::vector<store::NamedPolicy>& policies, const AdminNames& names) {
  if (names.policy.empty() || names.policy.size() > 128) {
    return Fail(ErrorCode::kValidationException, "PolicyName must have 1 to 128 characters");
  }
  std::erase_if(policies, [&](const auto& each) { return each.name == names.policy; });
  policies.push_back({names.policy, names.document});
  return {};
}

Status RemoveNamed(std::vector<store::NamedPolicy>& policies, const AdminNames& names) {
  if (std::erase_if(policies, [&](const auto& each) { return each.name == names.policy; }) == 0) {
    return Fail(ErrorCode::kNotFoundException, fmt::format("there is no policy {}", names.policy));
  }
  return {};
}

Status PutGroup(Call& call, store::GroupRow row) {
  KT_ASSIGN(service::GroupPtr made, service::MakeGroup(std::move(row)));
  call.txn->PutGroup(std::move(made));
  return {};
}

Status PutRole(Call& call, store::RoleRow row) {
  KT_ASSIGN(service::RolePtr made, service::MakeRole(std::move(row)));
  call.txn->PutRole(std::move(made));
  return {};
}

Status PutUser(Call& call, store::UserRow row) {
  KT_ASSIGN(service::UserPtr made, service::MakeUser(std::move(row)));
  call.txn->PutUser(std::move(made));
  return {};
}

}  // namespace

Status CreateGroup(Call& call, const AdminNames& names) {
  KT_TRY(service::CheckPrincipalName("GroupName", names.group));
  if (call.view.FindGroup(names.account, names.group)) return Exists("Group", names.group);
  return PutGroup(call, {names.account,
                         names.group,
                         service::NewPrincipalId("AGPA", call.environment.random),
                         call.now,
                         {}});
}

Status DeleteGroup(Call& call, const AdminNames& names) {
  KT_ASSIGN(const service::GroupPtr group,
            Existing(call.view.FindGroup(names.account, names.group), "Group", names, names.group));
  return RemoveGroup(call, group);
}

Status RemoveGroup(Call& call, const service::GroupPtr& group) {
  // A group of the same name that is made later must not find members.
  for (const service::UserPtr& user : call.view.ListUsers(group->row.account)) {
    store::UserRow row = user->row;
    if (std::erase(row.groups, group->row.name) > 0) KT_TRY(PutUser(call, std::move(row)));
  }
  call.txn->DeleteGroup(group);
  return {};
}

Status ChangeGroupPolicy(Call& call, const AdminNames& names, bool put) {
  KT_ASSIGN(const service::GroupPtr group,
            Existing(call.view.FindGroup(names.account, names.group), "Group", names, names.group));
  store::GroupRow row = group->row;
  KT_TRY(put ? PutNamed(row.policies, names) : RemoveNamed(row.policies, names));
  return PutGroup(call, std::move(row));
}

Status ChangeMembership(Call& call, const AdminNames& names, bool add) {
  KT_ASSIGN(const service::UserPtr user,
            Existing(call.view.FindUser(names.account, names.user), "User", names, names.user));
  KT_TRY(Existing(call.view.FindGroup(names.account, names.group), "Group", names, names.group));
  store::UserRow row = user->row;
  std::erase(row.groups, names.group);
  if (add) row.groups.push_back(names.group);
  return PutUser(call, std::move(row));
}

Status ChangeUserBoundary(Call& call, const AdminNames& names, bool put) {
  KT_ASSIGN(const service::UserPtr user,
            Existing(call.view.FindUser(names.account, names.user), "User", names, names.user));
  store::UserRow row = user->row;
  row.boundary.reset();
  if (put) row.boundary = store::NamedPolicy{"boundary", names.document};
  return PutUser(call, std::move(row));
}

Status CreateRole(Call& call, const AdminNames& names) {
  KT_TRY(service::CheckPrincipalName("RoleName", names.role));
  if (call.view.FindRole(names.account, names.role)) return Exists("Role", names.role);
  store::RoleRow row;
  row.account = names.account;
  row.name = names.role;
  row.role_id = service::NewPrincipalId("AROA", call.environment.random);
  row.created = call.now;
  row.trust = names.document;
  return PutRole(call, std::move(row));
}

Status DeleteRole(Call& call, const AdminNames& names) {
  KT_ASSIGN(const service::RolePtr role,
            Existing(call.view.FindRole(names.account, names.role), "Role", names, names.role));
  call.txn->DeleteRole(role);
  return {};
}

Status ChangeRole(Call& call, const AdminNames& names, RolePart part) {
  KT_ASSIGN(const service::RolePtr role,
            Existing(call.view.FindRole(names.account, names.role), "Role", names, names.role));
  store::RoleRow row = role->row;
  switch (part) {
    case RolePart::kTrust:
      row.trust = names.document;
      break;
    case RolePart::kPutPolicy:
      KT_TRY(PutNamed(row.policies, names));
      break;
    case RolePart::kDeletePolicy:
      KT_TRY(RemoveNamed(row.policies, names));
      break;
    case RolePart::kPutBoundary:
      row.boundary = store::NamedPolicy{"boundary", names.document};
      break;
    case RolePart::kDeleteBoundary:
      row.boundary.reset();
      break;
  }
  return PutRole(call, std::move(row));
}

}  // namespace keyturn::server
