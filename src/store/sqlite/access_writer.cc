// Writing users, groups, roles, identity providers and grants.
#include <fmt/format.h>

#include "store/sqlite/access_rows.h"
#include "store/sqlite/writer.h"

namespace keyturn::store {
namespace {

constexpr const char kPutUser[] =
    "INSERT INTO users (account, name, user_id, created, tags) VALUES (?,?,?,?,?) "
    "ON CONFLICT DO UPDATE SET user_id = excluded.user_id, created = excluded.created, "
    "tags = excluded.tags";
constexpr const char kDeleteUserPolicies[] =
    "DELETE FROM user_policies WHERE account = ? AND user = ?";
constexpr const char kInsertUserPolicy[] =
    "INSERT INTO user_policies (account, user, position, name, text) VALUES (?,?,?,?,?)";
constexpr const char kDeleteMemberships[] =
    "DELETE FROM memberships WHERE account = ? AND user = ?";
constexpr const char kInsertMembership[] =
    "INSERT INTO memberships (account, user, position, group_name) VALUES (?,?,?,?)";
constexpr const char kDeleteUser[] = "DELETE FROM users WHERE account = ? AND name = ?";
constexpr const char kPutGroup[] =
    "INSERT INTO groups (account, name, group_id, created) VALUES (?,?,?,?) "
    "ON CONFLICT DO UPDATE SET group_id = excluded.group_id, created = excluded.created";
constexpr const char kDeleteGroup[] = "DELETE FROM groups WHERE account = ? AND name = ?";
constexpr const char kPutRole[] =
    "INSERT INTO roles (account, name, path, role_id, created, session_seconds_max, tags) "
    "VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET path = excluded.path, "
    "role_id = excluded.role_id, created = excluded.created, "
    "session_seconds_max = excluded.session_seconds_max, tags = excluded.tags";
constexpr const char kDeleteRole[] = "DELETE FROM roles WHERE account = ? AND name = ?";
constexpr const char kDeletePolicies[] =
    "DELETE FROM principal_policies WHERE account = ? AND type = ? AND principal = ?";
constexpr const char kInsertPolicy[] =
    "INSERT INTO principal_policies (account, type, principal, slot, position, name, text) "
    "VALUES (?,?,?,?,?,?,?)";
constexpr const char kPutProvider[] =
    "INSERT INTO providers (account, host, created, audiences, key_set) VALUES (?,?,?,?,?) "
    "ON CONFLICT DO UPDATE SET created = excluded.created, audiences = excluded.audiences, "
    "key_set = excluded.key_set";
constexpr const char kDeleteProvider[] = "DELETE FROM providers WHERE account = ? AND host = ?";

// Owner: whose policies are written.
struct Owner {
  const model::AccountId& account;
  std::string_view type;  // user, group, role
  std::string_view name;
};

Status ClearPolicies(Database& database, const Owner& owner) {
  KT_TRY(database.Run(kDeletePolicies, owner.account.text(), owner.type, owner.name));
  return {};
}

Status InsertPolicy(Database& database, const Owner& owner, std::string_view slot,
                    std::int64_t position, const NamedPolicy& policy) {
  KT_TRY(database.Run(kInsertPolicy, owner.account.text(), owner.type, owner.name, slot, position,
                      policy.name, policy.text));
  return {};
}

Status InsertPolicies(Database& database, const Owner& owner,
                      const std::vector<NamedPolicy>& policies) {
  std::int64_t position = 0;
  for (const NamedPolicy& policy : policies) {
    KT_TRY(InsertPolicy(database, owner, "policy", position++, policy));
  }
  return {};
}

Status InsertBoundary(Database& database, const Owner& owner,
                      const std::optional<NamedPolicy>& boundary) {
  return boundary ? InsertPolicy(database, owner, "boundary", 0, *boundary) : Status();
}

Status PutUser(Database& database, const UserRow& row) {
  const std::string_view account = row.account.text();
  KT_TRY(database.Run(kPutUser, account, row.name, row.user_id, ToEpochMillis(row.created),
                      EncodeTags(row.tags)));
  KT_TRY(database.Run(kDeleteUserPolicies, account, row.name));
  std::int64_t position = 0;
  for (const NamedPolicy& policy : row.policies) {
    KT_TRY(
        database.Run(kInsertUserPolicy, account, row.name, position++, policy.name, policy.text));
  }
  KT_TRY(database.Run(kDeleteMemberships, account, row.name));
  position = 0;
  for (const std::string& group : row.groups) {
    KT_TRY(database.Run(kInsertMembership, account, row.name, position++, group));
  }
  const Owner owner{row.account, "user", row.name};
  KT_TRY(ClearPolicies(database, owner));
  return InsertBoundary(database, owner, row.boundary);
}

Status DeleteUser(Database& database, const model::AccountId& account, const std::string& name) {
  for (const char* sql : {kDeleteUserPolicies, kDeleteMemberships, kDeleteUser}) {
    KT_TRY(database.Run(sql, account.text(), name));
  }
  return ClearPolicies(database, {account, "user", name});
}

Status PutGroup(Database& database, const GroupRow& row) {
  KT_TRY(database.Run(kPutGroup, row.account.text(), row.name, row.group_id,
                      ToEpochMillis(row.created)));
  const Owner owner{row.account, "group", row.name};
  KT_TRY(ClearPolicies(database, owner));
  return InsertPolicies(database, owner, row.policies);
}

Status PutRole(Database& database, const RoleRow& row) {
  KT_TRY(database.Run(kPutRole, row.account.text(), row.name, row.path, row.role_id,
                      ToEpochMillis(row.created), row.session_seconds_max, EncodeTags(row.tags)));
  const Owner owner{row.account, "role", row.name};
  KT_TRY(ClearPolicies(database, owner));
  KT_TRY(InsertPolicy(database, owner, "trust", 0, {"trust", row.trust}));
  KT_TRY(InsertBoundary(database, owner, row.boundary));
  return InsertPolicies(database, owner, row.policies);
}

Status PutProvider(Database& database, const ProviderRow& row) {
  std::string audiences;
  for (const std::string& audience : row.audiences) audiences.append(audience).append("\n");
  KT_TRY(database.Run(kPutProvider, row.account.text(), row.host, ToEpochMillis(row.created),
                      audiences, row.key_set));
  return {};
}

constexpr const char kInsertGrant[] =
    "INSERT INTO grants (account, region, key, id, created, name, grantee, retiring_principal, "
    "issuing_account, operations, context_equals, context_subset) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char kDeleteGrant[] =
    "DELETE FROM grants WHERE account = ? AND region = ? AND key = ? AND id = ?";

Bytes EncodePairs(const std::optional<std::vector<Tag>>& pairs) {
  if (!pairs) return {};
  Bytes encoded = EncodeTags(*pairs);
  encoded.insert(encoded.begin(), 1);
  return encoded;
}

Status InsertGrant(Database& database, const GrantRow& row) {
  std::string operations;
  for (const model::GrantOperation operation : row.operations) {
    operations.append(operations.empty() ? "" : " ").append(model::ToWire(operation));
  }
  const auto inserted =
      database.Run(kInsertGrant, row.account.text(), row.region.name(), row.key.text(), row.id,
                   ToEpochMillis(row.created), row.name, row.grantee, row.retiring_principal,
                   row.issuing_account.text(), operations, EncodePairs(row.context_equals),
                   EncodePairs(row.context_subset));
  if (!inserted && inserted.error().code == ErrorCode::kConflict) {
    return Fail(ErrorCode::kConflict,
                fmt::format("grant {} exists already, or key {} does not", row.id, row.key.text()));
  }
  KT_TRY(inserted);
  return {};
}

}  // namespace

Status ApplyPrincipals(Database& database, const Change& change) {
  for (const UserRow& row : change.put_users) KT_TRY(PutUser(database, row));
  for (const auto& [account, name] : change.delete_users) {
    KT_TRY(DeleteUser(database, account, name));
  }
  for (const GroupRow& row : change.put_groups) KT_TRY(PutGroup(database, row));
  for (const auto& [account, name] : change.delete_groups) {
    KT_TRY(ClearPolicies(database, {account, "group", name}));
    KT_TRY(database.Run(kDeleteGroup, account.text(), name));
  }
  for (const RoleRow& row : change.put_roles) KT_TRY(PutRole(database, row));
  for (const auto& [account, name] : change.delete_roles) {
    KT_TRY(ClearPolicies(database, {account, "role", name}));
    KT_TRY(database.Run(kDeleteRole, account.text(), name));
  }
  for (const ProviderRow& row : change.put_providers) KT_TRY(PutProvider(database, row));
  for (const auto& [account, host] : change.delete_providers) {
    KT_TRY(database.Run(kDeleteProvider, account.text(), host));
  }
  return {};
}

Status ApplyGrants(Database& database, const Change& change) {
  for (const GrantRow& row : change.insert_grants) KT_TRY(InsertGrant(database, row));
  for (const GrantRef& ref : change.delete_grants) {
    KT_TRY(
        database.Run(kDeleteGrant, ref.account.text(), ref.region.name(), ref.key.text(), ref.id));
  }
  return {};
}

}  // namespace keyturn::store
