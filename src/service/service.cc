#include "service/service.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/log.h"
#include "keys/rotation.h"
#include "service/access_keys.h"
#include "service/custom_key_stores.h"
#include "service/events.h"
#include "service/key_material.h"
#include "service/meta.h"
#include "service/principals.h"
#include "service/root_key.h"

namespace keyturn::service {
namespace {

// How far back the trail is searched for records that a crashed process had written already. The
// writer forgets them after 16 MiB, but looks only after a batch of changes and at each tick.
constexpr std::uint64_t kTrailTailBytes = 128ULL << 20;

// With a sync before each answer, the segments are synced in small pieces, which hold those syncs
// up for less.
constexpr Millis kSegmentSyncDelay{30};

// ReadTrailMeta returns the domain key and the trail's head, also beside a running server.
Result<std::vector<std::optional<Bytes>>> ReadTrailMeta(const std::filesystem::path& directory) {
  const std::string keys[] = {kDomainKeyMeta, kTrailHeadMeta};
  const auto store = store::OpenSqlite(directory, {});
  if (!store) {
    if (store.error().code == ErrorCode::kLocked) return store::ReadMetaInUse(directory, keys);
    return Fail(store.error());
  }
  std::vector<std::optional<Bytes>> values;
  for (const std::string& key : keys) {
    KT_ASSIGN(auto value, (*store)->ReadMeta(key));
    values.push_back(std::move(value));
  }
  return values;
}

// The store's "usage-since": milliseconds since 1970, in decimal.
constexpr std::string_view kUsageSince = "usage-since";

// RoomyHeap lets the heap grow in large steps while many small things are loaded: huge pages can
// back them then, where touching each small page of a hundred megabytes for the first time was a
// third of the time of a start. What is not used in the end is given back.
class RoomyHeap {
 public:
  RoomyHeap() { mallopt(M_TOP_PAD, 64 << 20); }
  ~RoomyHeap() {
    mallopt(M_TOP_PAD, kUsualPadBytes);
    malloc_trim(0);
  }
  RoomyHeap(const RoomyHeap&) = delete;
  RoomyHeap& operator=(const RoomyHeap&) = delete;

 private:
  static constexpr int kUsualPadBytes = 128 << 10;  // glibc's
};

// Follower finds the keys of rows that come in the order of the keys.
class Follower {
 public:
  explicit Follower(const std::vector<std::shared_ptr<KeyEntry>>& entries) : entries_(entries) {}
  // Find returns null when no key from the last one on has that name.
  KeyEntry* Find(model::Region region, const model::KeyId& id) {
    for (; at_ < entries_.size(); ++at_) {
      const keys::Key& key = entries_[at_]->key;
      if (key.id == id && key.region == region) return entries_[at_].get();
    }
    return nullptr;
  }

 private:
  const std::vector<std::shared_ptr<KeyEntry>>& entries_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Bytes> DomainKeyOf(std::optional<Bytes> wrapped, const std::filesystem::path& directory) {
  if (!wrapped) {
    return Fail(ErrorCode::kCorrupt, directory.string() +
                                         " is not initialised: `keyturn init` did not finish; "
                                         "remove the directory and run it again");
  }
  return std::move(*wrapped);
}

Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::Open(const OpenOptions& options, const Clock& clock,
                                               RandomSource& random) {
  std::unique_ptr<Service> service(new Service());
  KT_ASSIGN(const crypto::Key256 root, LoadRootKey(options.directory, options.passphrase));
  service->directory_ = options.directory;
  KT_ASSIGN(service->store_,
            store::OpenSqlite(options.directory, {.quick_check = store::QuickCheck::kWithLoad}));
  KT_ASSIGN(auto stored, service->store_->ReadMeta(kDomainKeyMeta));
  KT_ASSIGN(const Bytes wrapped, DomainKeyOf(std::move(stored), options.directory));
  KT_ASSIGN(Keyring keyring, Keyring::Unwrap(root, wrapped));
  service->keyring_ = std::make_unique<Keyring>(std::move(keyring));
  service->tables_.SetRotationDelay(options.settle_delay);
  {
    const RoomyHeap roomy;
    KT_TRY(service->Load());
  }

  trail::Options trail_options;
  trail_options.directory = options.directory;
  trail_options.sync = options.trail_sync;
  if (options.trail_sync == trail::SyncMode::kAlways) {
    trail_options.sync_delay = kSegmentSyncDelay;
  }
  service->trail_sync_ = options.trail_sync;
  KT_ASSIGN(service->trail_,
            trail::Trail::Open(trail_options, service->keyring_->TrailKey(), service->trail_head_));
  std::vector<std::string> moved_trail;
  if (!service->pending_trail_.empty()) {
    KT_ASSIGN(const auto recent, service->trail_->RecentEventIds(kTrailTailBytes));
    const std::set<std::string_view> written(recent.begin(), recent.end());
    std::erase_if(service->pending_trail_, [&](const store::TrailRow& row) {
      const bool moved = written.contains(row.event_id);
      if (moved) moved_trail.push_back(row.event_id);
      return moved;
    });
  }
  KT_TRY(service->StartUsageTracking(clock));
  if (!options.attestation_roots.empty()) {
    KT_ASSIGN(auto roots, crypto::AttestationRoots::FromPem(options.attestation_roots));
    service->attestation_roots_ = std::make_unique<crypto::AttestationRoots>(std::move(roots));
  }
  if (options.quotas.limits_requests()) {
    service->limiter_ = std::make_unique<RequestLimiter>(options.quotas);
  }
  service->environment_ = std::make_unique<Environment>(
      Environment{clock, random, *service->keyring_, *service->store_, service->tables_,
                  service->policies_, options.settle_delay, service->usage_since_, options.quotas,
                  service->limiter_.get(), service->attestation_roots_.get(), options.notifies,
                  options.aws_managed_keys_on_first_use, options.outside.get()});
  service->outside_ = options.outside;
  service->writer_ =
      std::make_unique<Writer>(*service->store_, service->tables_, *service->trail_,
                               std::move(service->pending_trail_), std::move(moved_trail));
  return service;
}

Status Service::StartUsageTracking(const Clock& clock) {
  usage_saved_ = clock.Now();
  KT_ASSIGN(const auto since, store_->ReadMeta(std::string(kUsageSince)));
  if (since) {
    usage_since_ = FromEpochMillis(std::strtoll(std::string(AsText(*since)).c_str(), nullptr, 10));
    return {};
  }
  usage_since_ = usage_saved_;
  const std::string text = std::to_string(ToEpochMillis(usage_since_));
  const ByteView bytes = AsBytes(text);
  store::Change change;
  change.put_meta.emplace_back(std::string(kUsageSince), Bytes(bytes.begin(), bytes.end()));
  return store_->Commit({&change, 1});
}

Status Service::Load() {
  // Rows arrive in the order of store::Visitors: a key before its materials. An entry stays open to
  // change until all is read.
  Delta delta;
  std::vector<std::shared_ptr<KeyEntry>> entries;
  Follower of_materials(entries);
  Follower of_rotations(entries);
  Follower of_usage(entries);
  Status status;
  const auto keep = [&](const Status& step) {
    if (status && !step) status = step;
  };
  std::shared_ptr<const std::string> last_text;
  std::shared_ptr<const KeyPolicy> last_policy;
  store::Visitors visitors;
  visitors.meta = [&](const std::string& key, const Bytes& value) {
    if (key == kTrailHeadMeta) trail_head_ = DecodeTrailHead(value);
    if (key == "account") {
      operator_account_ = model::AccountId::Parse(AsText(value)).value_or(model::AccountId());
    }
  };
  visitors.group = [&](store::GroupRow row) {
    auto group = MakeGroup(std::move(row));
    if (!group) return keep(Fail(group.error()));
    delta.groups[{(*group)->row.account, (*group)->row.name}] = *group;
  };
  visitors.role = [&](store::RoleRow row) {
    auto role = MakeRole(std::move(row));
    if (!role) return keep(Fail(role.error()));
    delta.roles[{(*role)->row.account, (*role)->row.name}] = *role;
  };
  visitors.provider = [&](store::ProviderRow row) {
    const UserName name{row.account, row.host};
    delta.providers[name] = std::make_shared<const store::ProviderRow>(std::move(row));
  };
  visitors.grant = [&](store::GrantRow row) {
    const GrantName name = GrantName::Of(row);
    delta.grants[name] = std::make_shared<const store::GrantRow>(std::move(row));
  };
  visitors.user = [&](store::UserRow row) {
    auto user = MakeUser(std::move(row));
    if (!user) return keep(Fail(user.error()));
    delta.users[{(*user)->row.account, (*user)->row.name}] = *user;
  };
  visitors.access_key = [&](store::AccessKeyRow row) {
    auto key = std::make_shared<AccessKey>();
    auto secret = keyring_->OpenAccessKeySecret(row.id, row.sealed_secret);
    if (!secret) return keep(Fail(secret.error()));
    key->secret = std::move(*secret);
    key->row = std::move(row);
    delta.access_keys[key->row.id] = key;
  };
  visitors.custom_key_store = [&](store::CustomKeyStoreRow row) {
    auto made = MakeCustomKeyStore(*keyring_, std::move(row));
    if (!made) return keep(Fail(made.error()));
    delta.custom_key_stores[(*made)->row.id] = *made;
  };
  visitors.key = [&](store::KeyRow row) {
    if (row.policy_text != last_text) {
      auto policy = policies_.Get(*row.policy_text);
      if (!policy) return keep(Fail(policy.error()));
      last_text = row.policy_text;
      last_policy = *policy;
    }
    auto entry = std::make_shared<KeyEntry>();
    entry->key = std::move(row.key);
    entry->policy = last_policy;
    entry->tags = std::move(row.tags);
    entry->materials = std::make_shared<MaterialSet>();
    entries.push_back(std::move(entry));
  };
  visitors.material = [&](store::MaterialRow row) {
    KeyEntry* const entry = of_materials.Find(row.region, row.key);
    if (entry == nullptr || row.generation != entry->materials->size()) {
      return keep(Fail(ErrorCode::kCorrupt, "key material without its key, or out of order"));
    }
    auto material = std::make_shared<Material>();
    material->id = row.id;
    material->generation = row.generation;
    material->created = row.created;
    material->sealed = std::move(row.sealed);
    if (entry->key.origin == model::Origin::kExternal) {
      material->import = std::make_unique<const ImportFacts>(
          ImportFacts{.valid_to = row.valid_to, .description = std::move(row.description)});
    }
    entry->materials->Add(material);
    if (row.generation == entry->key.generation) {
      entry->current = std::move(material);
    }
  };
  visitors.rotation = [&](const store::RotationRow& row) {
    KeyEntry* const entry = of_rotations.Find(row.region, row.key);
    if (entry == nullptr || row.generation == 0) {
      return keep(Fail(ErrorCode::kCorrupt, "rotation history without its key"));
    }
    entry->materials->NoteRotation(row.generation, {row.type, row.date});
  };
  visitors.usage = [&](const store::UsageRow& row) {
    KeyEntry* const entry = of_usage.Find(row.region, row.key);
    const std::string_view operation = TrackedUsage(row.operation);
    LastUsage usage{operation, row.date};
    if (entry == nullptr || operation.empty() || row.event_id.size() != usage.event_id.size() ||
        row.request_id.size() != usage.request_id.size()) {
      return keep(Fail(ErrorCode::kCorrupt, "a last use that makes no sense"));
    }
    std::copy(row.event_id.begin(), row.event_id.end(), usage.event_id.begin());
    std::copy(row.request_id.begin(), row.request_id.end(), usage.request_id.begin());
    entry->materials->usage().Restore(usage);
  };
  visitors.alias = [&](store::AliasRow row) {
    const AliasId id{row.account, std::string(row.region.name()), row.name};
    delta.aliases[id] = std::move(row);
  };
  visitors.trail = [&](store::TrailRow row) { pending_trail_.push_back(std::move(row)); };
  KT_TRY(store_->Load(visitors));
  KT_TRY(status);
  for (const auto& entry : entries) {
    const bool waits =
        (entry->key.origin == model::Origin::kExternal && !entry->key.has_material()) ||
        entry->key.origin == model::Origin::kAwsCloudhsm;
    if (waits && entry->materials->size() > 0) {
      return Fail(ErrorCode::kCorrupt, "key " + entry->key.arn() + " has material of no use");
    }
    if (!waits && (!entry->current || entry->current->id != entry->key.current_material)) {
      return Fail(ErrorCode::kCorrupt, "key " + entry->key.arn() + " lacks its current material");
    }
  }
  tables_.Fill({std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end())});
  tables_.Publish(std::move(delta));
  return {};
}

Result<TrailAccess> OpenTrailAccess(const OpenOptions& options) {
  KT_ASSIGN(const crypto::Key256 root, LoadRootKey(options.directory, options.passphrase));
  KT_ASSIGN(auto stored, ReadTrailMeta(options.directory));
  KT_ASSIGN(const Bytes wrapped, DomainKeyOf(std::move(stored[0]), options.directory));
  KT_ASSIGN(const Keyring keyring, Keyring::Unwrap(root, wrapped));
  const auto& head = stored[1];
  return TrailAccess{keyring.TrailKey(), head ? DecodeTrailHead(*head) : trail::Head{}};
}

}  // namespace keyturn::service
