// Jwk: verifying signatures under public keys as JSON Web Keys give them: RS256 and ES256.
//
// Thread-safety: free functions. Keys that are not well-formed, points that are not on the curve,
// RSA keys of fewer than 2,048 bits: false, as for a signature that does not fit.
// Source: RFC 7518 sections 3.3, 3.4, 6.2 and 6.3.
#pragma once

#include "base/bytes.h"

namespace keyturn::crypto {

// VerifyRs256: RSASSA-PKCS1-v1_5 with SHA-256; modulus and exponent are big-endian.
bool VerifyRs256(ByteView modulus, ByteView exponent, ByteView message, ByteView signature);
// VerifyEs256: ECDSA on P-256 with SHA-256; x and y have 32 bytes, the signature is r and s.
bool VerifyEs256(ByteView x, ByteView y, ByteView message, ByteView signature);

}  // namespace keyturn::crypto
