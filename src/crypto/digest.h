// Digest: SHA-256, HMAC-SHA-256 and comparison in constant time.
//
// The functions keep nothing between calls. Thread-safe.
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

// HmacKey is a key of HMAC-SHA-256 for more than one message: the blocks that RFC 2104 makes of the
// key are hashed once. What it holds is as good as the key.
class HmacKey {
 public:
  explicit HmacKey(ByteView key);
  Sha256Digest Mac(std::span<const ByteView> parts) const;
  Sha256Digest Mac(ByteView data) const { return Mac({&data, 1}); }

 private:
  // SHA-256's chaining values behind the inner and the outer block.
  SecretArray<32> inner_;
  SecretArray<32> outer_;
};

// ConstantTimeEquals: false at once when sizes differ; else time depends on the size only.
bool ConstantTimeEquals(ByteView a, ByteView b);

}  // namespace keyturn::crypto
