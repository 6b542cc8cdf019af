// SqliteFile: a store in a directory of its own, and the ways to look at its files and to spoil
// them, for the tests of this engine.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "store/store.h"
#include "store/store_rows_test.h"

namespace keyturn::store {

namespace fs = std::filesystem;

// TempDirectory is gone, with all that is in it, at the end of its scope.
class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (fs::temp_directory_path() / "keyturn-store-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  ASSERT_TRUE(out.flush());
}

// Outside changes a database as another program would.
inline void Outside(const fs::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
      << (message == nullptr ? "" : message);
  sqlite3_free(message);
  sqlite3_close(db);
}

class SqliteFile : public testing::Test {
 protected:
  fs::path directory() const { return temp_.path() / "data"; }
  fs::path file() const { return directory() / "keyturn.db"; }
  std::unique_ptr<Store> MustOpen(SqliteOptions options) {
    auto store = OpenSqlite(directory(), options);
    EXPECT_TRUE(store) << (store ? "" : store.error().message + " " + store.error().cause);
    return store ? std::move(*store) : nullptr;
  }
  Error OpenError(SqliteOptions options = {}) {
    auto store = OpenSqlite(directory(), options);
    EXPECT_FALSE(store);
    return store ? Error{} : store.error();
  }
  // A store with one key in it, closed again.
  void MakeStoreWithAKey() {
    const auto store = MustOpen({.create = true});
    ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(1), 1)));
  }

  TempDirectory temp_;
};

}  // namespace keyturn::store
