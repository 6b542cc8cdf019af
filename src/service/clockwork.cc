// Tick: what happens to keys when their time has come.
#include "base/log.h"
#include "keys/multi_region.h"
#include "keys/rotation.h"
#include "service/custom_key_stores.h"
#include "service/events.h"
#include "service/imports.h"
#include "service/key_material.h"
#include "service/multi_region.h"
#include "service/service.h"
#include "service/usage_saving.h"

namespace keyturn::service {
namespace {

// Keys that one tick takes at most; the rest follow at the next.
constexpr std::size_t kTickKeysMax = 500;
// How long last uses may stay unstored. AWS shows them up to an hour late.
constexpr std::chrono::seconds kUsageInterval{60};

// Destroy purges a key. Of a primary that waits for its replicas, the last one's end begins the
// waiting period.
void Destroy(Txn& txn, const Environment& environment, const KeyPtr& entry, TimePoint now) {
  AddDeleteKeyEvent(txn, environment, entry->key, now);
  txn.PurgeKey(entry);
  if (!entry->key.is_replica()) return;
  const KeyPtr primary = PrimaryOf(txn, entry->key);
  if (!primary || !ReplicasOf(txn, primary->key).empty()) return;
  KeyEntry changed = *primary;
  changed.key = keys::AfterLastReplica(primary->key, now);
  if (changed.key.state != primary->key.state) txn.PutKey(std::move(changed));
}

// EndTransientState: a replica is Enabled only when its region has proven to hold every material.
Status EndTransientState(Txn& txn, const Environment& environment, const KeyPtr& entry) {
  if (entry->key.state == model::KeyState::kCreating) {
    KT_TRY(ProveMaterials(environment, *entry));
  }
  KeyEntry changed = *entry;
  changed.key = keys::Settle(entry->key, keys::LacksMaterial(entry->key, ImportsOf(*entry)));
  txn.PutKey(std::move(changed));
  return {};
}

void LogFailure(const keys::Key& key, std::string_view what, const Error& error) {
  LogError("key {} could not be {}: {}", key.arn(), what,
           error.message.empty() ? error.cause : error.message);
}

// HasMaterialToRotateTo: false for an imported key whose new material was deleted meanwhile.
bool HasMaterialToRotateTo(const KeyEntry& entry) {
  if (entry.key.origin != model::Origin::kExternal) return true;
  const MaterialPtr next = entry.materials->At(entry.key.generation + 1);
  return next && next->present();
}

// TurnWork: what one turn leaves to do: keys to rotate, by kind of rotation, and keys that it has
// destroyed whose material is in a token.
struct TurnWork {
  std::vector<KeyPtr> automatic;
  std::vector<KeyPtr> on_demand;
  std::vector<KeyPtr> in_tokens;
};

// AddRotation: of a key for which both are due, one waits for the next turn.
void AddRotation(Txn& txn, const Environment& environment, const KeyPtr& entry, TimePoint now,
                 TurnWork& work) {
  if (!keys::IsOnDemandDue(entry->key, now, environment.settle_delay)) {
    if (keys::IsRotationDue(entry->key, now)) work.automatic.push_back(entry);
  } else if (HasMaterialToRotateTo(*entry)) {
    work.on_demand.push_back(entry);
  } else {
    KeyEntry changed = *entry;
    changed.key.on_demand_started.reset();
    txn.PutKey(std::move(changed));
  }
}

// SettleStores ends CONNECTING and DISCONNECTING.
void SettleStores(Txn& txn, TimePoint now, TickResult& result) {
  for (const CustomKeyStorePtr& store : txn.CustomKeyStores()) {
    if (!store->row.settles || *store->row.settles > now) continue;
    auto settled = std::make_shared<CustomKeyStore>(CopyOf(*store));
    settled->row.settles.reset();
    txn.PutCustomKeyStore(std::move(settled));
    ++result.settled;
  }
}

bool AnyStoreSettles(const View& view, TimePoint now) {
  for (const CustomKeyStorePtr& store : view.CustomKeyStores()) {
    if (store->row.settles && *store->row.settles <= now) return true;
  }
  return false;
}

// One turn: everything but what it returns.
TurnWork Turn(Txn& txn, const Environment& environment, const std::vector<KeyPtr>& due,
              TimePoint now, TickResult& result) {
  TurnWork work;
  const auto find = [&](const KeyPtr& entry) {
    return txn.FindKey(entry->key.region, entry->key.id);
  };
  for (const KeyPtr& entry : due) {
    KeyPtr current = find(entry);
    if (!current) continue;
    if (keys::IsDeletionDue(current->key, now)) {
      Destroy(txn, environment, current, now);
      if (current->key.origin == model::Origin::kAwsCloudhsm) work.in_tokens.push_back(current);
      ++result.destroyed;
      continue;
    }
    if (const std::size_t expired = ExpireImports(txn, environment, *current, now)) {
      result.expired += expired;
      current = find(entry);
    }
    if (keys::IsSettlingDue(current->key, now)) {
      if (const Status done = EndTransientState(txn, environment, current); done) {
        ++result.settled;
        current = find(entry);
      } else {
        LogFailure(current->key, "made ready", done.error());
        ++result.failed;
      }
    }
    AddRotation(txn, environment, current, now, work);
  }
  return work;
}

}  // namespace

void Service::SaveUsage() {
  if (const Status saved = service::SaveUsage(tables_, *writer_); !saved) {
    LogError("last uses of keys could not be stored: {}", saved.error().cause);
  }
}

TickResult Service::Tick() {
  const TimePoint now = environment_->clock.Now();
  writer_->TidyTrail();
  if (now - usage_saved_ >= kUsageInterval || now < usage_saved_) {
    usage_saved_ = now;
    SaveUsage();
  }
  TickResult result;
  if (tables_.DueKeys(now, 1).empty() && !AnyStoreSettles(tables_, now)) return result;
  std::vector<KeyPtr> in_tokens;
  const Status done = writer_->Run([&](Txn& txn) -> Status {
    result = {};
    in_tokens.clear();
    SettleStores(txn, now, result);
    TurnWork work = Turn(txn, *environment_, tables_.DueKeys(now, kTickKeysMax), now, result);
    in_tokens = std::move(work.in_tokens);
    const auto rotate = [&](const std::vector<KeyPtr>& keys, model::RotationType type) -> Status {
      if (keys.empty()) return {};
      KT_ASSIGN(const auto failures, RotateKeys(txn, *environment_, keys, type, now));
      for (const RotationFailure& failure : failures) {
        LogFailure(failure.key->key, "rotated", failure.error);
      }
      result.rotated += keys.size() - failures.size();
      result.failed += failures.size();
      return {};
    };
    KT_TRY(rotate(work.on_demand, model::RotationType::kOnDemand));
    return rotate(work.automatic, model::RotationType::kAutomatic);
  });
  if (!done) {
    LogError("what is due could not be done: {}", done.error().cause);
    result = {.failed = result.failed + result.changed()};
    return result;
  }
  DestroyInTokens(in_tokens);
  return result;
}

// After the commit, so that no KMS key is left without its material. What a token does not delete
// now stays in it, under the label that the log has.
void Service::DestroyInTokens(const std::vector<KeyPtr>& destroyed) {
  for (const KeyPtr& entry : destroyed) {
    const CustomKeyStorePtr store = tables_.FindCustomKeyStore(entry->key.custody->store);
    if (store && store->connected() && DestroyInToken(*environment_, *store, entry->key.id)) {
      continue;
    }
    LogWarning("key {} is gone; its material is still in the token of {}, labelled {}",
               entry->key.arn(), entry->key.custody->store, entry->key.id.text());
  }
}

void Service::Reconnect() {
  if (outside_) service::Reconnect(*environment_);
}

}  // namespace keyturn::service
