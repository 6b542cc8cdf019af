// RowReader: the columns of one row, left to right, with the checks that all loaders share.
// Thread-safety: none.
#pragma once

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "model/enums.h"
#include "model/ids.h"
#include "store/sqlite/database.h"

namespace keyturn::store {

// RowReader: one row's columns, left to right, with their checks. After the last column ok() says
// whether all of them made sense.
class RowReader {
 public:
  RowReader(const Cursor& cursor, std::string_view table) : cursor_(cursor), table_(table) {}

  std::int64_t Int() { return cursor_.Int(column_++); }
  std::int64_t IntFrom(std::int64_t lowest, std::int64_t highest) {
    const std::int64_t value = Int();
    ok_ = ok_ && value >= lowest && value <= highest;
    return value;
  }
  std::uint32_t Count() {
    return static_cast<std::uint32_t>(IntFrom(0, std::numeric_limits<std::uint32_t>::max()));
  }
  bool Bool() { return IntFrom(0, 1) == 1; }
  TimePoint Instant() { return FromEpochMillis(Int()); }
  std::optional<std::int64_t> OptionalInt() {
    if (cursor_.IsNull(column_)) {
      ++column_;
      return std::nullopt;
    }
    return Int();
  }
  std::optional<std::string_view> OptionalText() {
    if (cursor_.IsNull(column_)) {
      ++column_;
      return std::nullopt;
    }
    return TextView();
  }
  std::string_view TextView() { return cursor_.Text(column_++); }
  std::string Text() { return std::string(TextView()); }
  ByteView BlobView() { return cursor_.Blob(column_++); }
  Bytes Blob() {
    const ByteView view = BlobView();
    return Bytes(view.begin(), view.end());
  }
  model::AccountId Account() { return Take(model::AccountId::Parse(TextView())); }
  model::KeyId Key() { return Take(model::KeyId::Parse(TextView())); }
  model::MaterialId Material() { return Take(model::MaterialId::FromBytes(BlobView())); }
  template <typename E>
  E Enum() {
    return Take(model::FromWire<E>(TextView()));
  }
  template <typename T>
  T Take(std::optional<T> value) {
    ok_ = ok_ && value.has_value();
    return std::move(value).value_or(T{});
  }
  bool ok() const { return ok_; }

  // Bad names the row by its first columns, which are its primary key.
  tl::unexpected<Error> Bad(const Database& database, int key_columns) const {
    std::string row;
    for (int i = 0; i < key_columns; ++i) {
      row += (i == 0 ? "" : " ") + std::string(cursor_.Text(i));
    }
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: damaged row in table {}: {}; restore a backup", database.path(),
                            table_, row));
  }

 private:
  const Cursor& cursor_;
  std::string_view table_;
  int column_ = 0;
  bool ok_ = true;
};

// RegionMemo: rows come ordered by region, so most have the region of the row before.
class RegionMemo {
 public:
  std::optional<model::Region> Get(std::string_view name) {
    if (region_.empty() || region_.name() != name) {
      const auto region = model::Region::Intern(name);
      if (!region) {
        return std::nullopt;
      }
      region_ = *region;
    }
    return region_;
  }

 private:
  model::Region region_;
};

}  // namespace keyturn::store
