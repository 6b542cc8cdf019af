#include "base/base64.h"

#include <array>

#include "base/check.h"

namespace keyturn {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kInvalid = 0xFF;

constexpr std::array<std::uint8_t, 256> MakeReverse() {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table) entry = kInvalid;
  for (std::uint8_t i = 0; i < 64; ++i) table[static_cast<std::uint8_t>(kAlphabet[i])] = i;
  return table;
}
constexpr std::array<std::uint8_t, 256> kReverse = MakeReverse();

std::uint8_t Sextet(char c) { return kReverse[static_cast<std::uint8_t>(c)]; }

}  // namespace

void Base64Append(ByteView bytes, std::string& out) {
  const std::size_t at = out.size();
  out.resize(at + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + at;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16 |
                                static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    *to++ = kAlphabet[group >> 18];
    *to++ = kAlphabet[group >> 12 & 63];
    *to++ = kAlphabet[group >> 6 & 63];
    *to++ = kAlphabet[group & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) {
    return;
  }
  const std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16 |
                              (rest == 2 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0U);
  *to++ = kAlphabet[group >> 18];
  *to++ = kAlphabet[group >> 12 & 63];
  *to++ = rest == 2 ? kAlphabet[group >> 6 & 63] : '=';
  *to++ = '=';
}

std::string Base64Encode(ByteView bytes) {
  std::string out;
  Base64Append(bytes, out);
  return out;
}

std::optional<std::size_t> Base64DecodedSize(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with('=')) {
    padding = 1;
  }
  return text.size() / 4 * 3 - padding;
}

bool Base64DecodeInto(std::string_view text, MutableByteView out) {
  const auto size = Base64DecodedSize(text);
  if (!size) {
    return false;
  }
  KT_CHECK(out.size() == *size);
  const std::size_t whole = out.size() / 3;
  std::size_t at = 0;
  for (std::size_t g = 0; g < whole; ++g) {
    const char* from = text.data() + 4 * g;
    const std::uint8_t a = Sextet(from[0]), b = Sextet(from[1]), c = Sextet(from[2]),
                       d = Sextet(from[3]);
    if (((a | b | c | d) & 0xC0) != 0) {
      return false;
    }
    out[at++] = static_cast<std::uint8_t>(a << 2 | b >> 4);
    out[at++] = static_cast<std::uint8_t>(b << 4 | c >> 2);
    out[at++] = static_cast<std::uint8_t>(c << 6 | d);
  }
  const std::size_t rest = out.size() - at;
  if (rest == 0) {
    return true;
  }
  const char* from = text.data() + 4 * whole;
  const std::uint8_t a = Sextet(from[0]), b = Sextet(from[1]);
  if (((a | b) & 0xC0) != 0) {
    return false;
  }
  out[at++] = static_cast<std::uint8_t>(a << 2 | b >> 4);
  if (rest == 1) {
    return (b & 0x0F) == 0;
  }
  const std::uint8_t c = Sextet(from[2]);
  if ((c & 0xC0) != 0 || (c & 0x03) != 0) {
    return false;
  }
  out[at] = static_cast<std::uint8_t>(b << 4 | c >> 2);
  return true;
}

std::optional<Bytes> Base64Decode(std::string_view text) {
  const auto size = Base64DecodedSize(text);
  if (!size) {
    return std::nullopt;
  }
  Bytes out(*size);
  if (!Base64DecodeInto(text, out)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace keyturn
