// KeyMetadata: what CreateKey, ReplicateKey and DescribeKey show of a key.
// Source: KMS API model 2014-11-01, KeyMetadata; recorded answers for which member is there when.
#pragma once

#include "api/structures.h"
#include "service/tables.h"

namespace keyturn::service {

// ToKeyMetadata: view has the key's relatives in other regions.
api::KeyMetadata ToKeyMetadata(const View& view, const KeyEntry& entry);

}  // namespace keyturn::service
