// Writer: the only way to change durable state. One thread takes all changes that wait, runs each
// against the state that the ones before it leave, commits them together, publishes them in memory,
// and then tells their callers: durable before acknowledged, one sync for many.
//
// Audit records are committed with the changes that they are about, and moved to the trail after
// the commit. While some of them cannot be moved, changes that have records are refused.
//
// Thread-safety: Submit from any thread; Work and Done run on the writer's thread.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "service/tables.h"
#include "store/store.h"
#include "trail/trail.h"

namespace keyturn::service {

// Txn: one caller's changes, on top of those that go into the same commit before it. Nothing staged
// counts unless Work succeeds.
class Txn final : public View {
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
  // CountGrants counts what is stored and what is staged.
  std::size_t CountGrants(model::Region region, const model::KeyId& key) const;
  // CountCustomerKeys: likewise; AWS managed keys do not count.
  std::size_t CountCustomerKeys(const model::AccountId& account, model::Region region) const;

  // PutKey stages entry, whose key.version is the one that was read (0: a new key).
  void PutKey(KeyEntry entry);
  // AddMaterial stages a material row for a key that exists or is put in this transaction.
  void AddMaterial(const keys::Key& key, const Material& material);
  // SetImport stages what changes of an imported material: its bytes, expiry, description.
  void SetImport(const keys::Key& key, const Material& material);
  void DropMaterial(const keys::Key& key, const model::MaterialId& id);
  void AddRotation(const keys::Key& key, std::uint32_t generation, const Rotation& rotation);
  // PurgeKey destroys the key, its materials, history and aliases.
  void PurgeKey(const KeyPtr& entry);
  void PutAlias(store::AliasRow row);
  void DeleteAlias(const store::AliasRow& row);
  void PutUser(UserPtr user);
  // DeleteUser removes the user with its access keys.
  void DeleteUser(const UserPtr& user, const std::vector<AccessKeyPtr>& access_keys);
  void PutGroup(GroupPtr group);
  void DeleteGroup(const GroupPtr& group);
  void PutRole(RolePtr role);
  void DeleteRole(const RolePtr& role);
  void PutProvider(ProviderPtr provider);
  void DeleteProvider(const ProviderPtr& provider);
  void AddGrant(GrantPtr grant);
  void DeleteGrant(const GrantPtr& grant);
  void PutCustomKeyStore(CustomKeyStorePtr store);
  void DeleteCustomKeyStore(const CustomKeyStorePtr& store);
  void PutAccessKey(AccessKeyPtr access_key);
  void DeleteAccessKey(const std::string& id);
  // AddTrailLine puts an audit record (without line end) into the commit.
  void AddTrailLine(std::string event_id, std::string json);

  // AddNotification stages an event for the webhook.
  void AddNotification(store::NotificationRow row);
  // DeleteNotification: it was delivered.
  void DeleteNotification(const std::string& id);
  // PutUsage stages when a key was last used.
  void PutUsage(store::UsageRow row);

  // Discard forgets what this transaction has staged so far; what follows counts.
  void Discard() {
    change_ = {};
    delta_ = {};
  }
  // Flush commits what this and the transactions before it have staged, now; then the work goes on.
  // On failure everything that this transaction has staged so far is gone and Work must fail.
  Status Flush();

 private:
  friend class Writer;
  struct Batch;
  explicit Txn(Batch& batch) : batch_(batch) {}
  // Layers: what is staged, newest first; the tables are below them.
  std::array<const Delta*, 2> Layers() const;
  // CheckTrail refuses what has audit records while older ones cannot be moved to the trail.
  Status CheckTrail() const;

  Batch& batch_;
  store::Change change_;
  Delta delta_;
};

// EncodeTrailHead, DecodeTrailHead: the value of the store's "trail-head", the chain's end when
// records were last moved.
Bytes EncodeTrailHead(const trail::Head& head);
trail::Head DecodeTrailHead(ByteView bytes);

class Writer {
 public:
  using Work = std::function<Status(Txn&)>;
  using Done = std::function<void(Status)>;

  // The references must outlive the writer. pending_trail: records that a former process committed
  // and that are not in the trail yet; written first. moved_trail: ids of those that are.
  Writer(store::Store& store, Tables& tables, trail::Trail& trail,
         std::vector<store::TrailRow> pending_trail, std::vector<std::string> moved_trail = {});
  // ~Writer finishes what was submitted, and moves all trail records to their segment.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Submit queues work; done is called with its result after the commit.
  void Submit(Work work, Done done);
  // Run is Submit and wait. Not from the writer's own thread.
  Status Run(Work work);
  // TidyTrail makes the thread look after the trail's records also when no change comes: those that
  // wait are tried again, and those that the trail has had for long leave the store. Returns at
  // once; called about every second.
  void TidyTrail();

 private:
  friend class Txn;
  struct Job {
    Work work;
    Done done;
  };

  void Loop();
  void RunBatch(std::deque<Job> jobs);
  Status Commit(Txn::Batch& batch);
  bool MoveTrail(std::vector<store::TrailRow> rows);
  bool IsTimeToForget() const;
  void ForgetMovedTrail();

  store::Store& store_;
  Tables& tables_;
  trail::Trail& trail_;
  std::vector<store::TrailRow> unmoved_trail_;  // committed, not in the segment (its write failed)
  std::vector<std::string> moved_trail_;        // in the segment, still in the store
  std::uint64_t moved_from_ = 0;  // the trail's appended_bytes before the first of them
  bool trail_fails_ = false;      // and that has been logged

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  bool tidies_ = false;
  std::thread thread_;
};

}  // namespace keyturn::service
