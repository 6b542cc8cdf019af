// A copy of a database: one snapshot, beside whoever has it open, or nothing.
#include "store/sqlite/sqlite_file_test.h"

namespace keyturn::store {
namespace {

class SqliteCopy : public SqliteFile {
 protected:
  SqliteCopy() { fs::create_directory(other_); }
  static int CountKeys(Store& store) {
    int keys = 0;
    Visitors visitors;
    visitors.key = [&](const KeyRow&) { ++keys; };
    EXPECT_TRUE(store.Load(visitors));
    return keys;
  }

  const fs::path other_ = temp_.path() / "other";
};

TEST_F(SqliteCopy, ACopyIsMadeBesideTheOwnerAndIsAWholeDatabase) {
  const auto store = MustOpen({.create = true});
  ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(1), 1)));
  const Status copied = CopySqlite(directory(), other_ / "keyturn.db");
  ASSERT_TRUE(copied) << copied.error().message << copied.error().cause;
  ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(2), 2)));  // later: not in the copy
  EXPECT_EQ(fs::status(other_ / "keyturn.db").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(other_), fs::directory_iterator()), 1);
  const auto opened = OpenSqlite(other_, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(CountKeys(**opened), 1);
}

TEST_F(SqliteCopy, ACopyOfAStoppedDirectoryHasWhatACrashLeftInItsLog) {
  const fs::path crashed = temp_.path() / "crashed";
  {
    const auto store = MustOpen({.create = true});
    ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(1), 1)));
    fs::copy(directory(), crashed, fs::copy_options::recursive);
  }
  ASSERT_GT(fs::file_size(crashed / "keyturn.db-wal"), 0U);
  ASSERT_TRUE(CopySqlite(crashed, other_ / "keyturn.db"));
  const auto opened = OpenSqlite(other_, {});
  ASSERT_TRUE(opened);
  EXPECT_EQ(CountKeys(**opened), 1);
}

TEST_F(SqliteCopy, ACopyThatCannotBeMadeLeavesNothing) {
  const fs::path copy = temp_.path() / "copy.db";
  EXPECT_EQ(CopySqlite(directory(), copy).error().code, ErrorCode::kNotFound);
  MakeStoreWithAKey();
  WriteFile(copy, "there before");
  EXPECT_EQ(CopySqlite(directory(), copy).error().code, ErrorCode::kConflict);
  EXPECT_EQ(ReadFile(copy), "there before");
  fs::remove(copy);
  Outside(file(), "PRAGMA user_version = 1");
  EXPECT_EQ(CopySqlite(directory(), copy).error().code, ErrorCode::kUsage);
  Outside(file(), "PRAGMA user_version = 99");
  EXPECT_EQ(CopySqlite(directory(), copy).error().code, ErrorCode::kNewerFormat);
  WriteFile(file(), "no database at all, whatever it is called");
  EXPECT_EQ(CopySqlite(directory(), copy).error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(fs::exists(copy));
}

}  // namespace
}  // namespace keyturn::store
