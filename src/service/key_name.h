// KeyName: what a key is found by.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "model/ids.h"

namespace keyturn::service {

// KeyName: key ids are unique within a region.
struct KeyName {
  model::Region region;
  model::KeyId id;
  bool operator==(const KeyName&) const = default;
};
// KeyNameLess: some order, the same for the life of the process.
struct KeyNameLess {
  bool operator()(const KeyName& a, const KeyName& b) const noexcept {
    return a.id != b.id
               ? a.id < b.id
               : std::hash<model::Region>()(a.region) < std::hash<model::Region>()(b.region);
  }
};
// KeyNameHash: an id's digits were drawn at random by us, so that its ends are as good as all of
// it.
struct KeyNameHash {
  std::size_t operator()(const KeyName& name) const noexcept {
    const std::string_view id = name.id.text();
    std::array<std::uint64_t, 2> ends{};
    std::memcpy(&ends[0], id.data(), sizeof(ends[0]));
    std::memcpy(&ends[1], id.data() + id.size() - sizeof(ends[1]), sizeof(ends[1]));
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
    return static_cast<std::size_t>((ends[0] ^ ends[1] * kOdd) * kOdd) +
           std::hash<model::Region>()(name.region);
  }
};

}  // namespace keyturn::service
