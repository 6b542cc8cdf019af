// SshWire: the strings and numbers that SSH's formats are made of. Private to this room.
// Thread-safety: none of its own.
// Source: RFC 4251 section 5.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace keyturn::crypto {

// WireReader takes values off the front of a view; after one failure everything fails.
class WireReader {
 public:
  explicit WireReader(ByteView bytes) : rest_(bytes) {}

  std::optional<std::uint32_t> Uint32() {
    if (failed_ || rest_.size() < 4) return Failed();
    const std::uint32_t value = std::uint32_t{rest_[0]} << 24 | std::uint32_t{rest_[1]} << 16 |
                                std::uint32_t{rest_[2]} << 8 | rest_[3];
    rest_ = rest_.subspan(4);
    return value;
  }
  std::optional<ByteView> String() {
    const auto size = Uint32();
    if (!size) return std::nullopt;
    return Take(*size);
  }
  std::optional<ByteView> Take(std::size_t size) {
    if (failed_ || size > rest_.size()) {
      failed_ = true;
      return std::nullopt;
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  // StringIs takes a string and says whether it is this one.
  bool StringIs(std::string_view expected) {
    const auto text = String();
    return text && AsText(*text) == expected;
  }
  ByteView rest() const { return rest_; }

 private:
  std::nullopt_t Failed() {
    failed_ = true;
    return std::nullopt;
  }
  ByteView rest_;
  bool failed_ = false;
};

inline void WireUint32(std::uint32_t value, Bytes& out) {
  for (const int shift : {24, 16, 8, 0}) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}
inline void WireString(ByteView text, Bytes& out) {
  WireUint32(static_cast<std::uint32_t>(text.size()), out);
  out.insert(out.end(), text.begin(), text.end());
}
inline void WireString(std::string_view text, Bytes& out) { WireString(AsBytes(text), out); }

}  // namespace keyturn::crypto
