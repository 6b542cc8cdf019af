// Events: the trail records of what the server does by itself.
// Source: KMS Developer Guide, log entries of RotateKey and DeleteKey.
#pragma once

#include "service/call.h"

namespace keyturn::service {

// AddRotateKeyEvent puts RotateKey into txn's commit.
void AddRotateKeyEvent(Txn& txn, const Environment& environment, const keys::Key& before,
                       const keys::Key& after, model::RotationType type, TimePoint now);
// AddDeleteKeyEvent puts DeleteKey into txn's commit.
void AddDeleteKeyEvent(Txn& txn, const Environment& environment, const keys::Key& key,
                       TimePoint now);

}  // namespace keyturn::service
