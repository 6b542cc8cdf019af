// Faults: every write, sync and truncation that a commit makes fails once, in every place, with
// every error. A failed group leaves nothing behind, an acknowledged one is there after reopening.
//
// The faults come from a SQLite VFS that hands everything to the operating system's one and counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>

#include "base/hex.h"
#include "base/log.h"
#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"
#include "store/store_rows_test.h"

namespace keyturn::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVfsName = "keyturn-fault";

// FaultPlan: which operation fails. Counting starts at 1 with Arm.
struct FaultPlan {
  int count = 0;
  int fail_at = 0;  // 0: never
  bool from_then_on = false;
  bool torn = false;  // a failing write has written its first half
  int code = SQLITE_IOERR;
  bool fired = false;

  bool Fails() {
    ++count;
    const bool fails = fail_at != 0 && (count == fail_at || (from_then_on && count > fail_at));
    fired = fired || fails;
    return fails;
  }
};

FaultPlan g_plan;  // the tests have one thread

void Disarm() { g_plan.fail_at = 0; }

struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real;  // in the same allocation, behind this
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file)->real; }
sqlite3_vfs* Real(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int Write(sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
  if (g_plan.Fails()) {
    if (g_plan.torn) {
      Real(f)->pMethods->xWrite(Real(f), data, size / 2, at);
    }
    return g_plan.code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : g_plan.code;
  }
  return Real(f)->pMethods->xWrite(Real(f), data, size, at);
}

int Sync(sqlite3_file* f, int flags) {
  if (g_plan.Fails()) {
    return g_plan.code == SQLITE_IOERR ? SQLITE_IOERR_FSYNC : g_plan.code;
  }
  return Real(f)->pMethods->xSync(Real(f), flags);
}

int Truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (g_plan.Fails()) {
    return g_plan.code == SQLITE_IOERR ? SQLITE_IOERR_TRUNCATE : g_plan.code;
  }
  return Real(f)->pMethods->xTruncate(Real(f), size);
}

const sqlite3_io_methods kMethods = {
    2,
    [](sqlite3_file* f) {
      const int code = Real(f)->pMethods->xClose(Real(f));
      f->pMethods = nullptr;
      return code;
    },
    [](sqlite3_file* f, void* data, int size, sqlite3_int64 at) {
      return Real(f)->pMethods->xRead(Real(f), data, size, at);
    },
    &Write,
    &Truncate,
    &Sync,
    [](sqlite3_file* f, sqlite3_int64* size) {
      return Real(f)->pMethods->xFileSize(Real(f), size);
    },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
    [](sqlite3_file* f, int* held) { return Real(f)->pMethods->xCheckReservedLock(Real(f), held); },
    [](sqlite3_file* f, int op, void* arg) {
      return Real(f)->pMethods->xFileControl(Real(f), op, arg);
    },
    [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
    [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
      return Real(f)->pMethods->xShmMap(Real(f), region, size, extend, out);
    },
    [](sqlite3_file* f, int offset, int n, int flags) {
      return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
    },
    [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
    [](sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
    nullptr,  // xFetch and xUnfetch: version 3, memory mapping, not used
    nullptr,
};

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* fault = reinterpret_cast<FaultFile*>(file);
  fault->real = reinterpret_cast<sqlite3_file*>(fault + 1);
  fault->base.pMethods = nullptr;
  const int code = Real(vfs)->xOpen(Real(vfs), name, fault->real, flags, out_flags);
  if (code == SQLITE_OK) {
    fault->base.pMethods = &kMethods;
  }
  return code;
}

void RegisterFaultVfs() {
  static std::once_flag once;
  std::call_once(once, [] {
    sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs vfs = *real;
    vfs.zName = kVfsName;
    vfs.pAppData = real;
    vfs.pNext = nullptr;
    vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + real->szOsFile;
    vfs.xOpen = &Open;
    vfs.xDelete = [](sqlite3_vfs* v, const char* name, int sync) {
      return Real(v)->xDelete(Real(v), name, sync);
    };
    vfs.xAccess = [](sqlite3_vfs* v, const char* name, int flags, int* out) {
      return Real(v)->xAccess(Real(v), name, flags, out);
    };
    vfs.xFullPathname = [](sqlite3_vfs* v, const char* name, int size, char* out) {
      return Real(v)->xFullPathname(Real(v), name, size, out);
    };
    ASSERT_EQ(sqlite3_vfs_register(&vfs, 0), SQLITE_OK);
  });
}

// Fingerprint: everything that a load shows, as one text.
std::string Fingerprint(Store& store) {
  const Contents c = ContentsOf(store);
  std::string text;
  for (const auto& [key, value] : c.meta) {
    text += "meta " + key + " " + HexEncode(value) + "\n";
  }
  for (const KeyRow& row : c.keys) {
    text += "key " + row.key.arn() + " v" + std::to_string(row.key.version) + " g" +
            std::to_string(row.key.generation) + " " + row.key.current_material.hex() + " " +
            row.key.description + " " + *row.policy_text + " " + std::to_string(row.tags.size()) +
            "\n";
  }
  for (const MaterialRow& row : c.materials) {
    text += "material " + std::string(row.key.text()) + " " + row.id.hex() + " " +
            std::to_string(row.generation) + " " + HexEncode(row.sealed) + "\n";
  }
  for (const RotationRow& row : c.rotations) {
    text += "rotation " + std::string(row.key.text()) + " " + std::to_string(row.generation) + "\n";
  }
  for (const AliasRow& row : c.aliases) {
    text += "alias " + row.name + " " + std::string(row.target.text()) + "\n";
  }
  for (const GrantRow& row : c.grants) {
    text += "grant " + row.id + " " + std::to_string(row.operations.size()) + "\n";
  }
  for (const RoleRow& row : c.roles) {
    text += "role " + row.name + " " + std::to_string(row.policies.size()) + row.trust + "\n";
  }
  for (const CustomKeyStoreRow& row : c.custom_key_stores) {
    text += "custom key store " + row.id + " " + row.name + "\n";
  }
  for (const UsageRow& row : c.usage) {
    text +=
        "usage " + std::string(row.key.text()) + " " + row.operation + " " + row.event_id + "\n";
  }
  for (const TrailRow& row : c.trail) {
    text += "trail " + row.event_id + " " + row.json + "\n";
  }
  return text;
}

// Fault: one way to fail.
struct Fault {
  const char* name;
  int code;
  bool from_then_on;
  bool torn;
  ErrorCode expected;
};

class SqliteFault : public testing::TestWithParam<Fault> {
 protected:
  void SetUp() override {
    RegisterFaultVfs();
    SetLogLevel(LogLevel::kError);  // the warnings are what is provoked here
    std::string name = (fs::temp_directory_path() / "keyturn-fault-XXXXXX").string();
    root_ = mkdtemp(name.data());
    g_plan = FaultPlan();
  }
  void TearDown() override {
    Disarm();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
    SetLogLevel(LogLevel::kInfo);
  }
  fs::path directory() const { return root_ / "data"; }

  void Arm(int fail_at) {
    g_plan = {.count = 0,
              .fail_at = fail_at,
              .from_then_on = GetParam().from_then_on,
              .torn = GetParam().torn,
              .code = GetParam().code,
              .fired = false};
  }
  std::unique_ptr<Store> MustOpen() {
    auto store = OpenSqlite(directory(), {.create = false, .vfs = kVfsName});
    EXPECT_TRUE(store) << (store ? "" : store.error().message + " " + store.error().cause);
    return store ? std::move(*store) : nullptr;
  }
  // Every round starts from the same files.
  void MakeTemplate() {
    {
      auto store = OpenSqlite(directory(), {.create = true});
      ASSERT_TRUE(store);
      std::vector<Change> group;
      for (unsigned n = 0; n < 40; ++n) {
        group.push_back(CreateKey(TestKey(n), n));
        group.back().put_aliases.push_back(TestAlias("a" + std::to_string(n), TestKey(n)));
        group.back().insert_trail.push_back({"event" + std::to_string(n), std::string(900, 'j')});
      }
      group[1].insert_materials.push_back(TestMaterial(TestKey(1), 1, 1));
      ASSERT_TRUE((*store)->Commit(group));
    }
    fs::rename(directory(), root_ / "template");
  }
  void StartRound() {
    fs::remove_all(directory());
    fs::copy(root_ / "template", directory(), fs::copy_options::recursive);
  }

 private:
  fs::path root_;
};

// The second half of a rotation (the prepared material becomes current), a new key, a deletion and
// trail records: a group as the server makes them.
std::vector<Change> Group() {
  std::vector<Change> group(3);
  KeyRow rotated = TestKey(1);
  rotated.key.version = 1;
  rotated.key.generation = 1;
  rotated.key.current_material = MaterialNumber(1, 1);
  group[0].put_keys.push_back(rotated);
  group[0].insert_rotations.push_back(TestRotation(rotated, 1));
  group[0].insert_trail.push_back({"rotate", std::string(1200, 'r')});
  group[1] = CreateKey(TestKey(100, std::string(6000, 'p')), 100);
  group[1].insert_trail.push_back({"create", std::string(1200, 'c')});
  group[1].put_custom_key_stores.push_back(TestCustomKeyStore('d'));
  group[1].put_keys.push_back(TestExternalKey(101, 'd', "external"));
  group[1].insert_grants.push_back(TestGrant(TestKey(100), 'f'));
  group[1].put_roles.push_back({kTestAccount,
                                "Ops",
                                "/",
                                "AROAEXAMPLE",
                                FromEpochMillis(1),
                                std::string(3000, 't'),
                                {{"own", "{}"}}});
  for (unsigned n = 0; n < 3; ++n) {  // the last one's key is gone by then
    const keys::Key key = TestKey(n).key;
    group[2].put_usage.push_back(
        {key.account, key.region, key.id, "Encrypt", FromEpochMillis(7), "event", "request"});
  }
  group[2].purge_keys.push_back(RefOf(TestKey(2)));
  group[2].delete_trail.push_back("event3");
  group[2].put_meta.emplace_back("mark", Bytes{1, 2, 3});
  return group;
}

TEST_P(SqliteFault, EveryWriteOfACommitFails) {
  MakeTemplate();
  StartRound();
  const std::vector<Change> group = Group();
  std::string before;
  std::string after;
  {
    const auto store = MustOpen();
    before = Fingerprint(*store);
    ASSERT_TRUE(store->Commit(group));
    after = Fingerprint(*store);
    ASSERT_NE(before, after);
  }
  int failed_commits = 0;
  int n = 1;
  for (;; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n) + " fails");
    StartRound();
    auto store = MustOpen();
    Arm(n);
    const Status status = store->Commit(group);
    const bool fired = g_plan.fired;
    if (n % 2 == 0) {
      Disarm();  // the disk recovers before anything else happens
    }
    EXPECT_EQ(Fingerprint(*store), status ? after : before);
    if (!status) {
      ++failed_commits;
      EXPECT_EQ(status.error().code, GetParam().expected) << status.error().cause;
    }
    if (n % 2 == 0) {
      // The store goes on: the same group again, now with success.
      if (!status) {
        const Status again = store->Commit(group);
        ASSERT_TRUE(again) << again.error().cause;
      }
      EXPECT_EQ(Fingerprint(*store), after);
      store = nullptr;
      EXPECT_EQ(Fingerprint(*MustOpen()), after);
    } else {
      // The process ends with the disk still failing, as far as it does. The group was refused, so
      // whether it is there afterwards is open; but never a part of it.
      store = nullptr;
      Disarm();
      const std::string reopened = Fingerprint(*MustOpen());
      if (status) {
        EXPECT_EQ(reopened, after);
      } else {
        EXPECT_TRUE(reopened == before || reopened == after) << reopened;
      }
    }
    if (!fired) {
      ASSERT_TRUE(status);
      break;
    }
    ASSERT_LT(n, 1000) << "does not end";
  }
  EXPECT_GE(failed_commits, 10) << "the faults hit the commit";
  EXPECT_GT(n - 1, failed_commits) << "and the checkpoint after it, which does not fail it";
}

TEST_P(SqliteFault, EveryWriteOfACreationFails) {
  int failed = 0;
  for (int n = 1;; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n) + " fails");
    fs::remove_all(directory());
    Arm(n);
    {
      const auto store = OpenSqlite(directory(), {.create = true, .vfs = kVfsName});
      failed += store ? 0 : 1;
      if (!store) {
        EXPECT_EQ(store.error().code, GetParam().expected) << store.error().cause;
      }
    }
    const bool fired = g_plan.fired;
    Disarm();
    // Whatever happened, the next attempt finds either nothing or a whole, empty database.
    const bool exists = fs::exists(directory() / "keyturn.db");
    const auto store = OpenSqlite(directory(), {.create = !exists, .vfs = kVfsName});
    ASSERT_TRUE(store) << store.error().message << store.error().cause;
    EXPECT_EQ(Fingerprint(**store), "");
    EXPECT_TRUE(CommitOne(**store, CreateKey(TestKey(1), 1)));
    if (!fired) {
      break;
    }
    ASSERT_LT(n, 1000) << "does not end";
  }
  EXPECT_GE(failed, 10);
}

TEST_P(SqliteFault, EveryWriteOfAMigrationFails) {
  MakeTemplate();
  std::vector<Migration> migrations(Migrations().begin(), Migrations().end());
  const std::int64_t old_version = migrations.back().version;
  migrations.push_back({old_version + 1,
                        "ALTER TABLE keys ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';"
                        "UPDATE keys SET colour = 'blue'"});
  int failed = 0;
  for (int n = 1;; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n) + " fails");
    StartRound();
    const std::string file = (directory() / "keyturn.db").string();
    bool fired = false;
    bool succeeded = false;
    {
      const auto database = Database::Open(file, {.read_only = false, .vfs = kVfsName});
      ASSERT_TRUE(database);
      Arm(n);
      succeeded = Migrate(**database, migrations).has_value();
      fired = g_plan.fired;
    }
    failed += succeeded ? 0 : 1;
    Disarm();
    const auto database = Database::Open(file, {});
    ASSERT_TRUE(database);
    const std::int64_t version = *(*database)->SelectInt("PRAGMA user_version");
    if (version == old_version) {
      EXPECT_FALSE(succeeded);
      EXPECT_EQ(*(*database)->SelectInt("SELECT count(*) FROM keys"), 40);
    } else {
      EXPECT_EQ(*(*database)->SelectInt("SELECT count(*) FROM keys WHERE colour = 'blue'"), 40);
    }
    if (!fired) {
      ASSERT_TRUE(succeeded);
      break;
    }
    ASSERT_LT(n, 1000) << "does not end";
  }
  EXPECT_GE(failed, 5);
}

// While g_deny_rollback is set, SQLite refuses every ROLLBACK on connections opened since
// WatchRollbacks.
bool g_deny_rollback = false;

int Authorize(void*, int action, const char* what, const char*, const char*, const char*) {
  const bool rollback = action == SQLITE_TRANSACTION && std::strcmp(what, "ROLLBACK") == 0;
  return rollback && g_deny_rollback ? SQLITE_DENY : SQLITE_OK;
}

int Watch(sqlite3* database, const char**, const sqlite3_api_routines*) {
  return sqlite3_set_authorizer(database, &Authorize, nullptr);
}

TEST(SqliteRollback, AStoreThatCannotRollBackTakesNoMoreChanges) {
  std::string name = (fs::temp_directory_path() / "keyturn-fault-XXXXXX").string();
  const fs::path directory = mkdtemp(name.data());
  auto* const watch = reinterpret_cast<void (*)()>(&Watch);
  ASSERT_EQ(sqlite3_auto_extension(watch), SQLITE_OK);
  {
    auto store = OpenSqlite(directory, {.create = true});
    sqlite3_cancel_auto_extension(watch);
    ASSERT_TRUE(store) << store.error().message << store.error().cause;
    ASSERT_TRUE(CommitOne(**store, CreateKey(TestKey(1), 1)));
    const std::string before = Fingerprint(**store);

    const std::vector<Change> refused = {CreateKey(TestKey(2), 2), CreateKey(TestKey(1), 1)};
    g_deny_rollback = true;
    EXPECT_EQ(CodeOfFailure((*store)->Commit(refused)), ErrorCode::kConflict);
    g_deny_rollback = false;
    const Status next = CommitOne(**store, CreateKey(TestKey(3), 3));
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::kIo);
    EXPECT_THAT(next.error().message, testing::HasSubstr("restart"));
    EXPECT_EQ(Fingerprint(**store), before) << "reads go on, and show nothing of it";
    store = Fail(ErrorCode::kCancelled);

    store = OpenSqlite(directory, {});
    ASSERT_TRUE(store);
    EXPECT_EQ(Fingerprint(**store), before);
    EXPECT_TRUE(CommitOne(**store, CreateKey(TestKey(3), 3)));
  }
  fs::remove_all(directory);
}

INSTANTIATE_TEST_SUITE_P(
    Disk, SqliteFault,
    testing::Values(Fault{"FailsOnce", SQLITE_IOERR, false, false, ErrorCode::kIo},
                    Fault{"TearsOneWrite", SQLITE_IOERR, false, true, ErrorCode::kIo},
                    Fault{"DiesHalfWay", SQLITE_IOERR, true, true, ErrorCode::kIo},
                    Fault{"IsFullOnce", SQLITE_FULL, false, false, ErrorCode::kNoSpace},
                    Fault{"StaysFull", SQLITE_FULL, true, true, ErrorCode::kNoSpace}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace keyturn::store
