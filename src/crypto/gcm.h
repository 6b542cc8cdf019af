// AES-256-GCM on contexts kept per thread. For this room only: seal.h and ciphertext.h are what
// others use. Source: NIST SP 800-38D.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace keyturn::crypto {

inline constexpr std::size_t kGcmIvBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

// GcmEncrypt: out has the size of plaintext, tag 16 bytes. The associated data is the concatenation
// of the parts. Cannot fail for sizes that fit an int.
void GcmEncrypt(ByteView key, ByteView iv, std::span<const ByteView> associated_data,
                ByteView plaintext, MutableByteView out, MutableByteView tag);

// GcmDecrypt returns false when the tag is wrong; out must then not be used (it is wiped).
bool GcmDecrypt(ByteView key, ByteView iv, std::span<const ByteView> associated_data,
                ByteView ciphertext, ByteView tag, MutableByteView out);

}  // namespace keyturn::crypto
