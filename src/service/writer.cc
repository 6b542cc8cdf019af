#include "service/writer.h"

#include <algorithm>
#include <condition_variable>
#include <future>

#include "base/check.h"
#include "base/log.h"
#include "service/meta.h"
#include "service/writer_batch.h"

namespace keyturn::service {
namespace {

// Changes that share one commit; more wait for the next.
constexpr std::size_t kBatchJobsMax = 512;
// Trail rows in the store that are in the segment already are removed together: when there are so
// many, or when the trail has grown by so much. A start looks for them a multiple of that far back.
constexpr std::size_t kMovedTrailMax = 1024;
constexpr std::uint64_t kMovedTrailBytesMax = 16ULL << 20;
// What is moved by one append; a longer record goes alone.
constexpr std::size_t kMoveBytesMax = 4U << 20;

store::KeyRef RefOf(const keys::Key& key) { return {key.account, key.region, key.id}; }

store::MaterialRow RowOf(const keys::Key& key, const Material& material) {
  store::MaterialRow row{material.id,         key.id,           key.account,    key.region,
                         material.generation, material.created, material.sealed};
  if (material.import != nullptr) {
    row.valid_to = material.import->valid_to;
    row.description = material.import->description;
  }
  return row;
}

}  // namespace

std::array<const Delta*, 2> Txn::Layers() const { return {&delta_, &batch_.delta}; }

KeyPtr Txn::FindKey(model::Region region, const model::KeyId& id) const {
  const auto staged = [&]() -> KeyPtr {
    for (const Delta* delta : Layers()) {
      if (const auto found = delta->keys.find({region, id}); found != delta->keys.end()) {
        return found->second;
      }
    }
    return batch_.writer.tables_.FindKey(region, id);
  };
  KeyPtr entry = staged();
  if (!entry || !entry->key.custody) return entry;
  const CustomKeyStorePtr store = FindCustomKeyStore(entry->key.custody->store);
  return Seen(std::move(entry), store);
}

std::vector<KeyPtr> Txn::FindRelated(const model::KeyId& id) const {
  std::map<std::string_view, KeyPtr> by_region;
  for (KeyPtr& entry : batch_.writer.tables_.FindRelated(id)) {
    by_region[entry->key.region.name()] = std::move(entry);
  }
  const auto layers = Layers();
  for (auto at = layers.rbegin(); at != layers.rend(); ++at) {
    for (const auto& [name, entry] : (*at)->keys) {
      if (name.id == id) by_region[name.region.name()] = entry;
    }
  }
  std::vector<KeyPtr> related;
  for (auto& [region, entry] : by_region) {
    if (entry) related.push_back(std::move(entry));
  }
  return related;
}

std::optional<store::AliasRow> Txn::FindAlias(const model::AccountId& account, model::Region region,
                                              std::string_view name) const {
  const AliasId id{account, std::string(region.name()), std::string(name)};
  for (const Delta* delta : Layers()) {
    if (const auto found = delta->aliases.find(id); found != delta->aliases.end()) {
      return found->second;
    }
  }
  return batch_.writer.tables_.FindAlias(account, region, name);
}

std::vector<store::AliasRow> Txn::AliasesOf(const model::AccountId& account, model::Region region,
                                            const model::KeyId& id) const {
  std::map<std::string, store::AliasRow> rows;
  for (auto& row : batch_.writer.tables_.AliasesOf(account, region, id)) {
    rows.emplace(row.name, row);
  }
  const auto layers = Layers();
  for (auto at = layers.rbegin(); at != layers.rend(); ++at) {
    const Delta* delta = *at;
    for (const auto& [alias, row] : delta->aliases) {
      if (alias.account != account || alias.region != region.name()) continue;
      rows.erase(alias.name);
      if (row && row->target == id) rows.emplace(alias.name, *row);
    }
  }
  std::vector<store::AliasRow> list;
  list.reserve(rows.size());
  for (auto& [name, row] : rows) list.push_back(std::move(row));
  return list;
}

std::size_t Txn::CountCustomerKeys(const model::AccountId& account, model::Region region) const {
  std::size_t count = batch_.writer.tables_.CountCustomerKeys(account, region);
  std::unordered_map<KeyName, KeyPtr, KeyNameHash> staged;  // newest first
  for (const Delta* delta : Layers()) {
    for (const auto& [name, entry] : delta->keys) {
      if (name.region == region) staged.emplace(name, entry);
    }
  }
  for (const auto& [name, entry] : staged) {
    const KeyPtr stored = batch_.writer.tables_.FindKey(name.region, name.id);
    if (!entry && !stored) continue;  // made and destroyed before the commit
    const keys::Key& key = entry ? entry->key : stored->key;
    if (key.account != account || key.manager != model::KeyManager::kCustomer) continue;
    if (entry && !stored) ++count;
    if (!entry && stored) --count;
  }
  return count;
}

UserPtr Txn::FindUser(const model::AccountId& account, const std::string& name) const {
  for (const Delta* delta : Layers()) {
    if (const auto found = delta->users.find({account, name}); found != delta->users.end()) {
      return found->second;
    }
  }
  return batch_.writer.tables_.FindUser(account, name);
}

AccessKeyPtr Txn::FindAccessKey(std::string_view id) const {
  for (const Delta* delta : Layers()) {
    if (const auto found = delta->access_keys.find(id); found != delta->access_keys.end()) {
      return found->second;
    }
  }
  return batch_.writer.tables_.FindAccessKey(id);
}

void Txn::PutKey(KeyEntry entry) {
  entry.key = keys::Stored(std::move(entry.key));
  change_.put_keys.push_back({entry.key, entry.policy->text, entry.tags});
  entry.key.version += 1;
  const KeyName name{entry.key.region, entry.key.id};
  delta_.keys[name] = std::make_shared<const KeyEntry>(std::move(entry));
}

void Txn::AddMaterial(const keys::Key& key, const Material& material) {
  change_.insert_materials.push_back(RowOf(key, material));
}

void Txn::SetImport(const keys::Key& key, const Material& material) {
  change_.set_imports.push_back(RowOf(key, material));
}

void Txn::DropMaterial(const keys::Key& key, const model::MaterialId& id) {
  change_.drop_materials.push_back({RefOf(key), id});
}

void Txn::AddRotation(const keys::Key& key, std::uint32_t generation, const Rotation& rotation) {
  change_.insert_rotations.push_back(
      {key.id, key.account, key.region, generation, rotation.type, rotation.date});
}

void Txn::PurgeKey(const KeyPtr& entry) {
  const keys::Key& key = entry->key;
  for (const auto& alias : AliasesOf(key.account, key.region, key.id)) {
    delta_.aliases[{alias.account, std::string(alias.region.name()), alias.name}] = std::nullopt;
  }
  change_.purge_keys.push_back(RefOf(key));
  delta_.keys[{key.region, key.id}] = nullptr;
}

void Txn::PutAlias(store::AliasRow row) {
  change_.put_aliases.push_back(row);
  const AliasId id{row.account, std::string(row.region.name()), row.name};
  delta_.aliases[id] = std::move(row);
}

void Txn::DeleteAlias(const store::AliasRow& row) {
  change_.delete_aliases.push_back(row);
  delta_.aliases[{row.account, std::string(row.region.name()), row.name}] = std::nullopt;
}

void Txn::PutUser(UserPtr user) {
  change_.put_users.push_back(user->row);
  const UserName name{user->row.account, user->row.name};
  delta_.users[name] = std::move(user);
}

void Txn::DeleteUser(const UserPtr& user, const std::vector<AccessKeyPtr>& access_keys) {
  for (const AccessKeyPtr& key : access_keys) {
    delta_.access_keys[key->row.id] = nullptr;
  }
  change_.delete_users.emplace_back(user->row.account, user->row.name);
  delta_.users[{user->row.account, user->row.name}] = nullptr;
}

void Txn::PutAccessKey(AccessKeyPtr access_key) {
  change_.put_access_keys.push_back(access_key->row);
  const std::string id = access_key->row.id;
  delta_.access_keys[id] = std::move(access_key);
}

void Txn::DeleteAccessKey(const std::string& id) {
  change_.delete_access_keys.push_back(id);
  delta_.access_keys[id] = nullptr;
}

void Txn::AddTrailLine(std::string event_id, std::string json) {
  change_.insert_trail.push_back({std::move(event_id), std::move(json)});
}

void Txn::AddNotification(store::NotificationRow row) {
  change_.insert_notifications.push_back(std::move(row));
}

void Txn::DeleteNotification(const std::string& id) { change_.delete_notifications.push_back(id); }

void Txn::PutUsage(store::UsageRow row) { change_.put_usage.push_back(std::move(row)); }

Status Txn::CheckTrail() const {
  if (batch_.trail_works || change_.insert_trail.empty()) return {};
  return Fail(ErrorCode::kKMSInternalException, {}, "the audit trail cannot be written");
}

Status Txn::Flush() {
  if (Status audited = CheckTrail(); !audited) {
    Discard();
    return audited;
  }
  batch_.changes.push_back(std::exchange(change_, {}));
  batch_.delta.Merge(std::exchange(delta_, {}));
  return batch_.writer.Commit(batch_);
}

Writer::Writer(store::Store& store, Tables& tables, trail::Trail& trail,
               std::vector<store::TrailRow> pending_trail, std::vector<std::string> moved_trail)
    : store_(store),
      tables_(tables),
      trail_(trail),
      unmoved_trail_(std::move(pending_trail)),
      moved_trail_(std::move(moved_trail)),
      thread_([this] { Loop(); }) {}

Writer::~Writer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Writer::Submit(Work work, Done done) {
  {
    const std::scoped_lock lock(mutex_);
    KT_CHECK(!stopping_);
    queue_.push_back({std::move(work), std::move(done)});
  }
  wake_.notify_one();
}

Status Writer::Run(Work work) {
  std::promise<Status> promise;
  auto result = promise.get_future();
  Submit(std::move(work), [&promise](Status status) { promise.set_value(std::move(status)); });
  return result.get();
}

void Writer::TidyTrail() {
  {
    const std::scoped_lock lock(mutex_);
    tidies_ = true;
  }
  wake_.notify_one();
}

void Writer::Loop() {
  MoveTrail({});
  ForgetMovedTrail();
  for (;;) {
    std::deque<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || tidies_ || !queue_.empty(); });
      tidies_ = false;
      if (queue_.empty() && stopping_) break;
      const auto count = std::min(queue_.size(), kBatchJobsMax);
      const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
      jobs.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
      queue_.erase(queue_.begin(), end);
    }
    RunBatch(std::move(jobs));
    if (IsTimeToForget()) ForgetMovedTrail();
  }
  MoveTrail({});
  ForgetMovedTrail();
}

void Writer::RunBatch(std::deque<Job> jobs) {
  Txn::Batch batch{*this, {}, {}, {}, MoveTrail({})};
  for (Job& job : jobs) {
    Txn txn(batch);
    Status status = job.work(txn);
    if (status) status = txn.CheckTrail();
    job.work = nullptr;  // what it holds must be gone before its caller is told
    if (!status) {
      job.done(std::move(status));
      continue;
    }
    batch.changes.push_back(std::move(txn.change_));
    batch.delta.Merge(std::move(txn.delta_));
    batch.waiting.push_back(std::move(job.done));
  }
  if (!batch.waiting.empty()) (void)Commit(batch);  // tells every waiting caller the result
}

Status Writer::Commit(Txn::Batch& batch) {
  const auto changes = std::exchange(batch.changes, {});
  auto delta = std::exchange(batch.delta, {});
  const auto waiting = std::exchange(batch.waiting, {});
  Status committed;
  if (!changes.empty()) committed = store_.Commit(changes);
  if (committed) {
    tables_.Publish(std::move(delta));
    std::vector<store::TrailRow> rows;
    for (const store::Change& change : changes) {
      rows.insert(rows.end(), change.insert_trail.begin(), change.insert_trail.end());
    }
    batch.trail_works = MoveTrail(std::move(rows));
  } else {
    LogError("a change could not be stored: {} {}: {}", ErrorCodeName(committed.error().code),
             committed.error().message, committed.error().cause);
    committed = Fail(ErrorCode::kKMSInternalException, {}, committed.error().message);
  }
  for (const Done& done : waiting) done(committed);
  return committed;
}

// MoveTrail appends rows to the trail, behind those that wait; false if some of them wait on. They
// are safe in the store meanwhile.
bool Writer::MoveTrail(std::vector<store::TrailRow> rows) {
  unmoved_trail_.insert(unmoved_trail_.end(), std::make_move_iterator(rows.begin()),
                        std::make_move_iterator(rows.end()));
  std::size_t moved = 0;
  while (moved < unmoved_trail_.size()) {
    if (moved > 0 && IsTimeToForget()) ForgetMovedTrail();
    std::string lines;
    std::size_t end = moved;
    do {
      lines.append(unmoved_trail_[end++].json).append("\n");
    } while (end < unmoved_trail_.size() &&
             lines.size() + unmoved_trail_[end].json.size() < kMoveBytesMax);
    const std::uint64_t before = trail_.appended_bytes();
    const Status appended = trail_.Append(lines);
    if (appended.has_value() == trail_fails_) {
      trail_fails_ = !appended;
      if (!appended) {
        LogError("the trail cannot be written; changes are refused: {}", appended.error().message);
      } else {
        LogInfo("the trail can be written again");
      }
    }
    if (!appended) break;
    if (moved_trail_.empty()) moved_from_ = before;
    for (; moved < end; ++moved) {
      moved_trail_.push_back(std::move(unmoved_trail_[moved].event_id));
    }
  }
  unmoved_trail_.erase(unmoved_trail_.begin(),
                       unmoved_trail_.begin() + static_cast<std::ptrdiff_t>(moved));
  return unmoved_trail_.empty();
}

bool Writer::IsTimeToForget() const {
  return !moved_trail_.empty() && (moved_trail_.size() >= kMovedTrailMax ||
                                   trail_.appended_bytes() - moved_from_ >= kMovedTrailBytesMax);
}

void Writer::ForgetMovedTrail() {
  if (moved_trail_.empty()) return;
  const trail::Head head = trail_.head();
  if (!trail_.Sync()) return;  // they stay in the store until the segment is on stable storage
  store::Change change;
  change.delete_trail = moved_trail_;
  change.put_meta.emplace_back(kTrailHeadMeta, EncodeTrailHead(head));
  if (store_.Commit({&change, 1})) moved_trail_.clear();
}

Bytes EncodeTrailHead(const trail::Head& head) {
  const std::string text = std::to_string(head.sequence) + " " + head.mac_hex;
  const ByteView bytes = AsBytes(text);
  return {bytes.begin(), bytes.end()};
}

trail::Head DecodeTrailHead(ByteView bytes) {
  const std::string text(AsText(bytes));
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return {};
  return {std::strtoull(text.c_str(), nullptr, 10), text.substr(space + 1)};
}

}  // namespace keyturn::service
