// Ids: the fixed-form names of the domain. Compact value types without heap memory, because a
// server holds hundreds of thousands of them.
//
// Source: AWS KMS Developer Guide, key identifiers; AWS reference, regions and partitions.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"

namespace keyturn::model {

// AccountId: 12 decimal digits.
class AccountId {
 public:
  AccountId() { digits_.fill('0'); }
  static std::optional<AccountId> Parse(std::string_view text);
  std::string_view text() const { return {digits_.data(), digits_.size()}; }
  auto operator<=>(const AccountId&) const = default;

 private:
  std::array<char, 12> digits_;
};

// KeyId: a lower-case UUID, or `mrk-` and 32 lower-case hex digits for a multi-Region key. Both are
// 36 characters.
class KeyId {
 public:
  KeyId() { chars_.fill('0'); }
  static std::optional<KeyId> Parse(std::string_view text);
  static KeyId New(RandomSource& random, bool multi_region);
  std::string_view text() const { return {chars_.data(), chars_.size()}; }
  bool is_multi_region() const { return text().starts_with("mrk-"); }
  auto operator<=>(const KeyId&) const = default;

 private:
  std::array<char, 36> chars_;
};

// MaterialId: the 32 bytes whose hex form is KeyMaterialId on the wire.
class MaterialId {
 public:
  MaterialId() { bytes_.fill(0); }
  explicit MaterialId(const std::array<std::uint8_t, 32>& bytes) : bytes_(bytes) {}
  static std::optional<MaterialId> FromBytes(ByteView bytes);
  static std::optional<MaterialId> ParseHex(std::string_view text);
  ByteView bytes() const { return bytes_; }
  std::string hex() const;
  auto operator<=>(const MaterialId&) const = default;

 private:
  std::array<std::uint8_t, 32> bytes_;
};

// Region: the name of a region, interned: two bytes, compared by identity. AWS's regions
// (model/regions.h) are always there; any other name is kept for the life of the process, and 8,000
// such names are taken at most.
class Region {
 public:
  // Region() is the empty region, which no key has.
  Region() = default;
  // Intern is for names that nobody else chooses, as those of stored rows. It returns nullopt
  // unless text matches ^([a-z]+-){2,3}[0-9]+$, at most 32 characters, or when the table is full.
  // Thread-safe.
  static std::optional<Region> Intern(std::string_view text);
  // InternFor is for the region that an authenticated request is sent to. It takes 64 new names of
  // a caller (any text that stands for one) at most: whoever makes up regions fills the table for
  // nobody else. Thread-safe.
  static std::optional<Region> InternFor(std::string_view caller, std::string_view text);
  // Find is for all other names that come with requests: nothing can be in a region that nobody has
  // interned. Thread-safe.
  static std::optional<Region> Find(std::string_view text);
  static bool IsValid(std::string_view text);
  std::string_view name() const;
  // partition: "aws", "aws-cn", "aws-us-gov", "aws-iso", ... from the name's prefix; unknown
  // regions belong to "aws".
  std::string_view partition() const;
  bool empty() const { return index_ == 0; }
  bool operator==(const Region&) const = default;

 private:
  explicit Region(std::uint16_t index) : index_(index) {}
  friend struct std::hash<Region>;
  std::uint16_t index_ = 0;
};

// PartitionOf is Region::partition for a name that is not interned.
std::string_view PartitionOf(std::string_view region);
// IsKnownRegion: one of AWS's regions that have KMS, in any partition (botocore's endpoint data of
// 2026). Regions here are only names; where AWS checks one, so do we.
bool IsKnownRegion(std::string_view region);

}  // namespace keyturn::model

template <>
struct std::hash<keyturn::model::KeyId> {
  std::size_t operator()(const keyturn::model::KeyId& id) const noexcept {
    return std::hash<std::string_view>()(id.text());
  }
};
template <>
struct std::hash<keyturn::model::AccountId> {
  std::size_t operator()(const keyturn::model::AccountId& id) const noexcept {
    return std::hash<std::string_view>()(id.text());
  }
};
template <>
struct std::hash<keyturn::model::MaterialId> {
  std::size_t operator()(const keyturn::model::MaterialId& id) const noexcept {
    return std::hash<std::string_view>()(keyturn::AsText(id.bytes()));
  }
};
template <>
struct std::hash<keyturn::model::Region> {
  std::size_t operator()(const keyturn::model::Region& r) const noexcept { return r.index_; }
};
