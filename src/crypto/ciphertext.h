// Ciphertext: the self-describing blob that Encrypt, ReEncrypt and GenerateDataKey* return for
// symmetric keys. docs/formats/ciphertext.md has the layout and its reasons.
//
// It carries key id and material id in clear, a random nonce, and a 32-byte key commitment. A fresh
// message key is derived for every blob, so that the number of messages under one material has no
// practical bound. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/kdf.h"

namespace keyturn::crypto {

// EncryptionContext: ordered by the bytes of the UTF-8 key (std::map<std::string> is).
using EncryptionContext = std::map<std::string, std::string>;

// EncodeContext: pair count, then each key and value behind its length, so that no two different
// contexts have the same bytes. The bytes are the calling thread's, valid until its next call.
const Bytes& EncodeContext(const EncryptionContext& context);

// BlobHeader: what a blob says of itself, in clear.
struct BlobHeader {
  std::array<char, 36> key_id{};
  std::array<std::uint8_t, 32> material_id{};
};

// The blob is never longer than AWS's for the same plaintext: 152 bytes more than a plaintext of up
// to 35 bytes.
inline constexpr std::size_t kBlobOverheadMax = 152;

struct BlobIds {
  ByteView key_id;       // 36 ASCII characters: a UUID or mrk- and 32 hex digits (KT_CHECK)
  ByteView material_id;  // 32 bytes
};

// A material is used as the key of HMACs only, and is given in that form.
// EncryptBlob appends nothing to its inputs and cannot fail; plaintext is up to 4096 bytes (checked
// by KT_CHECK).
Bytes EncryptBlob(const HmacKey& material, const BlobIds& ids, const EncryptionContext& context,
                  ByteView plaintext, RandomSource& random);

// ParseBlobHeader fails with kInvalidCiphertextException and no message on anything that is not
// one of our blobs. A parsed header proves nothing yet: it is authenticated by DecryptBlob.
Result<BlobHeader> ParseBlobHeader(ByteView blob);

// DecryptBlob fails with kInvalidCiphertextException and no message, whatever is wrong. A blob that
// ParseBlobHeader refuses fails at once: its form is no secret. Every other fault (a changed
// header, tag, commitment, another context or material) costs the same work and time.
Result<SecretBytes> DecryptBlob(const HmacKey& material, ByteView blob,
                                const EncryptionContext& context);

}  // namespace keyturn::crypto
