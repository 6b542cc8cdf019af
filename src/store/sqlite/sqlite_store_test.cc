// The embedded store: the contract of all stores, and what is particular to a file on a disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_file_test.h"
#include "store/sqlite/writer.h"
#include "store/store_contract_test.h"

namespace keyturn::store {
namespace {

using testing::HasSubstr;

class SqliteSite final : public Site {
 public:
  std::unique_ptr<Store> Open() override {
    auto store = OpenSqlite(directory_.path() / "data", {.create = first_});
    first_ = false;
    EXPECT_TRUE(store) << (store ? "" : store.error().message + " " + store.error().cause);
    return store ? std::move(*store) : nullptr;
  }

 private:
  TempDirectory directory_;
  bool first_ = true;
};

std::unique_ptr<Site> MakeSqliteSite() { return std::make_unique<SqliteSite>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(&MakeSqliteSite),
                         [](const auto&) { return std::string("Store"); });

TEST_F(SqliteFile, MissingIsNotFoundAndTellsWhatToDo) {
  const Error error = OpenError();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr(directory().string()));
  EXPECT_THAT(error.message, HasSubstr("keyturn init"));
  EXPECT_FALSE(fs::exists(directory())) << "looking for a store makes nothing";
}

TEST_F(SqliteFile, CreatingOverAnExistingOneIsAConflictAndHarmless) {
  MakeStoreWithAKey();
  EXPECT_EQ(OpenError({.create = true}).code, ErrorCode::kConflict);
  EXPECT_EQ(ContentsOf(*MustOpen({})).keys.size(), 1U);
}

TEST_F(SqliteFile, OnlyTheOwnerCanReadAnything) {
  const mode_t before = umask(0);
  const auto store = MustOpen({.create = true});
  ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(1), 1)));
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat(directory().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(directory())) {
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 3) << "database, log, lock";
}

TEST_F(SqliteFile, ASecondProcessIsRefusedAndToldWho) {
  auto store = MustOpen({.create = true});
  for (const bool create : {false, true}) {
    const Error error = OpenError({.create = create});
    EXPECT_EQ(error.code, ErrorCode::kLocked);
    EXPECT_THAT(error.message, HasSubstr(directory().string()));
    EXPECT_THAT(error.message, HasSubstr(std::to_string(getpid())));
  }
  store.reset();
  EXPECT_NE(MustOpen({}), nullptr) << "the lock ends with its owner";
}

TEST_F(SqliteFile, ALockFileThatNobodyHoldsIsNoObstacle) {
  MakeStoreWithAKey();
  WriteFile(directory() / "keyturn.lock", "999999 left by a process that was killed");
  EXPECT_NE(MustOpen({}), nullptr);
}

TEST_F(SqliteFile, WhatAnInterruptedInitLeftIsReplaced) {
  fs::create_directory(directory());
  WriteFile(directory() / "keyturn.db.new", "half a database");
  WriteFile(directory() / "keyturn.db.new-journal", "and its journal");
  const auto store = MustOpen({.create = true});
  EXPECT_TRUE(CommitOne(*store, CreateKey(TestKey(1), 1)));
  EXPECT_FALSE(fs::exists(directory() / "keyturn.db.new"));
}

TEST_F(SqliteFile, FilesThatAreNoDatabaseAreCorruptAndUntouched) {
  MakeStoreWithAKey();
  std::string text(20'000, 'x');
  for (const std::string& bytes : {std::string(), std::string("hello"), text}) {
    WriteFile(file(), bytes);
    const Error error = OpenError();
    EXPECT_EQ(error.code, ErrorCode::kCorrupt) << bytes.size();
    EXPECT_THAT(error.message, HasSubstr(file().string()));
    EXPECT_EQ(ReadFile(file()), bytes) << "not changed";
  }
}

TEST_F(SqliteFile, AnotherProgramsDatabaseIsRefused) {
  fs::create_directory(directory());
  Outside(file(), "CREATE TABLE t (x); PRAGMA user_version = 1;");
  const std::string before = ReadFile(file());
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
  EXPECT_EQ(ReadFile(file()), before);
}

TEST_F(SqliteFile, ADamagedPageIsFoundAtOpen) {
  {
    const auto store = MustOpen({.create = true});
    std::vector<Change> group;
    for (unsigned n = 0; n < 500; ++n) {
      group.push_back(CreateKey(TestKey(n), n));
    }
    ASSERT_TRUE(store->Commit(group));
  }
  const std::string whole = ReadFile(file());
  ASSERT_GT(whole.size(), 100U * 1024);
  std::string damaged = whole;
  for (std::size_t at = 60 * 1024; at < 68 * 1024; ++at) {
    damaged[at] = '\x55';
  }
  WriteFile(file(), damaged);
  const Error error = OpenError();
  EXPECT_EQ(error.code, ErrorCode::kCorrupt);
  EXPECT_EQ(ReadFile(file()), damaged) << "evidence is kept";
  {
    const auto store = MustOpen({.quick_check = QuickCheck::kWithLoad});
    Contents contents;
    const Status loaded = store->Load(CollectInto(contents));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(loaded.error().message, HasSubstr("is damaged: "));
  }
  EXPECT_EQ(ReadFile(file()), damaged) << "evidence is kept";
  WriteFile(file(), whole.substr(0, whole.size() / 2));
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt) << "cut short";
}

TEST_F(SqliteFile, AFileThatIsCheckedWhileItIsLoadedIsAsGood) {
  MakeStoreWithAKey();
  const auto store = MustOpen({.quick_check = QuickCheck::kWithLoad});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ContentsOf(*store).keys.size(), 1U);
  }
  ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(2), 2)));
  EXPECT_EQ(ContentsOf(*store).keys.size(), 2U);
}

TEST_F(SqliteFile, AFileThatMustBeChangedIsCheckedAtOpen) {
  {
    const auto store = MustOpen({.create = true});
    std::vector<Change> group;
    for (unsigned n = 0; n < 500; ++n) {
      group.push_back(CreateKey(TestKey(n), n));
    }
    ASSERT_TRUE(store->Commit(group));
  }
  Outside(file(), "PRAGMA journal_mode = DELETE");
  std::string damaged = ReadFile(file());
  std::fill_n(damaged.begin() + 60 * 1024, 8 * 1024, '\x55');
  WriteFile(file(), damaged);
  EXPECT_EQ(OpenError({.quick_check = QuickCheck::kWithLoad}).code, ErrorCode::kCorrupt);
  EXPECT_EQ(ReadFile(file()), damaged) << "not changed";
}

TEST_F(SqliteFile, RowsThatMakeNoSenseAreCorruptAndNamed) {
  MakeStoreWithAKey();
  const std::string good = ReadFile(file());
  for (const char* sql : {"UPDATE keys SET state = 'Sleeping'",
                          "UPDATE keys SET spec = ''",
                          "UPDATE keys SET region = 'nowhere'",
                          "UPDATE keys SET account = '12'",
                          "UPDATE keys SET id = 'x'",
                          "UPDATE keys SET version = 0",
                          "UPDATE keys SET rotation_period = 90",
                          "UPDATE keys SET rotation_next = 90",
                          "UPDATE keys SET rotation_period = 0, rotation_next = 1",
                          "UPDATE keys SET rotation_period = 99999999999, rotation_next = 1",
                          "UPDATE keys SET generation = -1",
                          "UPDATE keys SET generation = 4294967296",
                          "UPDATE keys SET current_material = x'00'",
                          "UPDATE keys SET tags = x'010000'",
                          "UPDATE keys SET tags = x'0100000041'",
                          "UPDATE keys SET multi_region = 2",
                          "DELETE FROM policies",
                          "UPDATE materials SET id = x'00'",
                          "UPDATE materials SET generation = -1",
                          "UPDATE keys SET primary_region = 'nowhere'"}) {
    WriteFile(file(), good);
    Outside(file(), sql);
    const auto store = MustOpen({});
    Contents contents;
    const Status loaded = store->Load(CollectInto(contents));
    ASSERT_FALSE(loaded) << sql;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt) << sql;
    EXPECT_THAT(loaded.error().message, HasSubstr("damaged row in table")) << sql;
  }
}

TEST_F(SqliteFile, CustomKeyStoresThatMakeNoSenseAreCorruptAndNamed) {
  MakeStoreWithAKey();
  ASSERT_TRUE(CommitOne(*MustOpen({}), {.put_custom_key_stores = {TestCustomKeyStore('a')}}));
  const std::string good = ReadFile(file());
  for (const char* sql :
       {"UPDATE custom_key_stores SET state = 'Asleep'", "UPDATE custom_key_stores SET error = ''",
        "UPDATE custom_key_stores SET type = 'X'", "UPDATE custom_key_stores SET account = '1'",
        "UPDATE custom_key_stores SET region = 'nowhere'"}) {
    WriteFile(file(), good);
    Outside(file(), sql);
    Contents contents;
    const Status loaded = MustOpen({})->Load(CollectInto(contents));
    ASSERT_FALSE(loaded) << sql;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt) << sql;
    EXPECT_THAT(loaded.error().message, HasSubstr("custom_key_stores: cks-aaa")) << sql;
  }
}

bool AnyFileContains(const fs::path& directory, const std::string& text) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (ReadFile(entry.path()).find(text) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST_F(SqliteFile, DeletedImportedMaterialIsOverwrittenInEveryFile) {
  const auto store = MustOpen({.create = true});
  KeyRow row = TestKey(1);
  row.key.origin = model::Origin::kExternal;
  const std::string mark = "THE-SEALED-MATERIAL-THAT-WAS-IMPORTED-AND-IS-DELETED";
  Change change = CreateKey(row, 1);
  change.insert_materials[0].sealed.assign(mark.begin(), mark.end());
  ASSERT_TRUE(CommitOne(*store, change));
  ASSERT_TRUE(AnyFileContains(directory(), mark)) << "the test can see it";
  MaterialRow gone = change.insert_materials[0];
  gone.sealed.clear();
  ASSERT_TRUE(CommitOne(*store, {.set_imports = {gone}}));
  EXPECT_FALSE(AnyFileContains(directory(), mark));
}

// As root the kernel grants every write: the test becomes a user to whom permissions apply.
class AsOrdinaryUser {
 public:
  explicit AsOrdinaryUser(const fs::path& directory) {
    if (geteuid() == 0) {
      constexpr uid_t kNobody = 65534;
      EXPECT_EQ(chmod(directory.parent_path().c_str(), 0755), 0);
      EXPECT_EQ(chown(directory.c_str(), kNobody, kNobody), 0);
      for (const auto& entry : fs::directory_iterator(directory)) {
        EXPECT_EQ(chown(entry.path().c_str(), kNobody, kNobody), 0);
      }
      switched_ = seteuid(kNobody) == 0;
      EXPECT_TRUE(switched_);
    }
  }
  ~AsOrdinaryUser() {
    if (switched_) {
      EXPECT_EQ(seteuid(0), 0);
    }
  }

 private:
  bool switched_ = false;
};

TEST_F(SqliteFile, AReadOnlyDirectoryIsReported) {
  MakeStoreWithAKey();
  const AsOrdinaryUser user(directory());
  ASSERT_EQ(chmod(directory().c_str(), 0500), 0);
  for (const bool create : {false, true}) {
    const Error error = OpenError({.create = create});
    EXPECT_EQ(error.code, ErrorCode::kReadOnly);
    EXPECT_THAT(error.message, HasSubstr(directory().string()));
  }
  ASSERT_EQ(chmod(directory().c_str(), 0700), 0);
}

TEST_F(SqliteFile, AReadOnlyFileIsReported) {
  MakeStoreWithAKey();
  const AsOrdinaryUser user(directory());
  ASSERT_EQ(chmod(file().c_str(), 0400), 0);
  const Error error = OpenError();
  EXPECT_EQ(error.code, ErrorCode::kReadOnly);
  EXPECT_THAT(error.message, HasSubstr(file().string()));
}

TEST_F(SqliteFile, ADirectoryThatCannotBeMadeIsReported) {
  const auto store = OpenSqlite(temp_.path() / "no" / "parent", {.create = true});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kIo);
  WriteFile(temp_.path() / "data", "a file where the directory should be");
  EXPECT_FALSE(OpenSqlite(directory(), {.create = true}));
  EXPECT_EQ(OpenError().code, ErrorCode::kNotFound);
}

TEST_F(SqliteFile, PurgedMaterialIsOverwrittenInEveryFile) {
  const auto store = MustOpen({.create = true});
  const KeyRow row = TestKey(1);
  const std::string mark = "THE-SEALED-MATERIAL-OF-A-KEY-THAT-WILL-BE-DESTROYED";
  Change change = CreateKey(row, 1);
  change.insert_materials[0].sealed.assign(mark.begin(), mark.end());
  ASSERT_TRUE(CommitOne(*store, change));
  ASSERT_TRUE(AnyFileContains(directory(), mark)) << "the test can see it";
  ASSERT_TRUE(CommitOne(*store, {.purge_keys = {RefOf(row)}}));
  EXPECT_FALSE(AnyFileContains(directory(), mark));
}

TEST_F(SqliteFile, AnUnusedPolicyTextIsRemoved) {
  {
    const auto store = MustOpen({.create = true});
    ASSERT_TRUE(CommitOne(*store, {.put_keys = {TestKey(1, "A"), TestKey(2, "A")}}));
    for (std::uint64_t version = 1; version <= 20; ++version) {
      KeyRow row = TestKey(1, "text " + std::to_string(version));
      row.key.version = version;
      ASSERT_TRUE(CommitOne(*store, {.put_keys = {row}}));
    }
    ASSERT_TRUE(CommitOne(*store, {.purge_keys = {RefOf(TestKey(2))}}));
  }
  const auto database = Database::Open(file().string(), {.read_only = true});
  ASSERT_TRUE(database);
  EXPECT_EQ(*(*database)->SelectInt("SELECT count(*) FROM policies"), 1);
  EXPECT_EQ(*(*database)->SelectInt("SELECT uses FROM policies WHERE text = 'text 20'"), 1);
}

TEST_F(SqliteFile, ReadsAndCommitsFromManyThreads) {
  const auto store = MustOpen({.create = true});
  constexpr unsigned kThreads = 4;
  constexpr unsigned kKeysEach = 40;
  std::atomic<unsigned> failures{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&store, &failures, t] {
      for (unsigned i = 0; i < kKeysEach; ++i) {
        const unsigned n = t * kKeysEach + i;
        const KeyRow row = TestKey(n);
        if (!CommitOne(*store, CreateKey(row, n)) ||
            !store->ReadMaterial({RefOf(row), MaterialNumber(n, 0)})) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0U);
  EXPECT_EQ(ContentsOf(*store).keys.size(), kThreads * kKeysEach);
}

TEST_F(SqliteFile, OfManyWritersOfOneVersionOneWins) {
  const auto store = MustOpen({.create = true});
  ASSERT_TRUE(CommitOne(*store, CreateKey(TestKey(1), 1)));
  constexpr std::uint64_t kVersions = 50;
  std::atomic<unsigned> won{0};
  std::atomic<unsigned> other_errors{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, &won, &other_errors] {
      for (std::uint64_t version = 1; version <= kVersions; ++version) {
        KeyRow row = TestKey(1);
        row.key.version = version;
        const Status status = CommitOne(*store, {.put_keys = {row}});
        won += status ? 1 : 0;
        other_errors += !status && status.error().code != ErrorCode::kConflict ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(other_errors, 0U);
  EXPECT_EQ(ContentsOf(*store).keys[0].key.version, won + 1U);
  EXPECT_GE(won, 1U);
}

// CommitUntilKilled runs in a child process: it commits key after key and says so after each.
[[noreturn]] void CommitUntilKilled(const fs::path& directory, unsigned first, int acknowledge) {
  auto store = OpenSqlite(directory, {});
  for (unsigned n = first; store; ++n) {
    if (!CommitOne(**store, CreateKey(TestKey(n), n)) ||
        write(acknowledge, &n, sizeof n) != static_cast<ssize_t>(sizeof n)) {
      break;
    }
  }
  _exit(1);
}

TEST_F(SqliteFile, WhatWasAcknowledgedOutlivesAKilledProcess) {
  MustOpen({.create = true});
  unsigned acknowledged = 0;
  for (unsigned round = 1; round <= 10; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      CommitUntilKilled(directory(), round * 10'000, ends[1]);
    }
    close(ends[1]);
    unsigned last = 0;
    for (unsigned i = 0; i < round * 7; ++i, ++acknowledged) {
      ASSERT_EQ(read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    // Those that were acknowledged before the signal came.
    while (read(ends[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
      ++acknowledged;
    }
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it was killed, it did not fail";

    const Contents contents = ContentsOf(*MustOpen({}));
    EXPECT_GE(contents.keys.size(), acknowledged);
    EXPECT_LE(contents.keys.size(), acknowledged + round) << "at most one more a round";
    EXPECT_EQ(contents.materials.size(), contents.keys.size()) << "never half a change";
    const model::KeyId newest = contents.keys.back().key.id;
    EXPECT_TRUE(newest == KeyNumber(last) || newest == KeyNumber(last + 1));
  }
}

TEST(Tags, EncodingRoundTrips) {
  const std::vector<Tag> tags = {{"a", "b"}, {"", ""}, {std::string(128, 'k'), "\xff"}};
  EXPECT_EQ(DecodeTags(EncodeTags(tags)), tags);
  EXPECT_EQ(DecodeTags(EncodeTags({})), std::vector<Tag>());
}

TEST(Tags, NoPrefixOfAnEncodingDecodesUnlessItEndsAtATag) {
  const std::vector<Tag> tags = {{"key", "value"}, {"k", ""}};
  const Bytes bytes = EncodeTags(tags);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto decoded = DecodeTags(ByteView(bytes).first(size));
    EXPECT_EQ(decoded.has_value(), size == 4 + 3 + 4 + 5) << size;
  }
}

}  // namespace
}  // namespace keyturn::store
