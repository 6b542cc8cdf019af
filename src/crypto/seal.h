// Seal: authenticated encryption of rows at rest (wrapped key material, stored secrets).
//
// Format: 12-byte random IV, ciphertext, 16-byte tag; AES-256-GCM. The associated data names the
// row, so that a sealed value moved to another row does not open. For keys that seal fewer than
// 2^32 values each (random IVs, NIST SP 800-38D section 8.3). Thread-safe.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/kdf.h"

namespace keyturn::crypto {

inline constexpr std::size_t kSealOverheadBytes = 12 + 16;

Bytes Seal(const Key256& key, ByteView associated_data, ByteView plaintext, RandomSource& random);

// Open fails with kCorrupt, without saying why: wrong key, other row, or changed bytes.
Result<SecretBytes> Open(const Key256& key, ByteView associated_data, ByteView sealed);

}  // namespace keyturn::crypto
