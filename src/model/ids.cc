#include "model/ids.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "base/hex.h"
#include "base/uuid.h"
#include "model/regions.h"

namespace keyturn::model {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

// The table of interned regions: entry 0 is the empty region, then come the known regions in their
// order, then all others. It is filled from the front and entries never change, so that readers
// need no lock once they see the count. A store holds names that were in a table: they have always
// room in the next process's.
constexpr std::size_t kRegionsMax = 8192;
constexpr std::size_t kNewNamesMax = 64;  // of one caller
struct InternedRegion {
  std::string name;
  std::string_view partition = "aws";
};
std::array<InternedRegion, kRegionsMax> g_regions;
std::mutex g_region_mutex;
std::map<std::string, std::size_t, std::less<>> g_new_names;  // how many of each caller

std::size_t AddKnownRegions() {
  std::size_t count = 1;
  for (const std::string_view name : KnownRegions()) {
    g_regions[count++] = {std::string(name), PartitionOf(name)};
  }
  return count;
}
std::atomic<std::size_t> g_region_count{AddKnownRegions()};

std::optional<std::size_t> FindRegion(std::string_view text) {
  const auto known = KnownRegions();
  const auto at = std::lower_bound(known.begin(), known.end(), text);
  if (at != known.end() && *at == text) {
    return 1 + static_cast<std::size_t>(at - known.begin());
  }
  const std::size_t count = g_region_count.load(std::memory_order_acquire);
  for (std::size_t i = 1 + known.size(); i < count; ++i) {
    if (g_regions[i].name == text) {
      return i;
    }
  }
  return std::nullopt;
}

// AddRegion: the index of text, which is added if it is not there, or nothing when there is no room
// for it. allowed is asked, under the lock, whether it may be added.
template <typename Allowed>
std::optional<std::size_t> AddRegion(std::string_view text, Allowed allowed) {
  if (const auto found = FindRegion(text)) {
    return found;
  }
  if (!Region::IsValid(text)) {
    return std::nullopt;
  }
  const std::scoped_lock lock(g_region_mutex);
  if (const auto found = FindRegion(text)) {
    return found;
  }
  const std::size_t count = g_region_count.load(std::memory_order_relaxed);
  if (count == kRegionsMax || !allowed()) {
    return std::nullopt;
  }
  g_regions[count] = {std::string(text), PartitionOf(text)};
  g_region_count.store(count + 1, std::memory_order_release);
  return count;
}

}  // namespace

std::optional<AccountId> AccountId::Parse(std::string_view text) {
  AccountId id;
  if (text.size() != id.digits_.size() || !std::all_of(text.begin(), text.end(), IsDigit)) {
    return std::nullopt;
  }
  std::copy(text.begin(), text.end(), id.digits_.begin());
  return id;
}

std::optional<KeyId> KeyId::Parse(std::string_view text) {
  KeyId id;
  const bool multi_region = text.size() == id.chars_.size() && text.starts_with("mrk-") &&
                            std::all_of(text.begin() + 4, text.end(), IsHex);
  if (!multi_region && !IsUuid(text)) {
    return std::nullopt;
  }
  std::copy(text.begin(), text.end(), id.chars_.begin());
  return id;
}

KeyId KeyId::New(RandomSource& random, bool multi_region) {
  KeyId id;
  if (!multi_region) {
    id.chars_ = NewUuidText(random);
    return id;
  }
  std::array<std::uint8_t, 16> bytes{};
  random.Fill(bytes);
  const std::string text = "mrk-" + HexEncode(bytes);
  std::copy(text.begin(), text.end(), id.chars_.begin());
  return id;
}

std::optional<MaterialId> MaterialId::FromBytes(ByteView bytes) {
  MaterialId id;
  if (bytes.size() != id.bytes_.size()) {
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
  return id;
}

std::optional<MaterialId> MaterialId::ParseHex(std::string_view text) {
  MaterialId id;
  if (!HexDecodeInto(text, id.bytes_)) {
    return std::nullopt;
  }
  return id;
}

std::string MaterialId::hex() const { return HexEncode(bytes_); }

bool Region::IsValid(std::string_view text) {
  if (text.empty() || text.size() > 32) {
    return false;
  }
  int words = 0;
  std::size_t at = 0;
  while (at < text.size() && IsLower(text[at])) {
    const std::size_t dash = text.find('-', at);
    if (dash == std::string_view::npos ||
        !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(dash), IsLower)) {
      return false;
    }
    ++words;
    at = dash + 1;
  }
  return (words == 2 || words == 3) && at < text.size() &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), IsDigit);
}

std::optional<Region> Region::Intern(std::string_view text) {
  const auto index = AddRegion(text, [] { return true; });
  return index ? std::optional(Region(static_cast<std::uint16_t>(*index))) : std::nullopt;
}

std::optional<Region> Region::InternFor(std::string_view caller, std::string_view text) {
  const auto index = AddRegion(text, [caller] {
    std::size_t& taken = g_new_names[std::string(caller)];
    if (taken == kNewNamesMax) return false;
    ++taken;
    return true;
  });
  return index ? std::optional(Region(static_cast<std::uint16_t>(*index))) : std::nullopt;
}

std::optional<Region> Region::Find(std::string_view text) {
  const auto index = FindRegion(text);
  return index ? std::optional(Region(static_cast<std::uint16_t>(*index))) : std::nullopt;
}

std::string_view Region::name() const { return g_regions[index_].name; }

std::string_view Region::partition() const { return g_regions[index_].partition; }

std::string_view PartitionOf(std::string_view region) {
  constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
      {"cn-", "aws-cn"},         {"us-gov-", "aws-us-gov"}, {"us-iso-", "aws-iso"},
      {"us-isob-", "aws-iso-b"}, {"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"},
      {"eu-isof-", "aws-iso-f"}, {"eusc-", "aws-eusc"}};
  for (const auto& [prefix, partition] : kPrefixes) {
    if (region.starts_with(prefix)) {
      return partition;
    }
  }
  return "aws";
}

std::span<const std::string_view> KnownRegions() {
  static constexpr std::string_view kRegions[] = {
      "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-northeast-1",  "ap-northeast-2",
      "ap-northeast-3", "ap-south-1",     "ap-south-2",     "ap-southeast-1",  "ap-southeast-2",
      "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",  "ap-southeast-7",
      "ca-central-1",   "ca-west-1",      "cn-north-1",     "cn-northwest-1",  "eu-central-1",
      "eu-central-2",   "eu-isoe-west-1", "eu-north-1",     "eu-south-1",      "eu-south-2",
      "eu-west-1",      "eu-west-2",      "eu-west-3",      "eusc-de-east-1",  "il-central-1",
      "me-central-1",   "me-south-1",     "mx-central-1",   "sa-east-1",       "us-east-1",
      "us-east-2",      "us-gov-east-1",  "us-gov-west-1",  "us-iso-east-1",   "us-iso-west-1",
      "us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "us-west-1",
      "us-west-2"};
  return kRegions;
}

bool IsKnownRegion(std::string_view region) {
  const auto known = KnownRegions();
  return std::find(known.begin(), known.end(), region) != known.end();
}

}  // namespace keyturn::model
