// Databases of other versions: older ones are migrated step by step, newer ones refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_file_test.h"

namespace keyturn::store {
namespace {

using testing::HasSubstr;

TEST_F(SqliteFile, VersionFourBecomesTheNewestWithAllItsRows) {
  const std::span<const Migration> all = Migrations();
  fs::create_directory(directory());
  for (std::size_t version = 0; version < 4; ++version) Outside(file(), all[version].sql);
  Outside(file(), "PRAGMA application_id = " + std::to_string(kApplicationId) +
                      "; PRAGMA user_version = 4;"
                      "INSERT INTO policies VALUES (1, 0, '{}');"
                      "INSERT INTO keys VALUES ('111122223333', 'us-east-1', "
                      "'00000000-0000-4000-8000-000000000001', 3, 'CUSTOMER', 'SYMMETRIC_DEFAULT', "
                      "'ENCRYPT_DECRYPT', 'AWS_KMS', 0, 'Enabled', 5, NULL, 90, 7, 2, 0, "
                      "zeroblob(32), 1, x'', 'old', NULL, NULL, NULL, 8);"
                      "INSERT INTO materials VALUES ('111122223333', 'us-east-1', "
                      "'00000000-0000-4000-8000-000000000001', 0, zeroblob(32), 6, x'aabb', NULL, "
                      "'');");
  const auto store = MustOpen({});
  Contents contents = ContentsOf(*store);
  ASSERT_EQ(contents.keys.size(), 1U);
  EXPECT_EQ(contents.keys[0].key.description, "old");
  EXPECT_EQ(contents.keys[0].key.on_demand_started, FromEpochMillis(8));
  EXPECT_FALSE(contents.keys[0].key.custody);
  EXPECT_EQ(contents.materials.size(), 1U);
  EXPECT_TRUE(contents.custom_key_stores.empty());
  EXPECT_TRUE(CommitOne(*store, {.put_custom_key_stores = {TestCustomKeyStore('a')},
                                 .put_keys = {TestExternalKey(2, 'a', "ek")}}));
}

TEST_F(SqliteFile, ANewerFormatIsRefusedAndUntouched) {
  MakeStoreWithAKey();
  Outside(file(), "PRAGMA user_version = 7; PRAGMA journal_mode = DELETE;");
  const std::string before = ReadFile(file());
  const Error error = OpenError();
  EXPECT_EQ(error.code, ErrorCode::kNewerFormat);
  EXPECT_THAT(error.message, HasSubstr("format version 7"));
  EXPECT_THAT(error.message, HasSubstr("newer Keyturn"));
  EXPECT_EQ(ReadFile(file()), before);
  EXPECT_FALSE(fs::exists(file().string() + "-wal"));
}

TEST_F(SqliteFile, AnOlderFormatIsMigratedStepByStep) {
  MakeStoreWithAKey();
  std::vector<Migration> migrations(Migrations().begin(), Migrations().end());
  const std::int64_t now = migrations.back().version;
  migrations.push_back({now + 1, "ALTER TABLE keys ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"});
  migrations.push_back({now + 2, "UPDATE keys SET colour = colour || 'dish'"});
  {
    auto database = Database::Open(file().string(), {});
    ASSERT_TRUE(database);
    ASSERT_TRUE(Migrate(**database, migrations));
    EXPECT_EQ(*(*database)->SelectInt("PRAGMA user_version"), now + 2);
    EXPECT_EQ(*(*database)->SelectInt("SELECT count(*) FROM keys WHERE colour = 'reddish'"), 1);
    ASSERT_TRUE(Migrate(**database, migrations)) << "nothing left to do";
    EXPECT_EQ(*(*database)->SelectInt("SELECT count(*) FROM keys WHERE colour = 'reddish'"), 1);
  }
  EXPECT_EQ(OpenError().code, ErrorCode::kNewerFormat) << "for the program of before";
}

TEST_F(SqliteFile, VersionOneBecomesTheNewestWithAllItsRows) {
  const std::span<const Migration> all = Migrations();
  fs::create_directory(directory());
  Outside(file(), all[0].sql);
  Outside(file(), "PRAGMA application_id = " + std::to_string(kApplicationId) +
                      "; PRAGMA user_version = 1;"
                      "INSERT INTO policies VALUES (1, 0, '{}');"
                      "INSERT INTO keys VALUES ('111122223333', 'us-east-1', "
                      "'mrk-00000000000000000000000000000001', 3, 'CUSTOMER', 'SYMMETRIC_DEFAULT', "
                      "'ENCRYPT_DECRYPT', 'AWS_KMS', 1, 'Enabled', 5, NULL, 90, 7, 2, 0, "
                      "zeroblob(32), 1, x'', 'old');"
                      "INSERT INTO materials VALUES ('111122223333', 'us-east-1', "
                      "'mrk-00000000000000000000000000000001', 0, zeroblob(32), 6, x'aabb');");
  const auto store = MustOpen({});
  const Contents contents = ContentsOf(*store);
  ASSERT_EQ(contents.keys.size(), 1U);
  const keys::Key& key = contents.keys[0].key;
  EXPECT_EQ(key.version, 3U);
  EXPECT_EQ(key.description, "old");
  EXPECT_EQ(key.on_demand_rotations, 2U);
  EXPECT_TRUE(key.is_primary()) << "a multi-Region key without replicas";
  EXPECT_FALSE(key.settles);
  ASSERT_EQ(contents.materials.size(), 1U);
  EXPECT_EQ(contents.materials[0].sealed, (Bytes{0xaa, 0xbb}));
  EXPECT_FALSE(contents.materials[0].valid_to);
  EXPECT_FALSE(key.custody);
  KeyRow changed = contents.keys[0];
  changed.key.description = "new";
  EXPECT_TRUE(CommitOne(*store, {.put_keys = {changed}}));
}

TEST_F(SqliteFile, AMigrationThatFailsChangesNothing) {
  MakeStoreWithAKey();
  std::vector<Migration> migrations(Migrations().begin(), Migrations().end());
  migrations.push_back({migrations.back().version + 1,
                        "CREATE TABLE half (x) STRICT; INSERT INTO nowhere VALUES (1)"});
  {
    auto database = Database::Open(file().string(), {});
    ASSERT_TRUE(database);
    EXPECT_FALSE(Migrate(**database, migrations));
    EXPECT_FALSE((*database)->in_transaction());
  }
  EXPECT_EQ(ContentsOf(*MustOpen({})).keys.size(), 1U) << "still the old version";
}

TEST_F(SqliteFile, MigrationsAreNumberedWithoutGaps) {
  std::int64_t version = 0;
  for (const Migration& migration : Migrations()) {
    EXPECT_EQ(migration.version, ++version);
  }
}

}  // namespace
}  // namespace keyturn::store
