// Schema: the tables of keyturn.db and how one version of them becomes the next.
// docs/formats/store.md describes every column.
//
// The file carries its version in PRAGMA user_version and ours in application_id. A migration runs
// in one transaction together with the new version number.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "store/sqlite/database.h"

namespace keyturn::store {

inline constexpr std::int64_t kApplicationId = 0x4B54524E;  // "KTRN"

struct Migration {
  std::int64_t version;  // that the file has afterwards; 1, 2, 3, ...
  const char* sql;
};

// Migrations returns all, oldest first; the first makes version 1 from an empty file.
std::span<const Migration> Migrations();

// CreateSchema makes the newest version in an empty file.
Status CreateSchema(Database& database, std::span<const Migration> migrations);

// CheckVersion reads only: kCorrupt if the file is not Keyturn's, kNewerFormat (the message tells
// both versions) if it is newer than the last migration.
Result<std::int64_t> CheckVersion(Database& database, std::span<const Migration> migrations);

// Migrate runs the migrations above the file's version, each in a transaction of its own: after an
// error the file is whole, at the version of the last one that succeeded.
Status Migrate(Database& database, std::span<const Migration> migrations);

}  // namespace keyturn::store
