// Tables and Txn: custom key stores and what they hold.
#include <algorithm>

#include "service/writer.h"
#include "service/writer_batch.h"

namespace keyturn::service {
namespace {

KeyPtr WithKey(const KeyPtr& entry, keys::Key key) {
  auto changed = std::make_shared<KeyEntry>(*entry);
  changed->key = std::move(key);
  return changed;
}

}  // namespace

KeyPtr Seen(KeyPtr entry, const CustomKeyStorePtr& store) {
  const bool connected = store && store->connected();
  const bool unavailable = entry->key.state == model::KeyState::kUnavailable;
  if (connected == !unavailable) return entry;
  if (connected) return WithKey(entry, keys::Stored(entry->key));
  return WithKey(entry, keys::WhileDisconnected(entry->key));
}

CustodyName CustodyNameOf(const keys::Key& key) {
  const std::string& external = key.custody->external_key;
  return {key.custody->store, external.empty() ? std::string(key.id.text()) : external};
}

CustomKeyStorePtr Tables::FindCustomKeyStore(const std::string& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = custom_key_stores_.find(id);
  return found == custom_key_stores_.end() ? nullptr : found->second;
}

std::vector<CustomKeyStorePtr> Tables::CustomKeyStores() const {
  const std::shared_lock lock(mutex_);
  std::vector<CustomKeyStorePtr> all;
  for (const auto& [id, store] : custom_key_stores_) all.push_back(store);
  return all;
}

std::optional<KeyName> Tables::FindInCustody(const std::string& store,
                                             const std::string& external_key) const {
  const std::shared_lock lock(mutex_);
  const auto found = custody_.find({store, external_key});
  if (found == custody_.end()) return std::nullopt;
  return found->second;
}

std::vector<KeyName> Tables::KeysInCustody(const std::string& store, std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<KeyName> names;
  for (auto at = custody_.lower_bound({store, {}});
       at != custody_.end() && at->first.first == store && names.size() < limit; ++at) {
    names.push_back(at->second);
  }
  return names;
}

void Tables::IndexCustody(const KeyPtr& before, const KeyPtr& after) {
  if (before && before->key.custody && !after) custody_.erase(CustodyNameOf(before->key));
  if (after && after->key.custody && !before) {
    custody_[CustodyNameOf(after->key)] = {after->key.region, after->key.id};
  }
}

CustomKeyStorePtr Txn::FindCustomKeyStore(const std::string& id) const {
  for (const Delta* delta : Layers()) {
    if (const auto found = delta->custom_key_stores.find(id);
        found != delta->custom_key_stores.end()) {
      return found->second;
    }
  }
  return batch_.writer.tables_.FindCustomKeyStore(id);
}

std::vector<CustomKeyStorePtr> Txn::CustomKeyStores() const {
  std::map<std::string, CustomKeyStorePtr> by_id;
  for (CustomKeyStorePtr& store : batch_.writer.tables_.CustomKeyStores()) {
    by_id[store->row.id] = std::move(store);
  }
  const auto layers = Layers();
  for (auto at = layers.rbegin(); at != layers.rend(); ++at) {
    for (const auto& [id, store] : (*at)->custom_key_stores) by_id[id] = store;
  }
  std::vector<CustomKeyStorePtr> all;
  for (auto& [id, store] : by_id) {
    if (store) all.push_back(std::move(store));
  }
  return all;
}

std::optional<KeyName> Txn::FindInCustody(const std::string& store,
                                          const std::string& external_key) const {
  const CustodyName wanted{store, external_key};
  for (const Delta* delta : Layers()) {
    for (const auto& [name, entry] : delta->keys) {
      if (entry && entry->key.custody && CustodyNameOf(entry->key) == wanted) return name;
    }
  }
  const auto stored = batch_.writer.tables_.FindInCustody(store, external_key);
  // A key that is purged here is not there any more.
  return stored && FindKey(stored->region, stored->id) ? stored : std::nullopt;
}

std::vector<KeyName> Txn::KeysInCustody(const std::string& store, std::size_t limit) const {
  std::vector<KeyName> names;
  for (const Delta* delta : Layers()) {
    for (const auto& [name, entry] : delta->keys) {
      if (entry && entry->key.custody && entry->key.custody->store == store &&
          FindKey(name.region, name.id) && names.size() < limit &&
          std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  // Those that this batch purges are left out, so more are asked for than are wanted.
  const std::size_t staged = delta_.keys.size() + batch_.delta.keys.size();
  for (const KeyName& name : batch_.writer.tables_.KeysInCustody(store, limit + staged)) {
    if (names.size() == limit) break;
    if (FindKey(name.region, name.id) &&
        std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

void Txn::PutCustomKeyStore(CustomKeyStorePtr store) {
  change_.put_custom_key_stores.push_back(store->row);
  const std::string id = store->row.id;
  delta_.custom_key_stores[id] = std::move(store);
}

void Txn::DeleteCustomKeyStore(const CustomKeyStorePtr& store) {
  change_.delete_custom_key_stores.push_back(store->row.id);
  delta_.custom_key_stores[store->row.id] = nullptr;
}

}  // namespace keyturn::service
