// Events: the trail records of what the server does by itself.
// Source: KMS Developer Guide, log entries of RotateKey, DeleteKey,
// DeleteExpiredKeyMaterial and SynchronizeMultiRegionKey.
#pragma once

#include "service/call.h"

namespace keyturn::service {

// AddRotateKeyEvent puts RotateKey into txn's commit.
void AddRotateKeyEvent(Txn& txn, const Environment& environment, const keys::Key& before,
                       const keys::Key& after, model::RotationType type, TimePoint now);
// AddDeleteKeyEvent puts DeleteKey into txn's commit.
void AddDeleteKeyEvent(Txn& txn, const Environment& environment, const keys::Key& key,
                       TimePoint now);

// AddExpiryEvent puts DeleteExpiredKeyMaterial into txn's commit.
void AddExpiryEvent(Txn& txn, const Environment& environment, const keys::Key& key, TimePoint now);
// AddSynchronizeEvent puts SynchronizeMultiRegionKey of a primary into txn's commit: its shared
// properties have reached its replicas.
void AddSynchronizeEvent(Txn& txn, const Environment& environment, const keys::Key& primary,
                         TimePoint now);

}  // namespace keyturn::service
