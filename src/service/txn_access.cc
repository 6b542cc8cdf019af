// Txn: the principals and grants of a transaction.
#include <map>
#include <utility>

#include "model/arn.h"
#include "service/writer.h"
#include "service/writer_batch.h"

namespace keyturn::service {
namespace {

UserName NameOf(const auto& row) { return {row.account, row.name}; }

// Staged finds the newest entry of a name in the layers; nullopt when none of them has it.
template <typename Layers, typename Map, typename Name>
std::optional<typename Map::mapped_type> Staged(const Layers& layers, Map Delta::*map,
                                                const Name& name) {
  for (const Delta* delta : layers) {
    const auto found = (delta->*map).find(name);
    if (found != (delta->*map).end()) return found->second;
  }
  return std::nullopt;
}

// Layered is stored, which is in order of names, with what the layers say of the account's names.
template <typename Ptr, typename Layers, typename NameOf>
std::vector<Ptr> Layered(std::vector<Ptr> stored, const Layers& layers,
                         std::map<UserName, Ptr> Delta::*map, const model::AccountId& account,
                         NameOf name_of) {
  std::map<std::string, Ptr> merged;
  for (Ptr& each : stored) {
    const std::string& name = name_of(*each);
    merged.emplace_hint(merged.end(), name, std::move(each));
  }
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    for (const auto& [name, entry] : (*layer)->*map) {
      if (name.account == account) merged[name.name] = entry;
    }
  }
  std::vector<Ptr> list;
  for (auto& [name, entry] : merged) {
    if (entry) list.push_back(std::move(entry));
  }
  return list;
}

template <typename Entity>
const std::string& RowName(const Entity& entity) {
  return entity.row.name;
}

}  // namespace

GroupPtr Txn::FindGroup(const model::AccountId& account, const std::string& name) const {
  const auto staged = Staged(Layers(), &Delta::groups, UserName{account, name});
  return staged ? *staged : batch_.writer.tables_.FindGroup(account, name);
}

RolePtr Txn::FindRole(const model::AccountId& account, const std::string& name) const {
  const auto staged = Staged(Layers(), &Delta::roles, UserName{account, name});
  return staged ? *staged : batch_.writer.tables_.FindRole(account, name);
}

ProviderPtr Txn::FindProvider(const model::AccountId& account, const std::string& host) const {
  const auto staged = Staged(Layers(), &Delta::providers, UserName{account, host});
  return staged ? *staged : batch_.writer.tables_.FindProvider(account, host);
}

std::vector<UserPtr> Txn::ListUsers(const model::AccountId& account) const {
  return Layered(batch_.writer.tables_.ListUsers(account), Layers(), &Delta::users, account,
                 RowName<User>);
}

std::vector<GroupPtr> Txn::ListGroups(const model::AccountId& account) const {
  return Layered(batch_.writer.tables_.ListGroups(account), Layers(), &Delta::groups, account,
                 RowName<Group>);
}

std::vector<RolePtr> Txn::ListRoles(const model::AccountId& account) const {
  return Layered(batch_.writer.tables_.ListRoles(account), Layers(), &Delta::roles, account,
                 RowName<Role>);
}

std::vector<ProviderPtr> Txn::ListProviders(const model::AccountId& account) const {
  return Layered(batch_.writer.tables_.ListProviders(account), Layers(), &Delta::providers, account,
                 [](const store::ProviderRow& row) -> const std::string& { return row.host; });
}

std::vector<AccessKeyPtr> Txn::ListAccessKeys(const model::AccountId& account,
                                              const std::string& user) const {
  std::map<std::string, AccessKeyPtr> merged;
  for (AccessKeyPtr& key : batch_.writer.tables_.ListAccessKeys(account, user)) {
    const std::string id = key->row.id;
    merged.emplace_hint(merged.end(), id, std::move(key));
  }
  const auto layers = Layers();
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    for (const auto& [id, key] : (*layer)->access_keys) {
      if (!key) {
        merged.erase(id);
      } else if (key->row.account == account && key->row.user == user) {
        merged[id] = key;
      }
    }
  }
  std::vector<AccessKeyPtr> list;
  list.reserve(merged.size());
  for (auto& [id, key] : merged) list.push_back(std::move(key));
  return list;
}

GrantPtr Txn::FindGrant(model::Region region, const model::KeyId& key,
                        const std::string& id) const {
  if (!FindKey(region, key)) return nullptr;
  const auto staged = Staged(Layers(), &Delta::grants, GrantName{{region, key}, id});
  return staged ? *staged : batch_.writer.tables_.FindGrant(region, key, id);
}

std::vector<GrantPtr> Txn::GrantsOf(model::Region region, const model::KeyId& key,
                                    std::string_view grantee) const {
  std::map<std::string, GrantPtr> grants;
  for (const GrantPtr& grant : batch_.writer.tables_.GrantsOf(region, key, grantee)) {
    grants[grant->id] = grant;
  }
  const auto layers = Layers();
  for (auto at = layers.rbegin(); at != layers.rend(); ++at) {
    for (const auto& [name, grant] : (*at)->grants) {
      if (name.key != KeyName{region, key}) continue;
      if (!grant) {
        grants.erase(name.id);
      } else if (model::WithoutPartition(grant->grantee) == model::WithoutPartition(grantee)) {
        grants[name.id] = grant;
      }
    }
  }
  std::vector<GrantPtr> list;
  list.reserve(grants.size());
  for (auto& [id, grant] : grants) list.push_back(std::move(grant));
  return list;
}

bool Txn::HasGrants(model::Region region, const model::KeyId& key) const {
  return CountGrants(region, key) > 0;
}

std::size_t Txn::CountGrants(model::Region region, const model::KeyId& key) const {
  std::size_t count = batch_.writer.tables_.CountGrants(region, key);
  std::map<std::string, bool> staged;  // by id: whether it is there in the end
  const auto layers = Layers();
  for (auto at = layers.rbegin(); at != layers.rend(); ++at) {
    for (const auto& [name, grant] : (*at)->grants) {
      if (name.key == KeyName{region, key}) staged[name.id] = grant != nullptr;
    }
  }
  for (const auto& [id, there] : staged) {
    const bool stored = batch_.writer.tables_.FindGrant(region, key, id) != nullptr;
    count += there && !stored ? 1 : 0;
    count -= !there && stored ? 1 : 0;
  }
  return count;
}

void Txn::PutGroup(GroupPtr group) {
  change_.put_groups.push_back(group->row);
  delta_.groups[NameOf(group->row)] = std::move(group);
}

void Txn::DeleteGroup(const GroupPtr& group) {
  change_.delete_groups.emplace_back(group->row.account, group->row.name);
  delta_.groups[NameOf(group->row)] = nullptr;
}

void Txn::PutRole(RolePtr role) {
  change_.put_roles.push_back(role->row);
  delta_.roles[NameOf(role->row)] = std::move(role);
}

void Txn::DeleteRole(const RolePtr& role) {
  change_.delete_roles.emplace_back(role->row.account, role->row.name);
  delta_.roles[NameOf(role->row)] = nullptr;
}

void Txn::PutProvider(ProviderPtr provider) {
  change_.put_providers.push_back(*provider);
  const UserName name{provider->account, provider->host};
  delta_.providers[name] = std::move(provider);
}

void Txn::DeleteProvider(const ProviderPtr& provider) {
  change_.delete_providers.emplace_back(provider->account, provider->host);
  delta_.providers[{provider->account, provider->host}] = nullptr;
}

void Txn::AddGrant(GrantPtr grant) {
  change_.insert_grants.push_back(*grant);
  const GrantName name = GrantName::Of(*grant);
  delta_.grants[name] = std::move(grant);
}

void Txn::DeleteGrant(const GrantPtr& grant) {
  change_.delete_grants.push_back({grant->account, grant->region, grant->key, grant->id});
  delta_.grants[GrantName::Of(*grant)] = nullptr;
}

}  // namespace keyturn::service
