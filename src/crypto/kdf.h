// Key derivation: SP 800-108 counter mode and scrypt.
// Source: NIST SP 800-108r1 section 4.1 (KDF in counter mode, HMAC-SHA-256, 32-bit counter);
// RFC 7914.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "crypto/digest.h"

namespace keyturn::crypto {

using Key256 = SecretArray<32>;

// DeriveKey returns 256 bits: one HMAC block over counter 1, label, 0x00, context, length 256.
Key256 DeriveKey(ByteView key, std::string_view label, ByteView context);
Key256 DeriveKey(const HmacKey& key, std::string_view label, ByteView context);

struct ScryptParameters {
  std::uint64_t n = 1 << 17;
  std::uint64_t r = 8;
  std::uint64_t p = 1;
};

// Scrypt fails with kUsage when the parameters are outside RFC 7914 or need over 1 GiB.
Result<Key256> Scrypt(ByteView passphrase, ByteView salt, const ScryptParameters& parameters);

}  // namespace keyturn::crypto
