#include "base/hex.h"

#include <algorithm>
#include <array>

namespace keyturn {
namespace {
constexpr char kDigits[] = "0123456789abcdef";

// Pairs: both digits of each byte, because one copy of two characters costs less than two.
constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 0x0F]};
  return pairs;
}();

// Values of the digits; kInvalid, which no two digits can make, elsewhere.
constexpr std::uint8_t kInvalid = 0xFF;
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kInvalid;
  for (std::uint8_t i = 0; i < 16; ++i) values[static_cast<std::uint8_t>(kDigits[i])] = i;
  return values;
}();

std::uint8_t Nibble(char c) { return kValues[static_cast<std::uint8_t>(c)]; }
}  // namespace

void HexAppend(ByteView bytes, std::string& out) {
  const std::size_t at = out.size();
  out.resize(at + bytes.size() * 2);
  char* to = out.data() + at;
  for (const std::uint8_t b : bytes) {
    to = std::copy(kPairs[b].begin(), kPairs[b].end(), to);
  }
}

std::string HexEncode(ByteView bytes) {
  std::string out;
  HexAppend(bytes, out);
  return out;
}

bool HexDecodeInto(std::string_view text, MutableByteView out) {
  if (text.size() != out.size() * 2) {
    return false;
  }
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint8_t high = Nibble(text[2 * i]);
    const std::uint8_t low = Nibble(text[2 * i + 1]);
    seen |= high | low;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return seen < 16;
}

std::optional<Bytes> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  Bytes out(text.size() / 2);
  if (!HexDecodeInto(text, out)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace keyturn
