// Cidr: an address block, as aws:SourceIp is compared with. Private to the room.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keyturn::policy {

// Cidr: IPv4 as the IPv6 block ::ffff:0:0/96; one address is a block of 128 bits.
struct Cidr {
  std::array<std::uint8_t, 16> address{};
  unsigned prefix = 128;

  // Parse reads an address or a CIDR block of either family.
  static std::optional<Cidr> Parse(std::string_view text);
  bool Contains(const Cidr& other) const;
};

}  // namespace keyturn::policy
