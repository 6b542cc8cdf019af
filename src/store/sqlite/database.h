// Database: one SQLite connection with its prepared statements, without SQLite in the interface.
//
// Statements are named by SQL text of static lifetime (constants of the caller) and are prepared
// once. Arguments are bound in order: integers, text, blobs, nullopt. Errors are mapped to
// ErrorCode as store/store.h lists them; the message names the file, the cause is SQLite's own
// text. Thread-safety: none; the owner serialises.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace keyturn::store {

class Database;

// Cursor: the rows of one SELECT. Values are views that live until the next Next() or the end of
// the cursor. At most one cursor of a statement is open at a time.
class Cursor {
 public:
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  // Next moves to the next row; false after the last one.
  Result<bool> Next();
  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  std::string_view Text(int column) const;
  ByteView Blob(int column) const;

 private:
  friend class Database;
  Cursor(Database& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  Database& database_;
  sqlite3_stmt* statement_;
};

class Database {
 public:
  struct OpenOptions {
    bool read_only = false;
    std::string vfs = {};  // name of a registered SQLite VFS; empty = the default
  };
  // Open opens an existing file. Nothing is written to it, and closing it leaves its write-ahead
  // log alone until AllowCheckpoints.
  static Result<std::unique_ptr<Database>> Open(const std::string& path,
                                                const OpenOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void AllowCheckpoints();

  // Execute runs one or more statements without arguments and rows.
  Status Execute(const std::string& sql);
  // Run runs one prepared statement and returns how many rows it changed.
  template <typename... Args>
  Result<std::int64_t> Run(const char* sql, const Args&... args) {
    KT_ASSIGN(sqlite3_stmt * statement, Prepare(sql));
    [[maybe_unused]] int index = 0;
    (Bind(statement, ++index, args), ...);
    return Finish(statement);
  }
  template <typename... Args>
  Result<Cursor> Select(const char* sql, const Args&... args) {
    KT_ASSIGN(sqlite3_stmt * statement, Prepare(sql));
    [[maybe_unused]] int index = 0;
    (Bind(statement, ++index, args), ...);
    return Cursor(*this, statement);
  }
  // SelectInt returns the first column of the only row of a statement such as a PRAGMA.
  Result<std::int64_t> SelectInt(const char* sql);

  std::int64_t last_insert_id() const;
  bool in_transaction() const;
  const std::string& path() const { return path_; }

 private:
  friend class Cursor;
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  Result<sqlite3_stmt*> Prepare(const char* sql);
  Result<std::int64_t> Finish(sqlite3_stmt* statement);
  tl::unexpected<Error> LastError(int code) const;

  static void Bind(sqlite3_stmt* statement, int index, std::int64_t value);
  static void Bind(sqlite3_stmt* statement, int index, const std::optional<std::int64_t>& value);
  static void Bind(sqlite3_stmt* statement, int index, std::string_view value);
  static void Bind(sqlite3_stmt* statement, int index, ByteView value);

  sqlite3* handle_;
  std::string path_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace keyturn::store
