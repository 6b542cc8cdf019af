// Digest: SHA-256, HMAC-SHA-256 and comparison in constant time.
//
// Nothing is kept between calls. Thread-safe.
// Source: FIPS 180-4; RFC 2104.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/secret.h"

namespace keyturn::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256(ByteView data);
// Sha256Parts digests the concatenation.
Sha256Digest Sha256Parts(std::span<const ByteView> parts);

// Sha256Stream digests what comes in pieces. Thread-safety: none of its own.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(ByteView data);
  // Finish returns the digest of all pieces; the stream begins anew.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest HmacSha256(ByteView key, ByteView data);
Sha256Digest HmacSha256Parts(ByteView key, std::span<const ByteView> parts);

// ConstantTimeEquals: false at once when sizes differ; else time depends on the size only.
bool ConstantTimeEquals(ByteView a, ByteView b);

}  // namespace keyturn::crypto
