#include "base/hex.h"

namespace keyturn {
namespace {
constexpr char kDigits[] = "0123456789abcdef";

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}
}  // namespace

void HexAppend(ByteView bytes, std::string& out) {
  const std::size_t at = out.size();
  out.resize(at + bytes.size() * 2);
  char* to = out.data() + at;
  for (const std::uint8_t b : bytes) {
    *to++ = kDigits[b >> 4];
    *to++ = kDigits[b & 0x0F];
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
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = Nibble(text[2 * i]);
    const int low = Nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
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
