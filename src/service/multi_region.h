// Multi-Region keys in the tables: finding a key's relatives, and adding a replica.
#pragma once

#include <vector>

#include "service/call.h"

namespace keyturn::service {

// PrimaryOf: the primary of a multi-Region key, which may be the key itself; null for a single-
// Region key.
KeyPtr PrimaryOf(const View& view, const keys::Key& key);
// ReplicasOf: in order of their regions. Empty unless key is a primary with replicas.
std::vector<KeyPtr> ReplicasOf(const View& view, const keys::Key& key);

// AddReplica stages replica (keys::MakeReplica) with all of the primary's materials and history.
// Imported material is listed without its bytes: it has to be imported in each region.
Status AddReplica(Txn& txn, const Environment& environment, const KeyEntry& primary,
                  KeyEntry replica);

// ProveMaterials proves all materials of a key that are there (key_material.h), so that a replica
// is Enabled only when its region can decrypt everything.
Status ProveMaterials(const Environment& environment, const KeyEntry& entry);

}  // namespace keyturn::service
