#include "service/tables.h"

#include <mutex>

#include "base/check.h"

namespace keyturn::service {
namespace {

// DueAt: when a key's rotation or deletion is due; nullopt when nothing will happen by itself.
std::optional<TimePoint> DueAt(const keys::Key& key) {
  if (key.state == model::KeyState::kPendingDeletion) return key.deletion_date;
  if (key.state == model::KeyState::kEnabled && key.rotation) return key.rotation->next;
  return std::nullopt;
}

}  // namespace

void Delta::Merge(Delta&& later) {
  for (auto& [name, entry] : later.keys) keys[name] = std::move(entry);
  for (auto& [name, row] : later.aliases) aliases[name] = std::move(row);
  for (auto& [name, user] : later.users) users[name] = std::move(user);
  for (auto& [id, key] : later.access_keys) access_keys[id] = std::move(key);
}

bool Delta::empty() const {
  return keys.empty() && aliases.empty() && users.empty() && access_keys.empty();
}

KeyPtr Tables::FindKey(model::Region region, const model::KeyId& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find({region, id});
  return found == keys_.end() ? nullptr : found->second;
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
  const auto found = users_.find({account, name});
  return found == users_.end() ? nullptr : found->second;
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
  std::vector<UserPtr> users;
  for (auto at = users_.lower_bound({account, {}});
       at != users_.end() && at->first.account == account; ++at) {
    users.push_back(at->second);
  }
  return users;
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

void Tables::IndexTimes(const KeyPtr& before, const KeyPtr& after) {
  const auto old_due = before ? DueAt(before->key) : std::nullopt;
  const auto new_due = after ? DueAt(after->key) : std::nullopt;
  if (old_due == new_due) return;
  if (old_due) {
    const auto at = due_.find(*old_due);
    KT_CHECK(at != due_.end());
    at->second.erase({before->key.region, before->key.id});
    if (at->second.empty()) due_.erase(at);
  }
  if (new_due) due_[*new_due].insert({after->key.region, after->key.id});
}

void Tables::Fill(std::vector<KeyPtr> loaded) {
  const std::unique_lock lock(mutex_);
  KT_CHECK(keys_.empty());
  keys_.reserve(loaded.size());
  for (KeyPtr& entry : loaded) {
    const keys::Key& key = entry->key;
    IndexTimes(nullptr, entry);
    auto& list = key_lists_[{key.account, std::string(key.region.name())}];
    list.emplace_hint(list.end(), key.id);
    const KeyName name{key.region, key.id};
    keys_.emplace(name, std::move(entry));
  }
}

void Tables::Publish(Delta&& delta) {
  const std::unique_lock lock(mutex_);
  for (auto& [name, entry] : delta.keys) {
    KeyPtr& slot = keys_[name];
    IndexTimes(slot, entry);
    const keys::Key& known = entry ? entry->key : slot->key;
    auto& list = key_lists_[{known.account, std::string(name.region.name())}];
    if (entry) {
      list.insert(name.id);
      slot = std::move(entry);
    } else {
      list.erase(name.id);
      keys_.erase(name);
    }
  }
  for (auto& [id, row] : delta.aliases) {
    const auto known = aliases_.find(id);
    if (known != aliases_.end()) {
      aliases_of_[{known->second.region, known->second.target}].erase(id.name);
      if (!row) aliases_.erase(known);
    }
    if (row) {
      aliases_of_[{row->region, row->target}].insert(id.name);
      aliases_.insert_or_assign(id, std::move(*row));
    }
  }
  for (auto& [name, user] : delta.users) {
    if (user) {
      users_[name] = std::move(user);
    } else {
      users_.erase(name);
    }
  }
  for (auto& [id, key] : delta.access_keys) {
    if (key) {
      access_keys_[id] = std::move(key);
    } else {
      access_keys_.erase(id);
    }
  }
}

}  // namespace keyturn::service
