// Wrapping: key pairs under which callers send key material, and taking it out again.
//
// An RSA key pair takes seconds to make (4096 bits) and milliseconds to use: not for an event loop.
// Thread-safe.
// Source: RFC 8017 section 7.1 (RSAES-OAEP, MGF1 with the same hash, empty label); PKCS #11 v3.0,
// CKM_RSA_AES_KEY_WRAP; RFC 5649 (AES key wrap with padding); GM/T 0003.4, GM/T 0009 (SM2).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"

namespace keyturn::crypto {

enum class WrappingKeyKind : std::uint8_t { kRsa2048, kRsa3072, kRsa4096, kSm2 };

enum class WrappingAlgorithm : std::uint8_t {
  kRsaOaepSha1,
  kRsaOaepSha256,
  // An AES-256 key under RSA-OAEP, then the material under that key (AES key wrap with padding).
  kRsaAesKeyWrapSha1,
  kRsaAesKeyWrapSha256,
  kSm2,
};

struct WrappingKeyPair {
  SecretBytes private_key;  // PKCS #8, DER
  Bytes public_key;         // SubjectPublicKeyInfo, DER
};

// NewWrappingKeyPair uses OpenSSL's own random source.
WrappingKeyPair NewWrappingKeyPair(WrappingKeyKind kind);

// Unwrap takes out what was wrapped for private_key (PKCS #8, DER). kInvalidCiphertextException
// without text, whatever is wrong with wrapped; kCorrupt if private_key is no key.
Result<SecretBytes> Unwrap(ByteView private_key, WrappingAlgorithm algorithm, ByteView wrapped);

}  // namespace keyturn::crypto
