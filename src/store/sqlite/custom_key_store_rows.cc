#include "store/sqlite/custom_key_store_rows.h"

#include <fmt/format.h>

#include "store/sqlite/row_reader.h"

namespace keyturn::store {
namespace {

using model::ToWire;

constexpr const char kPut[] =
    "INSERT INTO custom_key_stores (id, account, region, name, type, created, state, error, "
    "settles, cluster, trust_anchor, uri_endpoint, uri_path, sealed_secret) "
    "VALUES (?,?,?,?,?,?,?,NULLIF(?,''),?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
    "name = excluded.name, state = excluded.state, error = excluded.error, "
    "settles = excluded.settles, cluster = excluded.cluster, "
    "trust_anchor = excluded.trust_anchor, uri_endpoint = excluded.uri_endpoint, "
    "uri_path = excluded.uri_path, sealed_secret = excluded.sealed_secret";
constexpr const char kDelete[] = "DELETE FROM custom_key_stores WHERE id = ?";
constexpr const char kSelect[] =
    "SELECT id, account, region, name, type, created, state, error, settles, cluster, "
    "trust_anchor, uri_endpoint, uri_path, sealed_secret FROM custom_key_stores ORDER BY id";

CustomKeyStoreRow ReadRow(RowReader& row, RegionMemo& regions) {
  CustomKeyStoreRow out;
  out.id = row.Text();
  out.account = row.Account();
  out.region = row.Take(regions.Get(row.TextView()));
  out.name = row.Text();
  out.type = row.Enum<model::CustomKeyStoreType>();
  out.created = row.Instant();
  out.state = row.Enum<model::ConnectionStateType>();
  if (const auto error = row.OptionalText()) {
    out.error = row.Take(model::FromWire<model::ConnectionErrorCodeType>(*error));
  }
  if (const auto settles = row.OptionalInt()) out.settles = FromEpochMillis(*settles);
  out.cluster = row.Text();
  out.trust_anchor = row.Text();
  out.uri_endpoint = row.Text();
  out.uri_path = row.Text();
  out.sealed_secret = row.Blob();
  return out;
}

}  // namespace

Status PutCustomKeyStores(Database& database, const Change& change) {
  for (const CustomKeyStoreRow& row : change.put_custom_key_stores) {
    std::optional<std::int64_t> settles;
    if (row.settles) settles = ToEpochMillis(*row.settles);
    const auto put =
        database.Run(kPut, row.id, row.account.text(), row.region.name(), row.name,
                     ToWire(row.type), ToEpochMillis(row.created), ToWire(row.state),
                     row.error ? ToWire(*row.error) : std::string_view(), settles, row.cluster,
                     row.trust_anchor, row.uri_endpoint, row.uri_path, row.sealed_secret);
    if (!put && put.error().code == ErrorCode::kConflict) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("custom key store {}: its name is another one's", row.id));
    }
    KT_TRY(put);
  }
  return {};
}

Status DeleteCustomKeyStores(Database& database, const Change& change) {
  for (const std::string& id : change.delete_custom_key_stores) {
    const auto deleted = database.Run(kDelete, id);
    if (!deleted && deleted.error().code == ErrorCode::kConflict) {
      return Fail(ErrorCode::kConflict, fmt::format("custom key store {} has keys", id));
    }
    KT_TRY(deleted);
  }
  return {};
}

Status LoadCustomKeyStores(Database& database, const Visitors& visitors) {
  KT_ASSIGN(Cursor cursor, database.Select(kSelect));
  RegionMemo regions;
  for (;;) {
    KT_ASSIGN(const bool more, cursor.Next());
    if (!more) return {};
    RowReader row(cursor, "custom_key_stores");
    CustomKeyStoreRow store = ReadRow(row, regions);
    if (!row.ok()) return row.Bad(database, 1);
    visitors.custom_key_store(std::move(store));
  }
}

}  // namespace keyturn::store
