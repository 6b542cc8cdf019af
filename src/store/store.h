// Store: durable rows, and nothing else. The contract that every engine passes is
// store/store_contract_test.h.
//
// A Change is what one API call wants written; Commit writes a group of them in one transaction:
// all or none, on stable storage when it returns. Rows hold secrets only sealed. Material and
// rotation rows are insert-only: a second insert of the same id is kConflict and the group fails;
// they go only with their key (PurgeKey). One exception: the bytes of imported material come and go
// (SetImport), its id and generation stay. Key rows are compare-and-set on Key::version: the
// version given is the one read; the row must hold it (0 = must not exist) and gets version + 1.
//
// Thread-safety: Commit and the Read* calls may come from any threads; commits are serial.
// Errors: kConflict (compare-and-set or duplicate), kNoSpace, kReadOnly, kCorrupt, kNewerFormat,
// kLocked, kIo. After any error nothing of the group is visible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "keys/key.h"
#include "model/enums.h"
#include "model/ids.h"

namespace keyturn::store {

struct Tag {
  std::string key;
  std::string value;
  bool operator==(const Tag&) const = default;
};

// KeyRow: policy_text is kept once however many keys share it.
struct KeyRow {
  keys::Key key;
  std::shared_ptr<const std::string> policy_text;
  std::vector<Tag> tags;
};

// MaterialRow: one generation of key material. PREPARED is not stored: a material whose generation
// is above its key's current one has been prepared only (docs/rotation.md).
struct MaterialRow {
  model::MaterialId id;
  model::KeyId key;
  model::AccountId account;
  model::Region region;
  std::uint32_t generation = 0;
  TimePoint created;
  Bytes sealed;  // empty: imported material whose bytes were deleted or have expired
  // Of imported material only:
  std::optional<TimePoint> valid_to = {};
  std::string description = {};
};

// UsageRow: when a key was last used in a cryptographic operation.
struct UsageRow {
  model::AccountId account;
  model::Region region;
  model::KeyId key;
  std::string operation;
  TimePoint date;
  std::string event_id;
  std::string request_id;
};

// RotationRow: one completed rotation, the history of ListKeyRotations.
struct RotationRow {
  model::KeyId key;
  model::AccountId account;
  model::Region region;
  std::uint32_t generation = 0;  // of the material that became current
  model::RotationType type = model::RotationType::kAutomatic;
  TimePoint date;
};

// KeyRef: a key row's identity. The same mrk- id may exist in several regions.
struct KeyRef {
  model::AccountId account;
  model::Region region;
  model::KeyId id;
  bool operator==(const KeyRef&) const = default;
};

// MaterialRef: a material row's identity. Replicas of a multi-Region key share material ids, so an
// id alone names one row only within an account and region.
struct MaterialRef {
  KeyRef key;
  model::MaterialId id;
  bool operator==(const MaterialRef&) const = default;
};

struct AliasRow {
  model::AccountId account;
  model::Region region;
  std::string name;  // with "alias/"
  model::KeyId target;
  TimePoint creation_date;
  TimePoint last_updated_date;
};

struct NamedPolicy {
  std::string name;
  std::string text;
};

struct UserRow {
  model::AccountId account;
  std::string name;
  std::string user_id;  // AIDA...
  TimePoint created;
  std::vector<NamedPolicy> policies;
  std::vector<std::string> groups = {};  // names, in the order of joining
  std::optional<NamedPolicy> boundary = {};
  std::vector<Tag> tags = {};
};

struct GroupRow {
  model::AccountId account;
  std::string name;
  std::string group_id;  // AGPA...
  TimePoint created;
  std::vector<NamedPolicy> policies;
};

struct RoleRow {
  model::AccountId account;
  std::string name;
  std::string path = "/";  // begins and ends with a slash
  std::string role_id;     // AROA...
  TimePoint created;
  std::string trust;  // policy text
  std::vector<NamedPolicy> policies;
  std::optional<NamedPolicy> boundary = {};
  std::vector<Tag> tags = {};
  std::uint32_t session_seconds_max = 3600;
};

// ProviderRow: an OpenID Connect issuer whose tokens an account's roles may trust.
struct ProviderRow {
  model::AccountId account;
  std::string host;  // the issuer without https://, "id.example.com/path"
  TimePoint created;
  std::vector<std::string> audiences;
  std::string key_set;  // JWKS, as given
};

// GrantRow: insert-only; a grant goes by itself or with its key.
struct GrantRow {
  model::AccountId account;  // of the key
  model::Region region;
  model::KeyId key;
  std::string id;  // 64 hex digits
  TimePoint created;
  std::string name;                // empty: none
  std::string grantee;             // ARN
  std::string retiring_principal;  // ARN or empty
  model::AccountId issuing_account;
  std::vector<model::GrantOperation> operations;
  std::optional<std::vector<Tag>> context_equals = {};  // encryption context pairs
  std::optional<std::vector<Tag>> context_subset = {};
};

struct GrantRef {
  model::AccountId account;
  model::Region region;
  model::KeyId key;
  std::string id;
};

// CustomKeyStoreRow: replaced and deleted by id. One that has keys cannot be deleted (kConflict).
struct CustomKeyStoreRow {
  std::string id;  // cks- and 17 hex digits
  model::AccountId account;
  model::Region region;
  std::string name;
  model::CustomKeyStoreType type = model::CustomKeyStoreType::kAwsCloudhsm;
  TimePoint created;
  // state: CONNECTED, DISCONNECTED or FAILED. While settles is set the store is on its way there.
  model::ConnectionStateType state = model::ConnectionStateType::kDisconnected;
  std::optional<model::ConnectionErrorCodeType> error = {};  // only in FAILED
  std::optional<TimePoint> settles = {};
  std::string cluster = {};       // of a token; else empty
  std::string trust_anchor = {};  // likewise, PEM as given
  std::string uri_endpoint = {};  // of a proxy; else empty
  std::string uri_path = {};      // likewise
  Bytes sealed_secret = {};       // the token's PIN, or the proxy's credential
};

struct AccessKeyRow {
  std::string id;  // AKIA...
  model::AccountId account;
  std::string user;
  bool active = true;
  TimePoint created;
  Bytes sealed_secret;
};

// TrailRow: a trail record on its way from the transaction to the segment file.
struct TrailRow {
  std::string event_id;
  std::string json;
};

// NotificationRow: an event on its way to the operator's webhook.
struct NotificationRow {
  std::string id;
  std::string json;
};

// Change: carried out in the order of its members.
struct Change {
  // Initializers throughout, so that a change can name just the members that it has.
  std::vector<CustomKeyStoreRow> put_custom_key_stores = {};
  std::vector<KeyRow> put_keys = {};
  std::vector<MaterialRow> insert_materials = {};
  std::vector<RotationRow> insert_rotations = {};
  // set_imports: the bytes, expiry and description of an imported material. Refused (kConflict)
  // when there is no such material or its key's origin is not EXTERNAL.
  std::vector<MaterialRow> set_imports = {};
  // drop_materials: prepared materials that nothing was encrypted under. Refused (kConflict) for a
  // generation at or below the key's current one, and for a material that is not there.
  std::vector<MaterialRef> drop_materials = {};
  std::vector<KeyRef> purge_keys = {};  // with materials, rotations, aliases, grants and usage
  std::vector<std::string> delete_custom_key_stores = {};  // ids
  std::vector<AliasRow> put_aliases = {};
  std::vector<AliasRow> delete_aliases = {};  // account, region and name count
  std::vector<UserRow> put_users = {};
  std::vector<std::pair<model::AccountId, std::string>> delete_users =
      {};  // with their access keys
  // Groups, roles and providers are replaced and deleted by account and name (host).
  std::vector<GroupRow> put_groups = {};
  std::vector<std::pair<model::AccountId, std::string>> delete_groups = {};
  std::vector<RoleRow> put_roles = {};
  std::vector<std::pair<model::AccountId, std::string>> delete_roles = {};
  std::vector<ProviderRow> put_providers = {};
  std::vector<std::pair<model::AccountId, std::string>> delete_providers = {};
  // insert_grants: kConflict when the grant exists or its key does not.
  std::vector<GrantRow> insert_grants = {};
  std::vector<GrantRef> delete_grants = {};  // one that is not there is no error
  std::vector<AccessKeyRow> put_access_keys = {};
  std::vector<std::string> delete_access_keys = {};
  std::vector<TrailRow> insert_trail = {};
  std::vector<std::string> delete_trail = {};  // event ids
  std::vector<std::pair<std::string, Bytes>> put_meta = {};
  std::vector<UsageRow> put_usage = {};  // of keys that are gone: ignored
  std::vector<NotificationRow> insert_notifications = {};
  std::vector<std::string> delete_notifications = {};  // ids; one that is not there is no error
};

// Visitors of Load; each is called once a row, rows of one kind together, in the order below.
// Keys come ordered by (account, region, id), materials and rotations by (account, region, key,
// generation), trail rows in the order of their insertion. A visitor may be empty.
struct Visitors {
  std::function<void(std::string key, Bytes value)> meta;
  std::function<void(GroupRow)> group;
  std::function<void(RoleRow)> role;
  std::function<void(ProviderRow)> provider;
  std::function<void(UserRow)> user;
  std::function<void(AccessKeyRow)> access_key;
  std::function<void(CustomKeyStoreRow)> custom_key_store;
  std::function<void(KeyRow)> key;
  std::function<void(MaterialRow)> material;
  std::function<void(RotationRow)> rotation;
  std::function<void(UsageRow)> usage;
  std::function<void(AliasRow)> alias;
  std::function<void(GrantRow)> grant;
  std::function<void(TrailRow)> trail;
};

class Store {
 public:
  virtual ~Store() = default;
  // Load visits all rows of one consistent snapshot. Visitors must not call the store. kCorrupt
  // names the row that does not make sense.
  virtual Status Load(const Visitors& visitors) = 0;
  virtual Status Commit(std::span<const Change> changes) = 0;
  // ReadMaterial reads from stable storage, not from a cache: step T1 of a rotation looks at what
  // is really there. kNotFound if absent.
  virtual Result<MaterialRow> ReadMaterial(const MaterialRef& material) = 0;
  virtual Result<std::optional<Bytes>> ReadMeta(const std::string& key) = 0;
  // ReadNotifications returns the oldest ones, in the order of their insertion.
  virtual Result<std::vector<NotificationRow>> ReadNotifications(std::size_t limit) = 0;
};

// QuickCheck: when SQLite's integrity check (PRAGMA quick_check) is made. Either way a damaged file
// is kCorrupt and not changed.
enum class QuickCheck : std::uint8_t {
  kAtOpen,
  // kWithLoad: by the first Load, beside its own reading, which must come before any Commit. A file
  // that has to be changed before it can be used is checked at open all the same.
  kWithLoad,
};

struct SqliteOptions {
  // create: make a new database; without it a missing file is kNotFound. Creating over an existing
  // file is kConflict.
  bool create = false;
  QuickCheck quick_check = QuickCheck::kAtOpen;
  // vfs: name of a registered SQLite VFS, for fault tests; empty = the operating system's.
  std::string vfs = {};
};

// OpenSqlite opens or creates directory/keyturn.db and takes the directory's lock
// (directory/keyturn.lock, flock) for the life of the store. Creating makes the directory too (mode
// 0700) if it is missing; all files have mode 0600. A file that is refused is not changed.
Result<std::unique_ptr<Store>> OpenSqlite(const std::filesystem::path& directory,
                                          const SqliteOptions& options);

// ReadMetaInUse is Store::ReadMeta of several keys in one snapshot, for a directory whose lock
// another process has: it takes none and changes nothing. A file of another version is refused.
Result<std::vector<std::optional<Bytes>>> ReadMetaInUse(const std::filesystem::path& directory,
                                                        std::span<const std::string> keys);

// CopySqlite writes one snapshot of directory/keyturn.db, also of a directory that another process
// has open, to a new file (mode 0600), and syncs it. The copy is whole by itself, without a
// write-ahead log, and has nothing of what was destroyed before. No row is changed; a directory
// that nobody has open is locked meanwhile, and may keep SQLite's two files of an empty log.
// kConflict when the file exists; kNewerFormat, kUsage for a file of another version. On error no
// file is left. The caller syncs the copy's directory.
Status CopySqlite(const std::filesystem::path& directory, const std::filesystem::path& copy);

}  // namespace keyturn::store
