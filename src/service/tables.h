// Tables: everything that is durable, in memory: keys, aliases, users, access keys. Requests read
// here; only the Writer changes it, after the change is on stable storage.
//
// View is the reading side, which both Tables and a transaction in progress (Txn) offer, so that a
// decision is made from the state it will change. Thread-safety: Tables is thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/arn.h"
#include "service/entities.h"
#include "service/grants.h"
#include "service/key_name.h"

namespace keyturn::service {

// AliasId: names are unique within an account and region. Ordered, so that listings are.
struct AliasId {
  model::AccountId account;
  std::string region;
  std::string name;  // with "alias/"
  auto operator<=>(const AliasId&) const = default;
};

// UserName: of a user, group, role or identity provider.
struct UserName {
  model::AccountId account;
  std::string name;
  auto operator<=>(const UserName&) const = default;
};

class View {
 public:
  virtual ~View() = default;
  virtual KeyPtr FindKey(model::Region region, const model::KeyId& id) const = 0;
  // FindRelated: the key and all that share its id in other regions, in order of their regions.
  virtual std::vector<KeyPtr> FindRelated(const model::KeyId& id) const = 0;
  // FindAlias: name with "alias/".
  virtual std::optional<store::AliasRow> FindAlias(const model::AccountId& account,
                                                   model::Region region,
                                                   std::string_view name) const = 0;
  // AliasesOf: the names of a key's aliases, sorted.
  virtual std::vector<store::AliasRow> AliasesOf(const model::AccountId& account,
                                                 model::Region region,
                                                 const model::KeyId& id) const = 0;
  virtual UserPtr FindUser(const model::AccountId& account, const std::string& name) const = 0;
  virtual AccessKeyPtr FindAccessKey(std::string_view id) const = 0;
  virtual GroupPtr FindGroup(const model::AccountId& account, const std::string& name) const = 0;
  virtual RolePtr FindRole(const model::AccountId& account, const std::string& name) const = 0;
  virtual ProviderPtr FindProvider(const model::AccountId& account,
                                   const std::string& host) const = 0;
  // Listings of an account's principals, in order of their names, and of a user's access keys.
  virtual std::vector<UserPtr> ListUsers(const model::AccountId& account) const = 0;
  virtual std::vector<GroupPtr> ListGroups(const model::AccountId& account) const = 0;
  virtual std::vector<RolePtr> ListRoles(const model::AccountId& account) const = 0;
  virtual std::vector<ProviderPtr> ListProviders(const model::AccountId& account) const = 0;
  virtual std::vector<AccessKeyPtr> ListAccessKeys(const model::AccountId& account,
                                                   const std::string& user) const = 0;
  virtual GrantPtr FindGrant(model::Region region, const model::KeyId& key,
                             const std::string& id) const = 0;
  // GrantsOf: a key's grants for exactly this grantee, whatever the partition of its ARN.
  virtual std::vector<GrantPtr> GrantsOf(model::Region region, const model::KeyId& key,
                                         std::string_view grantee) const = 0;
  virtual bool HasGrants(model::Region region, const model::KeyId& key) const = 0;
  virtual CustomKeyStorePtr FindCustomKeyStore(const std::string& id) const = 0;
  // CustomKeyStores: of all accounts and regions, by id. They are few.
  virtual std::vector<CustomKeyStorePtr> CustomKeyStores() const = 0;
  // FindInCustody: the key of a store that has this external key (in a token: this key id).
  virtual std::optional<KeyName> FindInCustody(const std::string& store,
                                               const std::string& external_key) const = 0;
  // KeysInCustody: up to limit keys of a store.
  virtual std::vector<KeyName> KeysInCustody(const std::string& store, std::size_t limit) const = 0;
};

// Seen is how a view shows a key of a custom key store: Unavailable while that is not connected.
KeyPtr Seen(KeyPtr entry, const CustomKeyStorePtr& store);

// CustodyName: what FindInCustody finds a key of a custom key store by.
using CustodyName = std::pair<std::string, std::string>;
CustodyName CustodyNameOf(const keys::Key& key);

// PrincipalExists: whether arn (of IAM or STS, in account) names somebody: the account's root, a
// user, a role, a session whose role exists, a federated user.
bool PrincipalExists(const View& view, const model::AccountId& account, const model::Arn& arn);

// Delta: the differences between two states. A null pointer or empty optional is a removal.
struct Delta {
  std::unordered_map<KeyName, KeyPtr, KeyNameHash> keys;
  std::map<AliasId, std::optional<store::AliasRow>> aliases;
  std::map<UserName, UserPtr> users;
  std::map<std::string, AccessKeyPtr, std::less<>> access_keys;
  std::map<UserName, GroupPtr> groups;
  std::map<UserName, RolePtr> roles;
  std::map<UserName, ProviderPtr> providers;
  std::map<GrantName, GrantPtr, GrantNameLess> grants;
  std::map<std::string, CustomKeyStorePtr> custom_key_stores;

  void Merge(Delta&& later);
  bool empty() const;
};

class Tables final : public View {
 public:
  KeyPtr FindKey(model::Region region, const model::KeyId& id) const override;
  std::vector<KeyPtr> FindRelated(const model::KeyId& id) const override;
  std::optional<store::AliasRow> FindAlias(const model::AccountId& account, model::Region region,
                                           std::string_view name) const override;
  std::vector<store::AliasRow> AliasesOf(const model::AccountId& account, model::Region region,
                                         const model::KeyId& id) const override;
  UserPtr FindUser(const model::AccountId& account, const std::string& name) const override;
  AccessKeyPtr FindAccessKey(std::string_view id) const override;
  GroupPtr FindGroup(const model::AccountId& account, const std::string& name) const override;
  RolePtr FindRole(const model::AccountId& account, const std::string& name) const override;
  ProviderPtr FindProvider(const model::AccountId& account, const std::string& host) const override;
  std::vector<UserPtr> ListUsers(const model::AccountId& account) const override;
  std::vector<GroupPtr> ListGroups(const model::AccountId& account) const override;
  std::vector<RolePtr> ListRoles(const model::AccountId& account) const override;
  std::vector<ProviderPtr> ListProviders(const model::AccountId& account) const override;
  std::vector<AccessKeyPtr> ListAccessKeys(const model::AccountId& account,
                                           const std::string& user) const override;
  GrantPtr FindGrant(model::Region region, const model::KeyId& key,
                     const std::string& id) const override;
  std::vector<GrantPtr> GrantsOf(model::Region region, const model::KeyId& key,
                                 std::string_view grantee) const override;
  bool HasGrants(model::Region region, const model::KeyId& key) const override;
  CustomKeyStorePtr FindCustomKeyStore(const std::string& id) const override;
  std::vector<CustomKeyStorePtr> CustomKeyStores() const override;
  std::optional<KeyName> FindInCustody(const std::string& store,
                                       const std::string& external_key) const override;
  std::vector<KeyName> KeysInCustody(const std::string& store, std::size_t limit) const override;

  // Listings: up to limit entries behind after (empty: from the start), in order of id or name.
  std::vector<model::KeyId> ListKeys(const model::AccountId& account, model::Region region,
                                     std::string_view after, std::size_t limit) const;
  std::vector<store::AliasRow> ListAliases(const model::AccountId& account, model::Region region,
                                           std::string_view after, std::size_t limit) const;
  // ListRegions: where the account has keys, sorted.
  std::vector<std::string> ListRegions(const model::AccountId& account) const;
  std::vector<GrantPtr> ListGrants(model::Region region, const model::KeyId& key,
                                   const std::string& after, std::size_t limit) const;
  std::vector<GrantPtr> ListRetirableGrants(const std::string& principal, model::Region region,
                                            const std::string& after, std::size_t limit) const;
  std::size_t CountGrants(model::Region region, const model::KeyId& key) const;

  // DueKeys: keys to which something happens by itself at now: rotation, deletion, expiry of
  // imported material, the end of a transient state. At most limit.
  std::vector<KeyPtr> DueKeys(TimePoint now, std::size_t limit) const;
  std::size_t key_count() const;
  // CountCustomerKeys of an account in a region, in any state.
  std::size_t CountCustomerKeys(const model::AccountId& account, model::Region region) const;

  // NoteUsage keeps a use of a key, to be stored by and by.
  void NoteUsage(const KeyEntry& entry, const LastUsage& usage) {
    if (entry.materials->usage().Note(usage)) usage_log_.Add({entry.key.region, entry.key.id});
  }
  UsageLog& usage_log() { return usage_log_; }

  // SetRotationDelay: how long an on-demand rotation is under way. Before the first key.
  void SetRotationDelay(Millis delay) { rotation_delay_ = delay; }

  // Fill takes the keys that were loaded, each once, ordered by account, region and id.
  void Fill(std::vector<KeyPtr> loaded);
  // Publish makes a committed change visible.
  void Publish(Delta&& delta);

 private:
  void IndexRegion(const KeyName& name, bool exists);
  void IndexTimes(const KeyPtr& before, const KeyPtr& after);
  void IndexCustody(const KeyPtr& before, const KeyPtr& after);

  mutable std::shared_mutex mutex_;
  std::unordered_map<KeyName, KeyPtr, KeyNameHash> keys_;
  std::map<std::pair<model::AccountId, std::string>, std::set<model::KeyId>> key_lists_;
  std::map<model::KeyId, std::vector<model::Region>> related_;  // of multi-Region keys
  std::map<AliasId, store::AliasRow> aliases_;
  std::unordered_map<KeyName, std::set<std::string>, KeyNameHash> aliases_of_;
  std::map<UserName, UserPtr> users_;
  std::map<std::string, AccessKeyPtr, std::less<>> access_keys_;
  std::map<UserName, GroupPtr> groups_;
  std::map<UserName, RolePtr> roles_;
  std::map<UserName, ProviderPtr> providers_;
  GrantTable grants_;
  std::map<std::string, CustomKeyStorePtr> custom_key_stores_;
  std::map<CustodyName, KeyName> custody_;
  // due_: the instants at which something happens to keys by themselves.
  std::map<TimePoint, std::set<KeyName, KeyNameLess>> due_;
  Millis rotation_delay_ = {};
  UsageLog usage_log_;
};

}  // namespace keyturn::service
