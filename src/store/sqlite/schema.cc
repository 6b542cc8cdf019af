#include "store/sqlite/schema.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"

namespace keyturn::store {
namespace {

// Version 1. Natural keys, so that the file can be read without us; WITHOUT ROWID, because every
// access is by that key or in its order. A policy's text is stored once; the triggers count its
// uses and remove it with the last one.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  account TEXT NOT NULL,
  name    TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_policies (
  account  TEXT NOT NULL,
  user     TEXT NOT NULL,
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  text     TEXT NOT NULL,
  PRIMARY KEY (account, user, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_keys (
  id            TEXT NOT NULL PRIMARY KEY,
  account       TEXT NOT NULL,
  user          TEXT NOT NULL,
  active        INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  sealed_secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_keys_by_user ON access_keys (account, user);

CREATE TABLE policies (
  id   INTEGER PRIMARY KEY,
  uses INTEGER NOT NULL,
  text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE keys (
  account             TEXT NOT NULL,
  region              TEXT NOT NULL,
  id                  TEXT NOT NULL,
  version             INTEGER NOT NULL,
  manager             TEXT NOT NULL,
  spec                TEXT NOT NULL,
  usage               TEXT NOT NULL,
  origin              TEXT NOT NULL,
  multi_region        INTEGER NOT NULL,
  state               TEXT NOT NULL,
  creation_date       INTEGER NOT NULL,
  deletion_date       INTEGER,
  rotation_period     INTEGER,
  rotation_next       INTEGER,
  on_demand_rotations INTEGER NOT NULL,
  generation          INTEGER NOT NULL,
  current_material    BLOB NOT NULL,
  policy              INTEGER NOT NULL,
  tags                BLOB NOT NULL,
  description         TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER keys_inserted AFTER INSERT ON keys BEGIN
  UPDATE policies SET uses = uses + 1 WHERE id = new.policy;
END;
CREATE TRIGGER keys_updated AFTER UPDATE OF policy ON keys WHEN old.policy <> new.policy BEGIN
  UPDATE policies SET uses = uses + 1 WHERE id = new.policy;
  UPDATE policies SET uses = uses - 1 WHERE id = old.policy;
  DELETE FROM policies WHERE id = old.policy AND uses = 0;
END;
CREATE TRIGGER keys_deleted AFTER DELETE ON keys BEGIN
  UPDATE policies SET uses = uses - 1 WHERE id = old.policy;
  DELETE FROM policies WHERE id = old.policy AND uses = 0;
END;

CREATE TABLE materials (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  key        TEXT NOT NULL,
  generation INTEGER NOT NULL,
  id         BLOB NOT NULL,
  created    INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  PRIMARY KEY (account, region, key, generation),
  FOREIGN KEY (account, region, key) REFERENCES keys
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX materials_by_id ON materials (id, account, region);

CREATE TABLE rotations (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  key        TEXT NOT NULL,
  generation INTEGER NOT NULL,
  type       TEXT NOT NULL,
  date       INTEGER NOT NULL,
  PRIMARY KEY (account, region, key, generation),
  FOREIGN KEY (account, region, key) REFERENCES keys
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  account           TEXT NOT NULL,
  region            TEXT NOT NULL,
  name              TEXT NOT NULL,
  target            TEXT NOT NULL,
  creation_date     INTEGER NOT NULL,
  last_updated_date INTEGER NOT NULL,
  PRIMARY KEY (account, region, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_target ON aliases (account, region, target);

CREATE TABLE trail (
  position INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL UNIQUE,
  json     TEXT NOT NULL
) STRICT;
)sql";

// Version 2: imported material (its bytes may be missing, it may expire), multi-Region keys, states
// that end by themselves, and when a key was last used. A multi-Region key of version 1 has no
// replicas: it is the primary.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE keys ADD COLUMN primary_region TEXT;
ALTER TABLE keys ADD COLUMN deletion_window INTEGER;
ALTER TABLE keys ADD COLUMN settles INTEGER;
UPDATE keys SET primary_region = region WHERE multi_region = 1;

ALTER TABLE materials ADD COLUMN valid_to INTEGER;
ALTER TABLE materials ADD COLUMN description TEXT NOT NULL DEFAULT '';

CREATE TABLE usage (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  key        TEXT NOT NULL,
  operation  TEXT NOT NULL,
  date       INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (account, region, key),
  FOREIGN KEY (account, region, key) REFERENCES keys
) STRICT, WITHOUT ROWID;
)sql";

// Version 3: groups, roles, identity providers and grants. principal_policies has every policy
// that is not a user's own: type is user, group or role, slot policy, boundary or trust. The
// context_ columns are empty, or a 1 and the pairs as tags are encoded.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE users ADD COLUMN tags BLOB NOT NULL DEFAULT x'';

CREATE TABLE groups (
  account  TEXT NOT NULL,
  name     TEXT NOT NULL,
  group_id TEXT NOT NULL,
  created  INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
  account    TEXT NOT NULL,
  user       TEXT NOT NULL,
  position   INTEGER NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (account, user, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
  account             TEXT NOT NULL,
  name                TEXT NOT NULL,
  path                TEXT NOT NULL,
  role_id             TEXT NOT NULL,
  created             INTEGER NOT NULL,
  session_seconds_max INTEGER NOT NULL,
  tags                BLOB NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE principal_policies (
  account   TEXT NOT NULL,
  type      TEXT NOT NULL,
  principal TEXT NOT NULL,
  slot      TEXT NOT NULL,
  position  INTEGER NOT NULL,
  name      TEXT NOT NULL,
  text      TEXT NOT NULL,
  PRIMARY KEY (account, type, principal, slot, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE providers (
  account   TEXT NOT NULL,
  host      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  audiences TEXT NOT NULL,
  key_set   TEXT NOT NULL,
  PRIMARY KEY (account, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  account            TEXT NOT NULL,
  region             TEXT NOT NULL,
  key                TEXT NOT NULL,
  id                 TEXT NOT NULL,
  created            INTEGER NOT NULL,
  name               TEXT NOT NULL,
  grantee            TEXT NOT NULL,
  retiring_principal TEXT NOT NULL,
  issuing_account    TEXT NOT NULL,
  operations         TEXT NOT NULL,
  context_equals     BLOB NOT NULL,
  context_subset     BLOB NOT NULL,
  PRIMARY KEY (account, region, key, id),
  FOREIGN KEY (account, region, key) REFERENCES keys
) STRICT, WITHOUT ROWID;
)sql";

// Version 4: on-demand rotations that are under way, and events that wait for the webhook.
constexpr const char* kVersion4 = R"sql(
ALTER TABLE keys ADD COLUMN on_demand_started INTEGER;

CREATE TABLE notifications (
  position INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  json     TEXT NOT NULL
) STRICT;
)sql";

// Version 5: custom key stores. A key of one names its store, and in a proxy its external key,
// which no other key of the store has.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE custom_key_stores (
  id            TEXT NOT NULL PRIMARY KEY,
  account       TEXT NOT NULL,
  region        TEXT NOT NULL,
  name          TEXT NOT NULL,
  type          TEXT NOT NULL,
  created       INTEGER NOT NULL,
  state         TEXT NOT NULL,
  error         TEXT,
  settles       INTEGER,
  cluster       TEXT NOT NULL,
  trust_anchor  TEXT NOT NULL,
  uri_endpoint  TEXT NOT NULL,
  uri_path      TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  UNIQUE (account, region, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE keys ADD COLUMN custom_key_store TEXT REFERENCES custom_key_stores;
ALTER TABLE keys ADD COLUMN external_key TEXT;
CREATE INDEX keys_by_store ON keys (custom_key_store) WHERE custom_key_store IS NOT NULL;
CREATE UNIQUE INDEX keys_by_external_key ON keys (custom_key_store, external_key)
  WHERE external_key IS NOT NULL;
)sql";

constexpr Migration kMigrations[] = {
    {1, kVersion1}, {2, kVersion2}, {3, kVersion3}, {4, kVersion4}, {5, kVersion5},
};

// RunOne leaves no transaction open unless the rollback itself fails; closing ends that one.
Status RunOne(Database& database, const Migration& migration) {
  Status done = database.Execute(fmt::format(
      "BEGIN IMMEDIATE; {} ; PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
      migration.sql, kApplicationId, migration.version));
  if (!done && database.in_transaction()) {
    if (const Status undone = database.Execute("ROLLBACK"); !undone) {
      LogError("{}: cannot roll back: {}", database.path(), undone.error().cause);
    }
  }
  return done;
}

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

Status CreateSchema(Database& database, std::span<const Migration> migrations) {
  for (const Migration& migration : migrations) {
    KT_TRY(RunOne(database, migration));
  }
  return {};
}

Result<std::int64_t> CheckVersion(Database& database, std::span<const Migration> migrations) {
  KT_CHECK(!migrations.empty());
  KT_ASSIGN(const std::int64_t application, database.SelectInt("PRAGMA application_id"));
  KT_ASSIGN(const std::int64_t version, database.SelectInt("PRAGMA user_version"));
  if (application != kApplicationId || version < 1) {
    return Fail(ErrorCode::kCorrupt,
                database.path() + ": is not a Keyturn database; restore it from a backup");
  }
  if (version > migrations.back().version) {
    return Fail(
        ErrorCode::kNewerFormat,
        fmt::format("{}: has format version {}, written by a newer Keyturn; this one knows "
                    "versions up to {}. Use the newer program, or restore a backup of before",
                    database.path(), version, migrations.back().version));
  }
  return version;
}

Status Migrate(Database& database, std::span<const Migration> migrations) {
  KT_ASSIGN(const std::int64_t version, CheckVersion(database, migrations));
  for (const Migration& migration : migrations) {
    if (migration.version <= version) {
      continue;
    }
    KT_TRY(RunOne(database, migration));
    LogInfo("{}: migrated to format version {}", database.path(), migration.version);
  }
  return {};
}

}  // namespace keyturn::store
