// Tick: what happens to keys when their time has come.
#include "base/log.h"
#include "keys/multi_region.h"
#include "keys/rotation.h"
#include "service/events.h"
#include "service/imports.h"
#include "service/key_material.h"
#include "service/multi_region.h"
#include "service/service.h"

namespace keyturn::service {
namespace {

// Keys that one tick takes at most; the rest follow at the next.
constexpr std::size_t kTickKeysMax = 500;

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

// One turn: everything but the rotations, whose keys it returns.
std::vector<KeyPtr> Turn(Txn& txn, const Environment& environment, const std::vector<KeyPtr>& due,
                         TimePoint now, TickResult& result) {
  std::vector<KeyPtr> to_rotate;
  const auto find = [&](const KeyPtr& entry) {
    return txn.FindKey(entry->key.region, entry->key.id);
  };
  for (const KeyPtr& entry : due) {
    KeyPtr current = find(entry);
    if (!current) continue;
    if (keys::IsDeletionDue(current->key, now)) {
      Destroy(txn, environment, current, now);
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
    if (keys::IsRotationDue(current->key, now)) to_rotate.push_back(current);
  }
  return to_rotate;
}

}  // namespace

TickResult Service::Tick() {
  const TimePoint now = environment_->clock.Now();
  TickResult result;
  if (tables_.DueKeys(now, 1).empty()) return result;
  const Status done = writer_->Run([&](Txn& txn) -> Status {
    result = {};
    const auto to_rotate =
        Turn(txn, *environment_, tables_.DueKeys(now, kTickKeysMax), now, result);
    if (to_rotate.empty()) return {};
    KT_ASSIGN(const auto failures,
              RotateKeys(txn, *environment_, to_rotate, model::RotationType::kAutomatic, now));
    for (const RotationFailure& failure : failures) {
      LogFailure(failure.key->key, "rotated", failure.error);
    }
    result.rotated = to_rotate.size() - failures.size();
    result.failed += failures.size();
    return {};
  });
  if (!done) {
    LogError("what is due could not be done: {}", done.error().cause);
    result = {.failed = result.failed + result.changed()};
  }
  return result;
}

}  // namespace keyturn::service
