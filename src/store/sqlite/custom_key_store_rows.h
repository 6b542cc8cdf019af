// CustomKeyStoreRows: the rows of custom key stores, both ways. Contracts of the parts as in
// writer.h and loader.h.
#pragma once

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace keyturn::store {

Status PutCustomKeyStores(Database& database, const Change& change);
// DeleteCustomKeyStores: kConflict for one that has keys.
Status DeleteCustomKeyStores(Database& database, const Change& change);
Status LoadCustomKeyStores(Database& database, const Visitors& visitors);

}  // namespace keyturn::store
