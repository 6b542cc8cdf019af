// OutsideBlob: ciphertexts of keys in custom key stores. docs/formats/ciphertext.md has the
// layouts.
//
// Version 2 is made by an external key manager around a ciphertext of ours (version 1), version 3
// inside a PKCS#11 token. Both name their key in clear and carry what the other side needs back.
// Nothing here encrypts: these are forms. Views point into the blob that was parsed. Thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/ciphertext.h"

namespace keyturn::crypto {

enum class BlobKind : std::uint8_t { kMaterial = 1, kExternal = 2, kToken = 3 };

struct AnyBlobHeader {
  BlobKind kind = BlobKind::kMaterial;
  std::array<char, 36> key_id{};
};

// ParseAnyBlobHeader reads the key's name of a blob of any version. It and the other parsers fail
// with kInvalidCiphertextException and no message; what they return proves nothing yet.
Result<AnyBlobHeader> ParseAnyBlobHeader(ByteView blob);

// --- Version 2: around a ciphertext of ours -----------------------------------------------------

inline constexpr std::size_t kExternalMetadataBytesMax = 20;

// ExternalParts: what a proxy returns of an encryption. iv has 12 or 16 bytes, metadata at most 20,
// tag 16 (KT_CHECK when making a blob).
struct ExternalParts {
  ByteView iv;
  ByteView metadata;
  ByteView tag;
  ByteView ciphertext;
};

// ForProxy is the part of our ciphertext (version 1) that goes to the proxy: all but version and
// ids, which stay outside.
ByteView ForProxy(ByteView inner_blob);
// ExternalAad is the associated data for the proxy: a digest of the ids and the encryption context,
// so that it fits whatever the context's size. blob is our inner one or a whole one of version 2.
std::array<std::uint8_t, 32> ExternalAad(ByteView blob, const EncryptionContext& context);
Bytes MakeExternalBlob(ByteView inner_blob, const ExternalParts& parts);
Result<ExternalParts> ParseExternalBlob(ByteView blob);
// InnerBlob is our ciphertext again; opened is what the proxy decrypted.
Bytes InnerBlob(ByteView blob, ByteView opened);

// --- Version 3: in a token ----------------------------------------------------------------------

inline constexpr std::size_t kTokenIvBytes = 12;

struct TokenParts {
  ByteView iv;      // kTokenIvBytes
  ByteView sealed;  // ciphertext, then a tag of 16 bytes
};

// TokenAad is the associated data: what the blob says of its key, then the encryption context.
Bytes TokenAad(ByteView key_id, const EncryptionContext& context);
Bytes MakeTokenBlob(ByteView key_id, const TokenParts& parts);
Result<TokenParts> ParseTokenBlob(ByteView blob);

}  // namespace keyturn::crypto
