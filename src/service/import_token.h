// Import token: what GetParametersForImport hands out next to a public key. It carries the private
// key, sealed for one KMS key in one region, so that the server keeps nothing until the material
// arrives: every token serves until it expires, on every process with the same domain key.
//
// Layout before sealing: version (1), algorithm (1), expiry in milliseconds (8, big-endian),
// private key (PKCS #8, DER). Thread-safe.
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/wrapping.h"
#include "service/call.h"

namespace keyturn::service {

struct ImportToken {
  crypto::WrappingAlgorithm algorithm = crypto::WrappingAlgorithm::kRsaOaepSha256;
  TimePoint expires;
  SecretBytes private_key;
};

Bytes SealImportToken(const Environment& environment, const keys::Key& key,
                      const ImportToken& token);

// OpenImportToken: kInvalidImportTokenException for anything that is no token of this key in this
// region, kExpiredImportTokenException; both without text.
Result<ImportToken> OpenImportToken(const Environment& environment, const keys::Key& key,
                                    ByteView sealed, TimePoint now);

// DecodeImportToken: the layout above; kInvalidImportTokenException for any other bytes.
Result<ImportToken> DecodeImportToken(ByteView bytes);

}  // namespace keyturn::service
