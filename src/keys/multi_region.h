// Multi-Region keys: one primary and its replicas, each a key of its own in its region. Pure.
//
// They share id, materials, spec, usage, origin, the rotation setting and its dates; everything
// else is each one's own. The rotation setting is stored with the primary only.
// Source: KMS Developer Guide, "Multi-Region keys in AWS KMS"; recorded answers for texts.
#pragma once

#include <string>

#include "base/error.h"
#include "base/time.h"
#include "keys/key.h"
#include "model/ids.h"

namespace keyturn::keys {

// CheckReplicate: the key's state, that it is a primary, and that region can have a replica of it.
// exists: there is a replica already, in whatever state.
Status CheckReplicate(const Key& primary, const std::string& region, bool exists);

// MakeReplica: the key that ReplicateKey adds: state Creating until settles; shared properties from
// the primary, a version of 0.
Key MakeReplica(const Key& primary, model::Region region, std::string description, TimePoint now,
                TimePoint settles);

// CheckUpdatePrimary: of the key that is called and of the replica that is to be promoted (null:
// none is there); the exception names the one that does not fit.
Status CheckUpdatePrimary(const Key& primary, const std::string& region, const Key* replica);

// SwapPrimary: primary and replica with their roles swapped, both Updating until settles; the
// rotation setting and its count move to the new primary.
struct Swapped {
  Key old_primary;
  Key new_primary;
};
Swapped SwapPrimary(Key primary, Key replica, TimePoint settles);

// IsSettlingDue: a transient state has lasted long enough.
bool IsSettlingDue(const Key& key, TimePoint now);
// Settle ends a transient state: Enabled, or PendingImport if a material is missing.
Key Settle(Key key, bool lacks_material);

// AfterLastReplica: a primary in PendingReplicaDeletion whose last replica is gone: its window
// begins now. Other keys stay as they are.
Key AfterLastReplica(Key key, TimePoint now);

}  // namespace keyturn::keys
