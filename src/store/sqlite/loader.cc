#include "store/sqlite/loader.h"

#include <fmt/format.h>

#include <limits>
#include <unordered_map>
#include <utility>

#include "store/sqlite/access_rows.h"
#include "store/sqlite/custom_key_store_rows.h"
#include "store/sqlite/row_reader.h"
#include "store/sqlite/writer.h"

namespace keyturn::store {
namespace {

constexpr const char kSelectMeta[] = "SELECT key, value FROM meta ORDER BY key";

Status LoadMetaRows(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectMeta));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "meta");
    std::string key = row.Text();
    visitors.meta(std::move(key), row.Blob());
  }
}

constexpr const char kSelectAccessKeys[] =
    "SELECT id, account, user, active, created, sealed_secret FROM access_keys ORDER BY id";

Status LoadAccessKeys(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectAccessKeys));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "access_keys");
    AccessKeyRow access_key;
    access_key.id = row.Text();
    access_key.account = row.Account();
    access_key.user = row.Text();
    access_key.active = row.Bool();
    access_key.created = row.Instant();
    access_key.sealed_secret = row.Blob();
    if (!row.ok()) {
      return row.Bad(database, 1);
    }
    visitors.access_key(std::move(access_key));
  }
}

using PolicyTexts = std::unordered_map<std::int64_t, std::shared_ptr<const std::string>>;

constexpr const char kSelectPolicies[] = "SELECT id, text FROM policies";

Result<PolicyTexts> LoadPolicies(Database& database) {
  PolicyTexts texts;
  KT_ASSIGN(Cursor cursor, database.Select(kSelectPolicies));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return texts;
    }
    texts.emplace(cursor.Int(0), std::make_shared<const std::string>(cursor.Text(1)));
  }
}

constexpr const char kSelectKeys[] =
    "SELECT account, region, id, version, manager, spec, usage, origin, multi_region, state, "
    "creation_date, deletion_date, rotation_period, rotation_next, on_demand_rotations, "
    "generation, current_material, policy, tags, description, primary_region, deletion_window, "
    "settles, on_demand_started, custom_key_store, external_key FROM keys "
    "ORDER BY account, region, id";

KeyRow ReadKey(RowReader& row, RegionMemo& regions, const PolicyTexts& policies) {
  KeyRow out;
  keys::Key& key = out.key;
  key.account = row.Account();
  key.region = row.Take(regions.Get(row.TextView()));
  key.id = row.Key();
  key.version =
      static_cast<std::uint64_t>(row.IntFrom(1, std::numeric_limits<std::int64_t>::max() - 1));
  key.manager = row.Enum<model::KeyManager>();
  key.spec = row.Enum<model::KeySpec>();
  key.usage = row.Enum<model::KeyUsage>();
  key.origin = row.Enum<model::Origin>();
  key.multi_region = row.Bool();
  key.state = row.Enum<model::KeyState>();
  key.creation_date = row.Instant();
  if (const auto deletion = row.OptionalInt()) {
    key.deletion_date = FromEpochMillis(*deletion);
  }
  const auto period = row.OptionalInt();
  const auto next = row.OptionalInt();
  if (period && next && *period > 0 && *period <= std::numeric_limits<std::int32_t>::max()) {
    key.rotation =
        keys::RotationSchedule{Days{static_cast<std::int32_t>(*period)}, FromEpochMillis(*next)};
  } else if (period || next) {
    row.Take(std::optional<int>());
  }
  key.on_demand_rotations = row.Count();
  key.generation = row.Count();
  key.current_material = row.Material();
  const auto policy = policies.find(row.Int());
  if (policy == policies.end()) {
    row.Take(std::optional<int>());
  } else {
    out.policy_text = policy->second;
  }
  out.tags = row.Take(DecodeTags(row.BlobView()));
  key.description = row.Text();
  if (const auto primary = row.OptionalText()) {
    key.primary_region = row.Take(regions.Get(*primary));
  }
  if (const auto window = row.OptionalInt()) {
    key.deletion_window = Days{static_cast<std::int32_t>(*window)};
  }
  if (const auto settles = row.OptionalInt()) {
    key.settles = FromEpochMillis(*settles);
  }
  if (const auto started = row.OptionalInt()) {
    key.on_demand_started = FromEpochMillis(*started);
  }
  const auto custom_key_store = row.OptionalText();
  const auto external_key = row.OptionalText();
  if (custom_key_store) {
    key.custody = std::make_shared<const keys::Custody>(
        keys::Custody{.store = std::string(*custom_key_store),
                      .external_key = std::string(external_key.value_or(std::string_view()))});
  }
  return out;
}

Status LoadKeys(Database& database, const Visitors& visitors) {
  KT_ASSIGN(const PolicyTexts policies, LoadPolicies(database));
  KT_ASSIGN(Cursor cursor, database.Select(kSelectKeys));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "keys");
    KeyRow key = ReadKey(row, regions, policies);
    if (!row.ok()) {
      return row.Bad(database, 3);
    }
    visitors.key(std::move(key));
  }
}

constexpr const char kSelectMaterials[] =
    "SELECT account, region, key, generation, id, created, sealed, valid_to, description "
    "FROM materials "
    "ORDER BY account, region, key, generation";

MaterialRow ReadMaterialRow(RowReader& row, RegionMemo& regions) {
  MaterialRow out;
  out.account = row.Account();
  out.region = row.Take(regions.Get(row.TextView()));
  out.key = row.Key();
  out.generation = row.Count();
  out.id = row.Material();
  out.created = row.Instant();
  out.sealed = row.Blob();
  if (const auto valid_to = row.OptionalInt()) {
    out.valid_to = FromEpochMillis(*valid_to);
  }
  out.description = row.Text();
  return out;
}

Status LoadMaterials(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectMaterials));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "materials");
    MaterialRow material = ReadMaterialRow(row, regions);
    if (!row.ok()) {
      return row.Bad(database, 4);
    }
    visitors.material(std::move(material));
  }
}

constexpr const char kSelectRotations[] =
    "SELECT account, region, key, generation, type, date FROM rotations "
    "ORDER BY account, region, key, generation";

Status LoadRotations(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectRotations));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "rotations");
    RotationRow rotation;
    rotation.account = row.Account();
    rotation.region = row.Take(regions.Get(row.TextView()));
    rotation.key = row.Key();
    rotation.generation = row.Count();
    rotation.type = row.Enum<model::RotationType>();
    rotation.date = row.Instant();
    if (!row.ok()) {
      return row.Bad(database, 4);
    }
    visitors.rotation(rotation);
  }
}

constexpr const char kSelectUsage[] =
    "SELECT account, region, key, operation, date, event_id, request_id FROM usage "
    "ORDER BY account, region, key";

Status LoadUsage(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectUsage));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "usage");
    UsageRow usage;
    usage.account = row.Account();
    usage.region = row.Take(regions.Get(row.TextView()));
    usage.key = row.Key();
    usage.operation = row.Text();
    usage.date = row.Instant();
    usage.event_id = row.Text();
    usage.request_id = row.Text();
    if (!row.ok()) {
      return row.Bad(database, 3);
    }
    visitors.usage(std::move(usage));
  }
}

constexpr const char kSelectAliases[] =
    "SELECT account, region, name, target, creation_date, last_updated_date FROM aliases "
    "ORDER BY account, region, name";

Status LoadAliases(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectAliases));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    RowReader row(cursor, "aliases");
    AliasRow alias;
    alias.account = row.Account();
    alias.region = row.Take(regions.Get(row.TextView()));
    alias.name = row.Text();
    alias.target = row.Key();
    alias.creation_date = row.Instant();
    alias.last_updated_date = row.Instant();
    if (!row.ok()) {
      return row.Bad(database, 3);
    }
    visitors.alias(std::move(alias));
  }
}

constexpr const char kSelectTrail[] = "SELECT event_id, json FROM trail ORDER BY position";

Status LoadTrail(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectTrail));
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return {};
    }
    visitors.trail(TrailRow{std::string(cursor.Text(0)), std::string(cursor.Text(1))});
  }
}

constexpr const char kSelectMaterial[] =
    "SELECT account, region, key, generation, id, created, sealed, valid_to, description "
    "FROM materials "
    "WHERE id = ? AND account = ? AND region = ? AND key = ?";
constexpr const char kSelectNotifications[] =
    "SELECT id, json FROM notifications ORDER BY position LIMIT ?";
constexpr const char kSelectOneMeta[] = "SELECT value FROM meta WHERE key = ?";

}  // namespace

Status LoadAll(Database& database, const Visitors& visitors) {
  if (visitors.meta) {
    KT_TRY(LoadMetaRows(database, visitors));
  }
  KT_TRY(LoadPrincipals(database, visitors));
  if (visitors.access_key) {
    KT_TRY(LoadAccessKeys(database, visitors));
  }
  if (visitors.custom_key_store) {
    KT_TRY(LoadCustomKeyStores(database, visitors));
  }
  if (visitors.key) {
    KT_TRY(LoadKeys(database, visitors));
  }
  if (visitors.material) {
    KT_TRY(LoadMaterials(database, visitors));
  }
  if (visitors.rotation) {
    KT_TRY(LoadRotations(database, visitors));
  }
  if (visitors.usage) {
    KT_TRY(LoadUsage(database, visitors));
  }
  if (visitors.alias) {
    KT_TRY(LoadAliases(database, visitors));
  }
  if (visitors.grant) {
    KT_TRY(LoadGrants(database, visitors));
  }
  if (visitors.trail) {
    KT_TRY(LoadTrail(database, visitors));
  }
  return {};
}

Result<MaterialRow> LoadMaterial(Database& database, const MaterialRef& material) {
  KT_ASSIGN(Cursor cursor,
            database.Select(kSelectMaterial, material.id.bytes(), material.key.account.text(),
                            material.key.region.name(), material.key.id.text()));
  KT_ASSIGN(const bool found, cursor.Next());
  if (!found) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no material {} of key {}", material.id.hex(), material.key.id.text()));
  }
  RegionMemo regions;
  RowReader row(cursor, "materials");
  MaterialRow out = ReadMaterialRow(row, regions);
  if (!row.ok()) {
    return row.Bad(database, 4);
  }
  return out;
}

Result<std::vector<NotificationRow>> LoadNotifications(Database& database, std::size_t limit) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectNotifications, static_cast<std::int64_t>(limit)));
  std::vector<NotificationRow> rows;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) {
      return rows;
    }
    rows.push_back({std::string(cursor.Text(0)), std::string(cursor.Text(1))});
  }
}

Result<std::optional<Bytes>> LoadMeta(Database& database, const std::string& key) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelectOneMeta, std::string_view(key)));
  KT_ASSIGN(const bool found, cursor.Next());
  if (!found) {
    return std::optional<Bytes>();
  }
  const ByteView value = cursor.Blob(0);
  return std::optional<Bytes>(Bytes(value.begin(), value.end()));
}

}  // namespace keyturn::store
