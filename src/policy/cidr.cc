#include "policy/cidr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace keyturn::policy {

std::optional<Cidr> Cidr::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Cidr block;
  unsigned bits = 128;
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) {
    block.address[10] = block.address[11] = 0xFF;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&four);
    std::copy(bytes, bytes + 4, block.address.begin() + 12);
    bits = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), block.address.data()) != 1) {
    return std::nullopt;
  }
  unsigned prefix = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, prefix);
    if (error != std::errc() || rest != end || prefix > bits) return std::nullopt;
  }
  block.prefix = 128 - bits + prefix;
  return block;
}

bool Cidr::Contains(const Cidr& other) const {
  if (other.prefix < prefix) return false;
  const unsigned whole = prefix / 8;
  if (!std::equal(address.begin(), address.begin() + whole, other.address.begin())) return false;
  if (prefix % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - prefix % 8));
  return ((address[whole] ^ other.address[whole]) & mask) == 0;
}

}  // namespace keyturn::policy
