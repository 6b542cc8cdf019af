// The embedded store: one SQLite file in WAL mode. One connection writes, and alone checkpoints;
// another only reads, so that reads see what is in the file and not what the writer remembers.
#include <fmt/format.h>

#include <future>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "store/sqlite/data_directory.h"
#include "store/sqlite/database.h"
#include "store/sqlite/loader.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/writer.h"
#include "store/store.h"

namespace keyturn::store {
namespace {

constexpr const char kQuickCheck[] = "PRAGMA quick_check(1)";
// What the check has read, the changes to come will not ask for.
constexpr const char kShrinkMemory[] = "PRAGMA shrink_memory";
constexpr const char kPresentJournalMode[] = "PRAGMA journal_mode";
constexpr const char kJournalMode[] = "PRAGMA journal_mode = WAL";
// synchronous FULL: a commit is on stable storage when it returns. secure_delete: what a purge
// removes is overwritten with zeros.
constexpr const char kWriterSettings[] =
    "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; "
    "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; "
    "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000;";
constexpr const char kReaderSettings[] =
    "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON;";
constexpr const char kTruncateLog[] = "PRAGMA wal_checkpoint(TRUNCATE)";
constexpr const char kCopy[] = "VACUUM INTO ?1";  // one snapshot, without freed pages
constexpr const char kBegin[] = "BEGIN IMMEDIATE";
constexpr const char kCommit[] = "COMMIT";

Result<bool> IsWal(Database& database, const char* pragma) {
  KT_ASSIGN(Cursor row, database.Select(pragma));
  KT_ASSIGN(const bool found, row.Next());
  return found && row.Text(0) == "wal";
}

Status CheckQuickly(Database& database) {
  KT_ASSIGN(Cursor row, database.Select(kQuickCheck));
  KT_ASSIGN(const bool found, row.Next());
  if (!found || row.Text(0) != "ok") {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: is damaged: {}; restore it from a backup", database.path(),
                            found ? row.Text(0) : "no answer"));
  }
  return {};
}

class SqliteStore final : public Store {
 public:
  // checked: the file has passed the quick check.
  SqliteStore(DataDirectory directory, std::unique_ptr<Database> writer,
              std::unique_ptr<Database> reader, bool checked)
      : directory_(std::move(directory)),
        writer_(std::move(writer)),
        reader_(std::move(reader)),
        checked_(checked) {
    if (checked_) {
      writer_->AllowCheckpoints();
    }
  }

  Status Load(const Visitors& visitors) override {
    if (checked_) {
      return LoadSnapshot(visitors);
    }
    auto check = std::async(std::launch::async, [this]() -> Status {
      const std::scoped_lock lock(writer_mutex_);
      KT_TRY(CheckQuickly(*writer_));
      return writer_->Execute(kShrinkMemory);
    });
    const Status loaded = LoadSnapshot(visitors);
    KT_TRY(check.get());  // the better reason, if both fail
    checked_ = true;
    writer_->AllowCheckpoints();
    return loaded;
  }

  Status Commit(std::span<const Change> changes) override {
    if (changes.empty()) {
      return {};
    }
    KT_CHECK(checked_);
    const std::scoped_lock lock(writer_mutex_);
    if (broken_) {
      return Fail(ErrorCode::kIo,
                  "the store takes no more changes: an earlier one could not be "
                  "rolled back; restart Keyturn");
    }
    if (Status done = CommitLocked(changes); !done) {
      RollBack();
      return done;
    }
    for (const Change& change : changes) {
      truncate_log_ = truncate_log_ || !change.purge_keys.empty() ||
                      !change.delete_access_keys.empty() || !change.delete_users.empty() ||
                      !change.drop_materials.empty() || !change.set_imports.empty();
    }
    TruncateLog();
    return {};
  }

  Result<MaterialRow> ReadMaterial(const MaterialRef& material) override {
    const std::scoped_lock lock(reader_mutex_);
    return LoadMaterial(*reader_, material);
  }

  Result<std::optional<Bytes>> ReadMeta(const std::string& key) override {
    const std::scoped_lock lock(reader_mutex_);
    return LoadMeta(*reader_, key);
  }

  Result<std::vector<NotificationRow>> ReadNotifications(std::size_t limit) override {
    const std::scoped_lock lock(reader_mutex_);
    return LoadNotifications(*reader_, limit);
  }

 private:
  Status LoadSnapshot(const Visitors& visitors) {
    const std::scoped_lock lock(reader_mutex_);
    KT_TRY(reader_->Execute("BEGIN"));
    Status loaded = LoadAll(*reader_, visitors);
    const Status ended = reader_->Execute("ROLLBACK");
    return loaded ? ended : loaded;
  }

  Status CommitLocked(std::span<const Change> changes) {
    KT_TRY(writer_->Run(kBegin));
    for (const Change& change : changes) {
      KT_TRY(Apply(*writer_, change));
    }
    KT_TRY(writer_->Run(kCommit));
    return {};
  }

  // RollBack ends what a failed commit left. Several errors make SQLite roll back by itself.
  void RollBack() {
    if (!writer_->in_transaction()) {
      return;
    }
    const Status undone = writer_->Execute("ROLLBACK");
    if (!undone || writer_->in_transaction()) {
      broken_ = true;
      LogError("{}: cannot roll back; no more changes are taken: {}", writer_->path(),
               undone ? "still in a transaction" : undone.error().cause);
    }
  }

  // TruncateLog takes destroyed rows out of the write-ahead log too. The commit has succeeded
  // already: a failure is tried again after the next one.
  void TruncateLog() {
    if (!truncate_log_) {
      return;
    }
    const Result<std::int64_t> busy = writer_->SelectInt(kTruncateLog);
    if (busy && *busy == 0) {
      truncate_log_ = false;
    } else if (!busy) {
      LogWarning("{}: cannot empty the write-ahead log yet: {}", writer_->path(),
                 busy.error().cause);
    }
  }

  // In this order: the lock is given up last, and the writer, closing after the reader, is the last
  // connection and checkpoints.
  DataDirectory directory_;
  std::mutex writer_mutex_;
  std::unique_ptr<Database> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<Database> reader_;
  bool checked_;
  bool broken_ = false;
  bool truncate_log_ = false;
};

Status UseWal(Database& database) {
  KT_ASSIGN(const bool used, IsWal(database, kJournalMode));
  if (!used) {
    return Fail(ErrorCode::kIo, database.path() + ": the write-ahead log cannot be used here");
  }
  return {};
}

// Create makes the database under another name and gives it its own when it is complete.
Status Create(const DataDirectory& directory, const std::string& vfs) {
  KT_TRY(directory.MakeNewFile());
  const auto make = [&]() -> Status {
    KT_ASSIGN(const auto database,
              Database::Open(directory.new_database_path(), {.read_only = false, .vfs = vfs}));
    KT_TRY(database->Execute("PRAGMA synchronous = FULL"));
    KT_TRY(CreateSchema(*database, Migrations()));
    return {};
  };
  Status made = make();
  if (made) {
    made = directory.PublishNewFile();
  }
  if (!made) {
    directory.DiscardNewFile();
  }
  return made;
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqlite(const std::filesystem::path& path,
                                          const SqliteOptions& options) {
  KT_ASSIGN(DataDirectory directory, DataDirectory::Open(path, options.create));
  if (options.create) {
    KT_TRY(Create(directory, options.vfs));
  }
  KT_ASSIGN(auto writer,
            Database::Open(directory.database_path(), {.read_only = false, .vfs = options.vfs}));
  KT_ASSIGN(const std::int64_t version, CheckVersion(*writer, Migrations()));
  KT_ASSIGN(const bool wal, IsWal(*writer, kPresentJournalMode));
  const bool must_change = version != Migrations().back().version || !wal;
  const bool checked = options.quick_check == QuickCheck::kAtOpen || must_change;
  if (checked) {
    KT_TRY(CheckQuickly(*writer));
  }
  // From here on the file is ours to change.
  KT_TRY(UseWal(*writer));
  KT_TRY(writer->Execute(kWriterSettings));
  KT_TRY(Migrate(*writer, Migrations()));
  KT_ASSIGN(auto reader,
            Database::Open(directory.database_path(), {.read_only = true, .vfs = options.vfs}));
  KT_TRY(reader->Execute(kReaderSettings));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(
      std::move(directory), std::move(writer), std::move(reader), checked));
}

Result<std::vector<std::optional<Bytes>>> ReadMetaInUse(const std::filesystem::path& directory,
                                                        std::span<const std::string> keys) {
  KT_ASSIGN(const auto database,
            Database::Open((directory / kDatabaseName).string(), {.read_only = true, .vfs = {}}));
  KT_TRY(database->Execute(kReaderSettings));
  KT_TRY(database->Execute("BEGIN"));
  KT_TRY(CheckVersion(*database, Migrations()));
  std::vector<std::optional<Bytes>> values;
  for (const std::string& key : keys) {
    KT_ASSIGN(auto value, LoadMeta(*database, key));
    values.push_back(std::move(value));
  }
  KT_TRY(database->Execute("ROLLBACK"));
  return values;
}

Status CopySqlite(const std::filesystem::path& directory, const std::filesystem::path& copy) {
  // A directory that nobody has open stays so until it has been read.
  const auto owned = DataDirectory::Open(directory, false);
  if (!owned && owned.error().code != ErrorCode::kLocked) {
    return Fail(owned.error());
  }
  KT_ASSIGN(const auto database,
            Database::Open((directory / kDatabaseName).string(), {.read_only = true, .vfs = {}}));
  KT_ASSIGN(const std::int64_t version, CheckVersion(*database, Migrations()));
  if (version != Migrations().back().version) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: has format version {}; start this Keyturn on it once, or use the "
                            "Keyturn that wrote it",
                            database->path(), version));
  }
  KT_ASSIGN(NewFile file, NewFile::Make(copy.string()));
  KT_TRY(database->Run(kCopy, std::string_view(file.path())));
  return file.Keep();
}

}  // namespace keyturn::store
