#include "service/tables.h"

#include <algorithm>
#include <mutex>

#include "base/check.h"

namespace keyturn::service {
namespace {

// DueAt: when something happens to a key by itself; nullopt when nothing will.
std::optional<TimePoint> DueAt(const KeyEntry& entry, Millis rotation_delay) {
  const keys::Key& key = entry.key;
  std::optional<TimePoint> due = key.settles;
  const auto also = [&](const std::optional<TimePoint>& at) {
    if (at && (!due || *at < *due)) due = at;
  };
  if (key.state == model::KeyState::kPendingDeletion) also(key.deletion_date);
  if (key.state == model::KeyState::kEnabled && key.rotation) also(key.rotation->next);
  if (key.on_demand_started) also(*key.on_demand_started + rotation_delay);
  if (key.origin == model::Origin::kExternal) also(keys::EarliestExpiry(key, ImportsOf(entry)));
  return due;
}

// Get and List are the same for every kind of principal.
template <typename Ptr>
Ptr Get(const std::map<UserName, Ptr>& map, const model::AccountId& account,
        const std::string& name) {
  const auto found = map.find({account, name});
  return found == map.end() ? nullptr : found->second;
}

template <typename Ptr>
std::vector<Ptr> List(const std::map<UserName, Ptr>& map, const model::AccountId& account) {
  std::vector<Ptr> list;
  for (auto at = map.lower_bound({account, {}}); at != map.end() && at->first.account == account;
       ++at) {
    list.push_back(at->second);
  }
  return list;
}

// PublishAll moves the entries of a delta into a table; null takes one away.
template <typename Map>
void PublishAll(Map& from, Map& to) {
  for (auto& [name, entry] : from) {
    if (entry) {
      to[name] = std::move(entry);
    } else {
      to.erase(name);
    }
  }
}

}  // namespace

bool PrincipalExists(const View& view, const model::AccountId& account, const model::Arn& arn) {
  constexpr std::string_view kUser = "user/";
  constexpr std::string_view kRole = "role/";
  constexpr std::string_view kSession = "assumed-role/";
  const std::string_view resource = arn.resource;
  if (arn.service == "sts") {
    if (resource.starts_with("federated-user/")) return true;
    if (!resource.starts_with(kSession)) return false;
    const std::string_view rest = resource.substr(kSession.size());
    const std::size_t slash = rest.find('/');
    return slash != std::string_view::npos && slash + 1 < rest.size() &&
           view.FindRole(account, std::string(rest.substr(0, slash))) != nullptr;
  }
  if (resource == "root") return true;
  if (resource.starts_with(kUser)) {
    return view.FindUser(account, std::string(resource.substr(kUser.size()))) != nullptr;
  }
  if (!resource.starts_with(kRole)) return false;
  const std::size_t name = resource.rfind('/') + 1;
  const RolePtr role = view.FindRole(account, std::string(resource.substr(name)));
  return role && resource.substr(kRole.size() - 1, name - kRole.size() + 1) == role->row.path;
}

void Delta::Merge(Delta&& later) {
  for (auto& [name, entry] : later.keys) keys[name] = std::move(entry);
  for (auto& [name, row] : later.aliases) aliases[name] = std::move(row);
  for (auto& [name, user] : later.users) users[name] = std::move(user);
  for (auto& [id, key] : later.access_keys) access_keys[id] = std::move(key);
  for (auto& [name, group] : later.groups) groups[name] = std::move(group);
  for (auto& [name, role] : later.roles) roles[name] = std::move(role);
  for (auto& [name, provider] : later.providers) providers[name] = std::move(provider);
  for (auto& [name, grant] : later.grants) grants[name] = std::move(grant);
  for (auto& [id, store] : later.custom_key_stores) custom_key_stores[id] = std::move(store);
}

bool Delta::empty() const {
  return keys.empty() && aliases.empty() && users.empty() && access_keys.empty() &&
         groups.empty() && roles.empty() && providers.empty() && grants.empty() &&
         custom_key_stores.empty();
}

KeyPtr Tables::FindKey(model::Region region, const model::KeyId& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find({region, id});
  if (found == keys_.end()) return nullptr;
  const KeyPtr& entry = found->second;
  if (!entry->key.custody) return entry;
  const auto store = custom_key_stores_.find(entry->key.custody->store);
  return Seen(entry, store == custom_key_stores_.end() ? nullptr : store->second);
}

std::vector<KeyPtr> Tables::FindRelated(const model::KeyId& id) const {
  const std::shared_lock lock(mutex_);
  std::vector<KeyPtr> related;
  const auto found = related_.find(id);
  if (found == related_.end()) return related;
  for (const model::Region region : found->second) related.push_back(keys_.at({region, id}));
  return related;
}

std::optional<store::AliasRow> Tables::FindAlias(const model::AccountId& account,
                                                 model::Region region,
                                                 std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = aliases_.find({account, std::string(region.name()), std::string(name)});
  if (found == aliases_.end()) return std::nullopt;
  return found->second;
}

std::vector<store::AliasRow> Tables::AliasesOf(const model::AccountId& account,
                                               model::Region region, const model::KeyId& id) const {
  const std::shared_lock lock(mutex_);
  std::vector<store::AliasRow> rows;
  const auto found = aliases_of_.find({region, id});
  if (found == aliases_of_.end()) return rows;
  for (const std::string& name : found->second) {
    rows.push_back(aliases_.at({account, std::string(region.name()), name}));
  }
  return rows;
}

UserPtr Tables::FindUser(const model::AccountId& account, const std::string& name) const {
  const std::shared_lock lock(mutex_);
  return Get(users_, account, name);
}

AccessKeyPtr Tables::FindAccessKey(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto found = access_keys_.find(id);
  return found == access_keys_.end() ? nullptr : found->second;
}

std::vector<model::KeyId> Tables::ListKeys(const model::AccountId& account, model::Region region,
                                           std::string_view after, std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<model::KeyId> ids;
  const auto list = key_lists_.find({account, std::string(region.name())});
  if (list == key_lists_.end()) return ids;
  const auto start = model::KeyId::Parse(after);
  auto at = start ? list->second.upper_bound(*start) : list->second.begin();
  for (; at != list->second.end() && ids.size() < limit; ++at) ids.push_back(*at);
  return ids;
}

std::vector<std::string> Tables::ListRegions(const model::AccountId& account) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> regions;
  for (auto list = key_lists_.lower_bound({account, {}});
       list != key_lists_.end() && list->first.first == account; ++list) {
    if (!list->second.empty()) regions.push_back(list->first.second);
  }
  return regions;
}

std::vector<store::AliasRow> Tables::ListAliases(const model::AccountId& account,
                                                 model::Region region, std::string_view after,
                                                 std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<store::AliasRow> rows;
  const std::string region_name(region.name());
  auto at = aliases_.upper_bound({account, region_name, std::string(after)});
  for (; at != aliases_.end() && rows.size() < limit; ++at) {
    if (at->first.account != account || at->first.region != region_name) break;
    rows.push_back(at->second);
  }
  return rows;
}

std::vector<UserPtr> Tables::ListUsers(const model::AccountId& account) const {
  const std::shared_lock lock(mutex_);
  return List(users_, account);
}

std::vector<AccessKeyPtr> Tables::ListAccessKeys(const model::AccountId& account,
                                                 const std::string& user) const {
  const std::shared_lock lock(mutex_);
  std::vector<AccessKeyPtr> keys;
  for (const auto& [id, key] : access_keys_) {
    if (key->row.account == account && key->row.user == user) keys.push_back(key);
  }
  return keys;
}

std::vector<KeyPtr> Tables::DueKeys(TimePoint now, std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<KeyPtr> due;
  for (const auto& [at, names] : due_) {
    if (at > now) break;
    for (const KeyName& name : names) {
      if (due.size() == limit) return due;
      due.push_back(keys_.at(name));
    }
  }
  return due;
}

std::size_t Tables::key_count() const {
  const std::shared_lock lock(mutex_);
  return keys_.size();
}

std::size_t Tables::CountCustomerKeys(const model::AccountId& account, model::Region region) const {
  const std::shared_lock lock(mutex_);
  const auto found = key_lists_.find({account, std::string(region.name())});
  if (found == key_lists_.end()) return 0;
  // Every AWS managed key has one alias of this form, and no other key has.
  constexpr std::string_view kAwsAlias = "alias/aws/";
  std::size_t aws_managed = 0;
  for (auto at =
           aliases_.lower_bound({account, std::string(region.name()), std::string(kAwsAlias)});
       at != aliases_.end() && at->first.account == account && at->first.region == region.name() &&
       at->first.name.starts_with(kAwsAlias);
       ++at) {
    ++aws_managed;
  }
  return found->second.size() - aws_managed;
}

void Tables::IndexTimes(const KeyPtr& before, const KeyPtr& after) {
  const auto old_due = before ? DueAt(*before, rotation_delay_) : std::nullopt;
  const auto new_due = after ? DueAt(*after, rotation_delay_) : std::nullopt;
  if (old_due == new_due) return;
  if (old_due) {
    const auto at = due_.find(*old_due);
    KT_CHECK(at != due_.end());
    at->second.erase({before->key.region, before->key.id});
    if (at->second.empty()) due_.erase(at);
  }
  if (new_due) due_[*new_due].insert({after->key.region, after->key.id});
}

void Tables::IndexRegion(const KeyName& name, bool exists) {
  if (!name.id.is_multi_region()) return;
  std::vector<model::Region>& regions = related_[name.id];
  std::erase(regions, name.region);
  if (exists) {
    const auto place =
        std::lower_bound(regions.begin(), regions.end(), name.region,
                         [](model::Region a, model::Region b) { return a.name() < b.name(); });
    regions.insert(place, name.region);
  }
  if (regions.empty()) related_.erase(name.id);
}

void Tables::Fill(std::vector<KeyPtr> loaded) {
  const std::unique_lock lock(mutex_);
  KT_CHECK(keys_.empty());
  keys_.reserve(loaded.size());
  for (KeyPtr& entry : loaded) {
    const keys::Key& key = entry->key;
    IndexTimes(nullptr, entry);
    IndexCustody(nullptr, entry);
    auto& list = key_lists_[{key.account, std::string(key.region.name())}];
    list.emplace_hint(list.end(), key.id);
    const KeyName name{key.region, key.id};
    IndexRegion(name, true);
    keys_.emplace(name, std::move(entry));
  }
}

void Tables::Publish(Delta&& delta) {
  const std::unique_lock lock(mutex_);
  for (auto& [name, entry] : delta.keys) {
    KeyPtr& slot = keys_[name];
    IndexTimes(slot, entry);
    IndexCustody(slot, entry);
    const keys::Key& known = entry ? entry->key : slot->key;
    auto& list = key_lists_[{known.account, std::string(name.region.name())}];
    IndexRegion(name, entry != nullptr);
    if (entry) {
      list.insert(name.id);
      slot = std::move(entry);
    } else {
      list.erase(name.id);
      grants_.RemoveKey(name);
      keys_.erase(name);
    }
  }
  for (auto& [id, row] : delta.aliases) {
    const auto known = aliases_.find(id);
    if (known != aliases_.end()) {
      const auto of_key = aliases_of_.find({known->second.region, known->second.target});
      KT_CHECK(of_key != aliases_of_.end());
      of_key->second.erase(id.name);
      if (of_key->second.empty()) aliases_of_.erase(of_key);
      if (!row) aliases_.erase(known);
    }
    if (row) {
      aliases_of_[{row->region, row->target}].insert(id.name);
      aliases_.insert_or_assign(id, std::move(*row));
    }
  }
  PublishAll(delta.users, users_);
  PublishAll(delta.access_keys, access_keys_);
  PublishAll(delta.groups, groups_);
  PublishAll(delta.roles, roles_);
  PublishAll(delta.providers, providers_);
  PublishAll(delta.custom_key_stores, custom_key_stores_);
  for (const auto& [name, grant] : delta.grants) {
    if (!grant) {
      grants_.Remove(name);
    } else if (keys_.contains({grant->region, grant->key})) {
      grants_.Put(grant);
    }
  }
}

GroupPtr Tables::FindGroup(const model::AccountId& account, const std::string& name) const {
  const std::shared_lock lock(mutex_);
  return Get(groups_, account, name);
}

RolePtr Tables::FindRole(const model::AccountId& account, const std::string& name) const {
  const std::shared_lock lock(mutex_);
  return Get(roles_, account, name);
}

ProviderPtr Tables::FindProvider(const model::AccountId& account, const std::string& host) const {
  const std::shared_lock lock(mutex_);
  return Get(providers_, account, host);
}

GrantPtr Tables::FindGrant(model::Region region, const model::KeyId& key,
                           const std::string& id) const {
  const std::shared_lock lock(mutex_);
  return grants_.Find({{region, key}, id});
}

std::vector<GrantPtr> Tables::GrantsOf(model::Region region, const model::KeyId& key,
                                       std::string_view grantee) const {
  const std::shared_lock lock(mutex_);
  return grants_.OfGrantee({region, key}, grantee);
}

bool Tables::HasGrants(model::Region region, const model::KeyId& key) const {
  const std::shared_lock lock(mutex_);
  return grants_.HasAny({region, key});
}

std::vector<GroupPtr> Tables::ListGroups(const model::AccountId& account) const {
  const std::shared_lock lock(mutex_);
  return List(groups_, account);
}

std::vector<RolePtr> Tables::ListRoles(const model::AccountId& account) const {
  const std::shared_lock lock(mutex_);
  return List(roles_, account);
}

std::vector<ProviderPtr> Tables::ListProviders(const model::AccountId& account) const {
  const std::shared_lock lock(mutex_);
  return List(providers_, account);
}

std::vector<GrantPtr> Tables::ListGrants(model::Region region, const model::KeyId& key,
                                         const std::string& after, std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  return grants_.OfKey({region, key}, after, limit);
}

std::vector<GrantPtr> Tables::ListRetirableGrants(const std::string& principal,
                                                  model::Region region, const std::string& after,
                                                  std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  return grants_.OfRetirer(principal, region, after, limit);
}

std::size_t Tables::CountGrants(model::Region region, const model::KeyId& key) const {
  const std::shared_lock lock(mutex_);
  return grants_.CountOfKey({region, key});
}

}  // namespace keyturn::service
