#include "store/sqlite/writer.h"

#include <fmt/format.h>

#include <utility>

#include "base/hex.h"
#include "store/sqlite/access_rows.h"
#include "store/sqlite/custom_key_store_rows.h"

namespace keyturn::store {
namespace {

using model::ToWire;

// OnConflict replaces the text of a kConflict, which knows the file only, with one that knows the
// row.
template <typename T>
Status OnConflict(const Result<T>& result, const std::string& message) {
  if (result) {
    return {};
  }
  Error error = result.error();
  if (error.code == ErrorCode::kConflict) {
    error.message = message;
  }
  return Fail(std::move(error));
}

std::optional<std::int64_t> Milliseconds(const std::optional<TimePoint>& instant) {
  if (!instant) {
    return std::nullopt;
  }
  return ToEpochMillis(*instant);
}

constexpr const char kFindPolicy[] = "SELECT id FROM policies WHERE text = ?";
constexpr const char kInsertPolicy[] = "INSERT INTO policies (uses, text) VALUES (0, ?)";

Result<std::int64_t> PolicyId(Database& database, std::string_view text) {
  {
    KT_ASSIGN(Cursor row, database.Select(kFindPolicy, text));
    KT_ASSIGN(const bool found, row.Next());
    if (found) {
      return row.Int(0);
    }
  }
  KT_TRY(database.Run(kInsertPolicy, text));
  return database.last_insert_id();
}

constexpr const char kInsertKey[] =
    "INSERT INTO keys (version, manager, spec, usage, origin, multi_region, state, creation_date, "
    "deletion_date, rotation_period, rotation_next, on_demand_rotations, generation, "
    "current_material, policy, tags, description, primary_region, deletion_window, settles, "
    "on_demand_started, custom_key_store, external_key, account, region, id) VALUES "
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULLIF(?,''),?,?,?,NULLIF(?,''),NULLIF(?,''),?,?,?)";
constexpr const char kUpdateKey[] =
    "UPDATE keys SET version = ?, manager = ?, spec = ?, usage = ?, origin = ?, multi_region = ?, "
    "state = ?, creation_date = ?, deletion_date = ?, rotation_period = ?, rotation_next = ?, "
    "on_demand_rotations = ?, generation = ?, current_material = ?, policy = ?, tags = ?, "
    "description = ?, primary_region = NULLIF(?,''), deletion_window = ?, settles = ?, "
    "on_demand_started = ?, custom_key_store = NULLIF(?,''), external_key = NULLIF(?,'') WHERE "
    "account = ? AND region = ? AND id = ? AND version = ?";

Status PutKey(Database& database, const KeyRow& row) {
  const keys::Key& key = row.key;
  KT_ASSIGN(const std::int64_t policy,
            PolicyId(database, row.policy_text ? std::string_view(*row.policy_text) : ""));
  const Bytes tags = EncodeTags(row.tags);
  std::optional<std::int64_t> period;
  std::optional<std::int64_t> next;
  if (key.rotation) {
    period = key.rotation->period.count();
    next = ToEpochMillis(key.rotation->next);
  }
  std::optional<std::int64_t> window;
  if (key.deletion_window) {
    window = key.deletion_window->count();
  }
  static const keys::Custody kHere;
  const keys::Custody& custody = key.custody ? *key.custody : kHere;
  const auto version = static_cast<std::int64_t>(key.version);
  const auto run = [&](const char* sql, const auto&... more) {
    return database.Run(
        sql, version + 1, ToWire(key.manager), ToWire(key.spec), ToWire(key.usage),
        ToWire(key.origin), key.multi_region, ToWire(key.state), ToEpochMillis(key.creation_date),
        Milliseconds(key.deletion_date), period, next, key.on_demand_rotations, key.generation,
        key.current_material.bytes(), policy, tags, key.description, key.primary_region.name(),
        window, Milliseconds(key.settles), Milliseconds(key.on_demand_started), custody.store,
        custody.external_key, key.account.text(), key.region.name(), key.id.text(), more...);
  };
  if (version == 0) {
    return OnConflict(
        run(kInsertKey),
        fmt::format("key {} exists already, or its external key has a key, or its store is gone",
                    key.arn()));
  }
  KT_ASSIGN(const std::int64_t changed, run(kUpdateKey, version));
  if (changed != 1) {
    return Fail(ErrorCode::kConflict,
                fmt::format("key {} is not at version {} any more", key.arn(), version));
  }
  return {};
}

constexpr const char kInsertMaterial[] =
    "INSERT INTO materials (account, region, key, generation, id, created, sealed, valid_to, "
    "description) VALUES (?,?,?,?,?,?,?,?,?)";

Status InsertMaterial(Database& database, const MaterialRow& row) {
  return OnConflict(
      database.Run(kInsertMaterial, row.account.text(), row.region.name(), row.key.text(),
                   row.generation, row.id.bytes(), ToEpochMillis(row.created), row.sealed,
                   Milliseconds(row.valid_to), row.description),
      fmt::format("material {} or generation {} of key {} exists already, or the key does not",
                  row.id.hex(), row.generation, row.key.text()));
}

constexpr const char kSetImport[] =
    "UPDATE materials SET sealed = ?1, valid_to = ?2, description = ?3 WHERE id = ?4 AND "
    "account = ?5 AND region = ?6 AND key = ?7 AND (SELECT origin FROM keys WHERE account = ?5 AND "
    "region = ?6 AND id = ?7) = 'EXTERNAL'";

Status SetImport(Database& database, const MaterialRow& row) {
  KT_ASSIGN(const std::int64_t changed,
            database.Run(kSetImport, row.sealed, Milliseconds(row.valid_to), row.description,
                         row.id.bytes(), row.account.text(), row.region.name(), row.key.text()));
  if (changed != 1) {
    return Fail(ErrorCode::kConflict, fmt::format("material {} of key {} is not imported material",
                                                  row.id.hex(), row.key.text()));
  }
  return {};
}

constexpr const char kInsertRotation[] =
    "INSERT INTO rotations (account, region, key, generation, type, date) VALUES (?,?,?,?,?,?)";

Status InsertRotation(Database& database, const RotationRow& row) {
  return OnConflict(
      database.Run(kInsertRotation, row.account.text(), row.region.name(), row.key.text(),
                   row.generation, ToWire(row.type), ToEpochMillis(row.date)),
      fmt::format("the rotation of key {} to generation {} exists already, or the key does not",
                  row.key.text(), row.generation));
}

constexpr const char kDropMaterial[] =
    "DELETE FROM materials WHERE id = ?1 AND account = ?2 AND region = ?3 AND key = ?4 AND "
    "generation > (SELECT generation FROM keys WHERE account = ?2 AND region = ?3 AND id = ?4)";

Status DropMaterial(Database& database, const MaterialRef& ref) {
  KT_ASSIGN(const std::int64_t dropped,
            database.Run(kDropMaterial, ref.id.bytes(), ref.key.account.text(),
                         ref.key.region.name(), ref.key.id.text()));
  if (dropped != 1) {
    return Fail(ErrorCode::kConflict,
                fmt::format("material {} of key {} is not one that was only prepared", ref.id.hex(),
                            ref.key.id.text()));
  }
  return {};
}

// In the order that the foreign keys ask for.
constexpr const char kPurgeAliases[] =
    "DELETE FROM aliases WHERE account = ? AND region = ? AND target = ?";
constexpr const char kPurgeUsage[] =
    "DELETE FROM usage WHERE account = ? AND region = ? AND key = ?";
constexpr const char kPurgeGrants[] =
    "DELETE FROM grants WHERE account = ? AND region = ? AND key = ?";
constexpr const char kPurgeRotations[] =
    "DELETE FROM rotations WHERE account = ? AND region = ? AND key = ?";
constexpr const char kPurgeMaterials[] =
    "DELETE FROM materials WHERE account = ? AND region = ? AND key = ?";
constexpr const char kPurgeKey[] = "DELETE FROM keys WHERE account = ? AND region = ? AND id = ?";

Status PurgeKey(Database& database, const KeyRef& ref) {
  for (const char* sql :
       {kPurgeAliases, kPurgeUsage, kPurgeGrants, kPurgeRotations, kPurgeMaterials, kPurgeKey}) {
    KT_TRY(database.Run(sql, ref.account.text(), ref.region.name(), ref.id.text()));
  }
  return {};
}

constexpr const char kPutAlias[] =
    "INSERT INTO aliases (account, region, name, target, creation_date, last_updated_date) "
    "VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET target = excluded.target, "
    "creation_date = excluded.creation_date, last_updated_date = excluded.last_updated_date";
constexpr const char kDeleteAlias[] =
    "DELETE FROM aliases WHERE account = ? AND region = ? AND name = ?";

constexpr const char kPutAccessKey[] =
    "INSERT INTO access_keys (id, account, user, active, created, sealed_secret) "
    "VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET account = excluded.account, "
    "user = excluded.user, active = excluded.active, created = excluded.created, "
    "sealed_secret = excluded.sealed_secret";
constexpr const char kDeleteAccessKeysOfUser[] =
    "DELETE FROM access_keys WHERE account = ? AND user = ?";
constexpr const char kDeleteAccessKey[] = "DELETE FROM access_keys WHERE id = ?";

constexpr const char kInsertTrail[] = "INSERT INTO trail (event_id, json) VALUES (?,?)";
constexpr const char kDeleteTrail[] = "DELETE FROM trail WHERE event_id = ?";

constexpr const char kPutUsage[] =
    "INSERT INTO usage (account, region, key, operation, date, event_id, request_id) "
    "SELECT ?1,?2,?3,?4,?5,?6,?7 WHERE EXISTS (SELECT 1 FROM keys WHERE account = ?1 AND region = "
    "?2 "
    "AND id = ?3) ON CONFLICT DO UPDATE SET operation = excluded.operation, date = excluded.date, "
    "event_id = excluded.event_id, request_id = excluded.request_id";

constexpr const char kInsertNotification[] = "INSERT INTO notifications (id, json) VALUES (?,?)";
constexpr const char kDeleteNotification[] = "DELETE FROM notifications WHERE id = ?";

constexpr const char kPutMeta[] =
    "INSERT INTO meta (key, value) VALUES (?,?) ON CONFLICT DO UPDATE SET value = excluded.value";

Status ApplyKeys(Database& database, const Change& change) {
  KT_TRY(PutCustomKeyStores(database, change));
  for (const KeyRow& row : change.put_keys) {
    KT_TRY(PutKey(database, row));
  }
  for (const MaterialRow& row : change.insert_materials) {
    KT_TRY(InsertMaterial(database, row));
  }
  for (const RotationRow& row : change.insert_rotations) {
    KT_TRY(InsertRotation(database, row));
  }
  for (const MaterialRow& row : change.set_imports) {
    KT_TRY(SetImport(database, row));
  }
  for (const MaterialRef& ref : change.drop_materials) {
    KT_TRY(DropMaterial(database, ref));
  }
  for (const KeyRef& ref : change.purge_keys) {
    KT_TRY(PurgeKey(database, ref));
  }
  KT_TRY(DeleteCustomKeyStores(database, change));
  for (const AliasRow& row : change.put_aliases) {
    KT_TRY(database.Run(kPutAlias, row.account.text(), row.region.name(), row.name,
                        row.target.text(), ToEpochMillis(row.creation_date),
                        ToEpochMillis(row.last_updated_date)));
  }
  for (const AliasRow& row : change.delete_aliases) {
    KT_TRY(database.Run(kDeleteAlias, row.account.text(), row.region.name(), row.name));
  }
  return {};
}

Status ApplyUsers(Database& database, const Change& change) {
  KT_TRY(ApplyPrincipals(database, change));
  for (const auto& [account, name] : change.delete_users) {
    KT_TRY(database.Run(kDeleteAccessKeysOfUser, account.text(), name));
  }
  for (const AccessKeyRow& row : change.put_access_keys) {
    KT_TRY(database.Run(kPutAccessKey, row.id, row.account.text(), row.user, row.active,
                        ToEpochMillis(row.created), row.sealed_secret));
  }
  for (const std::string& id : change.delete_access_keys) {
    KT_TRY(database.Run(kDeleteAccessKey, id));
  }
  return {};
}

void AppendField(std::string_view field, Bytes& out) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  out.insert(out.end(), field.begin(), field.end());
}

std::optional<std::string> TakeField(ByteView& bytes) {
  if (bytes.size() < 4) {
    return std::nullopt;
  }
  std::uint32_t size = 0;
  for (unsigned i = 0; i < 4; ++i) {
    size |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  }
  bytes = bytes.subspan(4);
  if (bytes.size() < size) {
    return std::nullopt;
  }
  std::string field(AsText(bytes.first(size)));
  bytes = bytes.subspan(size);
  return field;
}

}  // namespace

Status Apply(Database& database, const Change& change) {
  KT_TRY(ApplyKeys(database, change));
  KT_TRY(ApplyUsers(database, change));
  KT_TRY(ApplyGrants(database, change));
  for (const TrailRow& row : change.insert_trail) {
    KT_TRY(OnConflict(database.Run(kInsertTrail, row.event_id, row.json),
                      fmt::format("trail record {} exists already", row.event_id)));
  }
  for (const std::string& event_id : change.delete_trail) {
    KT_TRY(database.Run(kDeleteTrail, event_id));
  }
  for (const auto& [key, value] : change.put_meta) {
    KT_TRY(database.Run(kPutMeta, key, value));
  }
  for (const UsageRow& row : change.put_usage) {
    KT_TRY(database.Run(kPutUsage, row.account.text(), row.region.name(), row.key.text(),
                        row.operation, ToEpochMillis(row.date), row.event_id, row.request_id));
  }
  for (const NotificationRow& row : change.insert_notifications) {
    KT_TRY(OnConflict(database.Run(kInsertNotification, row.id, row.json),
                      fmt::format("notification {} exists already", row.id)));
  }
  for (const std::string& id : change.delete_notifications) {
    KT_TRY(database.Run(kDeleteNotification, id));
  }
  return {};
}

Bytes EncodeTags(const std::vector<Tag>& tags) {
  Bytes out;
  for (const Tag& tag : tags) {
    AppendField(tag.key, out);
    AppendField(tag.value, out);
  }
  return out;
}

std::optional<std::vector<Tag>> DecodeTags(ByteView bytes) {
  std::vector<Tag> tags;
  while (!bytes.empty()) {
    std::optional<std::string> key = TakeField(bytes);
    std::optional<std::string> value = key ? TakeField(bytes) : std::nullopt;
    if (!value) {
      return std::nullopt;
    }
    tags.push_back({std::move(*key), std::move(*value)});
  }
  return tags;
}

}  // namespace keyturn::store
