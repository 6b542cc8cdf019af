#include "store/sqlite/database.h"

#include <errno.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "base/check.h"

namespace keyturn::store {
namespace {

// CodeOf maps a result of SQLite and the operating system's errno behind it.
ErrorCode CodeOf(int sqlite_code, int system_errno) {
  if (system_errno == ENOSPC || system_errno == EDQUOT) {
    return ErrorCode::kNoSpace;
  }
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kNoSpace;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::kReadOnly;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_CONSTRAINT:
      return ErrorCode::kConflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kLocked;
    default:
      break;
  }
  if (system_errno == EROFS || system_errno == EACCES || system_errno == EPERM) {
    return ErrorCode::kReadOnly;
  }
  return ErrorCode::kIo;
}

const char* What(ErrorCode code) {
  if (code == ErrorCode::kNoSpace) {
    return "no space left on the disk";
  }
  if (code == ErrorCode::kReadOnly) {
    return "cannot be written";
  }
  if (code == ErrorCode::kCorrupt) {
    return "is damaged or is no database; restore it from a backup";
  }
  if (code == ErrorCode::kConflict) {
    return "a row exists already, or the row that it belongs to does not";
  }
  if (code == ErrorCode::kLocked) {
    return "another program has locked it";
  }
  return "input or output failed";
}

}  // namespace

// ---- Cursor -----------------------------------------------------------------------------------

Cursor::Cursor(Cursor&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Cursor::~Cursor() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

Result<bool> Cursor::Next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  return database_.LastError(code);
}

bool Cursor::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Cursor::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Cursor::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) {
    return {};
  }
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Cursor::Blob(int column) const {
  const void* blob = sqlite3_column_blob(statement_, column);
  if (blob == nullptr) {
    return {};
  }
  return {static_cast<const std::uint8_t*>(blob),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

// ---- Database ---------------------------------------------------------------------------------

Result<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                 const OpenOptions& options) {
  sqlite3* handle = nullptr;
  const int flags = (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (handle == nullptr) {
    return Fail(ErrorCode::kIo, path + ": out of memory");
  }
  std::unique_ptr<Database> database(new Database(handle, path));
  if (code != SQLITE_OK) {
    return database->LastError(code);
  }
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // SQLite opens a file without write permission for reading only, silently.
  if (!options.read_only && sqlite3_db_readonly(handle, "main") == 1) {
    return Fail(ErrorCode::kReadOnly, path + ": " + What(ErrorCode::kReadOnly));
  }
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(handle_);
}

void Database::AllowCheckpoints() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return LastError(code);
  }
  return {};
}

Result<std::int64_t> Database::SelectInt(const char* sql) {
  KT_ASSIGN(Cursor row, Select(sql));
  KT_ASSIGN(const bool found, row.Next());
  return found ? row.Int(0) : 0;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Result<sqlite3_stmt*> Database::Prepare(const char* sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    return found->second;
  }
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) {
    return LastError(code);
  }
  KT_CHECK(statement != nullptr);
  statements_.emplace(sql, statement);
  return statement;
}

Result<std::int64_t> Database::Finish(sqlite3_stmt* statement) {
  int code = sqlite3_step(statement);
  while (code == SQLITE_ROW) {
    code = sqlite3_step(statement);
  }
  Result<std::int64_t> result = sqlite3_changes64(handle_);
  if (code != SQLITE_DONE) {
    result = LastError(code);
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return result;
}

tl::unexpected<Error> Database::LastError(int code) const {
  // An errno is kept by SQLite from call to call: it belongs to this error only if this is one of
  // the operating system.
  const int primary = code & 0xff;
  const bool from_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  const ErrorCode mapped = CodeOf(code, from_system ? sqlite3_system_errno(handle_) : 0);
  return Fail(mapped, fmt::format("{}: {}", path_, What(mapped)),
              fmt::format("SQLite {}: {}", code, sqlite3_errmsg(handle_)));
}

// Binding fails only for a wrong index or a value over SQLite's limit of 1 GB: defects of ours. The
// memory bound stays with the caller until the statement has run.
void Database::Bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  KT_CHECK(sqlite3_bind_int64(statement, index, value) == SQLITE_OK);
}

void Database::Bind(sqlite3_stmt* statement, int index, const std::optional<std::int64_t>& value) {
  if (value) {
    Bind(statement, index, *value);
  } else {
    KT_CHECK(sqlite3_bind_null(statement, index) == SQLITE_OK);
  }
}

void Database::Bind(sqlite3_stmt* statement, int index, std::string_view value) {
  const char* text = value.empty() ? "" : value.data();
  KT_CHECK(sqlite3_bind_text64(statement, index, text, value.size(), SQLITE_STATIC, SQLITE_UTF8) ==
           SQLITE_OK);
}

void Database::Bind(sqlite3_stmt* statement, int index, ByteView value) {
  // A null pointer would bind NULL instead of an empty blob.
  const void* blob = value.empty() ? static_cast<const void*>("") : value.data();
  KT_CHECK(sqlite3_bind_blob64(statement, index, blob, value.size(), SQLITE_STATIC) == SQLITE_OK);
}

}  // namespace keyturn::store
