// Loader: reads rows back and checks that each makes sense: kCorrupt names the first that does not.
//
// Tables are scanned once each, in the order of their primary keys; nothing is looked up by row.
#pragma once

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace keyturn::store {

// LoadAll visits everything inside a transaction that the caller has begun.
Status LoadAll(Database& database, const Visitors& visitors);
Result<MaterialRow> LoadMaterial(Database& database, const MaterialRef& material);
Result<std::vector<NotificationRow>> LoadNotifications(Database& database, std::size_t limit);
Result<std::optional<Bytes>> LoadMeta(Database& database, const std::string& key);

}  // namespace keyturn::store
