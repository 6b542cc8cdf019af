// Writer: carries out one Change inside a transaction that the caller has begun.
//
// Any error leaves the transaction half done; the caller must roll back.
#pragma once

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace keyturn::store {

Status Apply(Database& database, const Change& change);

// EncodeTags and DecodeTags: the tags column of a key row. Each tag is key then value, each with a
// 32-bit little-endian length before it. DecodeTags returns nullopt for anything else.
Bytes EncodeTags(const std::vector<Tag>& tags);
std::optional<std::vector<Tag>> DecodeTags(ByteView bytes);

}  // namespace keyturn::store
