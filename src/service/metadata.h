// Metadata: KeyMetadata as CreateKey and DescribeKey return it.
// Source: API model; which members are present in which state: recorded answers.
#pragma once

#include "api/structures.h"
#include "keys/key.h"

namespace keyturn::service {

api::KeyMetadata ToKeyMetadata(const keys::Key& key);

}  // namespace keyturn::service
