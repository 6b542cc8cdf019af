// Loading users, groups, roles, identity providers and grants.
#include <map>
#include <tuple>

#include "store/sqlite/access_rows.h"
#include "store/sqlite/row_reader.h"
#include "store/sqlite/writer.h"

namespace keyturn::store {
namespace {

// PrincipalPolicies: what principal_policies has of one principal.
struct PrincipalPolicies {
  std::vector<NamedPolicy> policies;
  std::optional<NamedPolicy> boundary;
  std::optional<NamedPolicy> trust;
};
using PolicyMap = std::map<std::tuple<std::string, std::string, std::string>, PrincipalPolicies>;

// Take removes the entry of a principal: (type, account, name).
PrincipalPolicies Take(PolicyMap& map, std::string_view type, const model::AccountId& account,
                       const std::string& name) {
  auto node = map.extract({std::string(type), std::string(account.text()), name});
  return node ? std::move(node.mapped()) : PrincipalPolicies{};
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

constexpr const char kSelectPolicies[] =
    "SELECT account, type, principal, slot, name, text FROM principal_policies "
    "ORDER BY account, type, principal, slot, position";

Result<PolicyMap> LoadPolicyMap(Database& database) {
  PolicyMap map;
  KT_ASSIGN(Cursor cursor, database.Select(kSelectPolicies));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return map;
    RowReader row(cursor, "principal_policies");
    std::string account = row.Text();
    std::string type = row.Text();
    PrincipalPolicies& of = map[{std::move(type), std::move(account), row.Text()}];
    const std::string slot = row.Text();
    std::string name = row.Text();
    NamedPolicy policy{std::move(name), row.Text()};
    if (slot == "policy") {
      of.policies.push_back(std::move(policy));
    } else if (slot == "boundary") {
      of.boundary = std::move(policy);
    } else if (slot == "trust") {
      of.trust = std::move(policy);
    } else {
      return row.Bad(database, 4);
    }
  }
}

constexpr const char kSelectMemberships[] =
    "SELECT account, user, group_name FROM memberships ORDER BY account, user, position";
using Memberships = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

Result<Memberships> LoadMemberships(Database& database) {
  Memberships groups;
  KT_ASSIGN(Cursor cursor, database.Select(kSelectMemberships));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return groups;
    RowReader row(cursor, "memberships");
    std::string account = row.Text();
    std::string user = row.Text();
    groups[{std::move(account), std::move(user)}].push_back(row.Text());
  }
}

constexpr const char kSelectUsers[] =
    "SELECT u.account, u.name, u.user_id, u.created, u.tags, p.name, p.text FROM users u "
    "LEFT JOIN user_policies p ON p.account = u.account AND p.user = u.name "
    "ORDER BY u.account, u.name, p.position";
constexpr int kPolicyNameColumn = 5;

Status LoadUsers(Database& database, const Visitors& visitors, PolicyMap& policies) {
  KT_ASSIGN(Memberships memberships, LoadMemberships(database));
  KT_ASSIGN(Cursor cursor, database.Select(kSelectUsers));
  std::optional<UserRow> user;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) break;
    RowReader row(cursor, "users");
    const model::AccountId account = row.Account();
    std::string name = row.Text();
    if (!user || user->account != account || user->name != name) {
      if (user) visitors.user(*std::exchange(user, std::nullopt));
      user.emplace();
      user->account = account;
      user->name = std::move(name);
      user->user_id = row.Text();
      user->created = row.Instant();
      user->tags = row.Take(DecodeTags(row.BlobView()));
      user->boundary = Take(policies, "user", account, user->name).boundary;
      user->groups = std::move(memberships[{std::string(account.text()), user->name}]);
    }
    if (!row.ok()) return row.Bad(database, 2);
    if (!cursor.IsNull(kPolicyNameColumn)) {
      user->policies.push_back({std::string(cursor.Text(kPolicyNameColumn)),
                                std::string(cursor.Text(kPolicyNameColumn + 1))});
    }
  }
  if (user) visitors.user(std::move(*user));
  return {};
}

constexpr const char kSelectGroups[] =
    "SELECT account, name, group_id, created FROM groups ORDER BY account, name";

Status LoadGroups(Database& database, const Visitors& visitors, PolicyMap& policies) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectGroups));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return {};
    RowReader row(cursor, "groups");
    GroupRow group;
    group.account = row.Account();
    group.name = row.Text();
    group.group_id = row.Text();
    group.created = row.Instant();
    if (!row.ok()) return row.Bad(database, 2);
    group.policies = Take(policies, "group", group.account, group.name).policies;
    visitors.group(std::move(group));
  }
}

constexpr const char kSelectRoles[] =
    "SELECT account, name, path, role_id, created, session_seconds_max, tags FROM roles "
    "ORDER BY account, name";

Status LoadRoles(Database& database, const Visitors& visitors, PolicyMap& policies) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectRoles));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return {};
    RowReader row(cursor, "roles");
    RoleRow role;
    role.account = row.Account();
    role.name = row.Text();
    role.path = row.Text();
    role.role_id = row.Text();
    role.created = row.Instant();
    role.session_seconds_max = row.Count();
    role.tags = row.Take(DecodeTags(row.BlobView()));
    PrincipalPolicies of = Take(policies, "role", role.account, role.name);
    if (!row.ok() || !of.trust) return row.Bad(database, 2);
    role.trust = std::move(of.trust->text);
    role.boundary = std::move(of.boundary);
    role.policies = std::move(of.policies);
    visitors.role(std::move(role));
  }
}

constexpr const char kSelectProviders[] =
    "SELECT account, host, created, audiences, key_set FROM providers ORDER BY account, host";

Status LoadProviders(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectProviders));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return {};
    RowReader row(cursor, "providers");
    ProviderRow provider;
    provider.account = row.Account();
    provider.host = row.Text();
    provider.created = row.Instant();
    provider.audiences = Split(row.TextView(), '\n');
    provider.key_set = row.Text();
    if (!row.ok()) return row.Bad(database, 2);
    visitors.provider(std::move(provider));
  }
}

constexpr const char kSelectGrants[] =
    "SELECT account, region, key, id, created, name, grantee, retiring_principal, "
    "issuing_account, operations, context_equals, context_subset FROM grants "
    "ORDER BY account, region, key, id";

std::optional<std::vector<Tag>> TakePairs(RowReader& row) {
  const ByteView encoded = row.BlobView();
  if (encoded.empty()) return std::nullopt;
  return row.Take(encoded[0] == 1 ? DecodeTags(encoded.subspan(1)) : std::nullopt);
}

GrantRow ReadGrant(RowReader& row, RegionMemo& regions) {
  GrantRow grant;
  grant.account = row.Account();
  grant.region = row.Take(regions.Get(row.TextView()));
  grant.key = row.Key();
  grant.id = row.Text();
  grant.created = row.Instant();
  grant.name = row.Text();
  grant.grantee = row.Text();
  grant.retiring_principal = row.Text();
  grant.issuing_account = row.Account();
  for (const std::string& name : Split(row.TextView(), ' ')) {
    grant.operations.push_back(row.Take(model::FromWire<model::GrantOperation>(name)));
  }
  grant.context_equals = TakePairs(row);
  grant.context_subset = TakePairs(row);
  return grant;
}

}  // namespace

Status LoadPrincipals(Database& database, const Visitors& visitors) {
  if (!visitors.user && !visitors.group && !visitors.role && !visitors.provider) return {};
  KT_ASSIGN(PolicyMap policies, LoadPolicyMap(database));
  if (visitors.group) KT_TRY(LoadGroups(database, visitors, policies));
  if (visitors.role) KT_TRY(LoadRoles(database, visitors, policies));
  if (visitors.provider) KT_TRY(LoadProviders(database, visitors));
  if (visitors.user) KT_TRY(LoadUsers(database, visitors, policies));
  return {};
}

Status LoadGrants(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectGrants));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return {};
    RowReader row(cursor, "grants");
    GrantRow grant = ReadGrant(row, regions);
    if (!row.ok()) return row.Bad(database, 4);
    visitors.grant(std::move(grant));
  }
}

}  // namespace keyturn::store
