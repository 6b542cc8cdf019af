// VerifyRawEcdsa384: ECDSA on P-384 with SHA-384, the signature as two numbers side by side (COSE
// and JOSE write it so). False for any other key or length. For this room's .cc files.
#pragma once

#include "base/bytes.h"

struct evp_pkey_st;

namespace keyturn::crypto {

bool VerifyRawEcdsa384(evp_pkey_st& key, ByteView message, ByteView signature);

}  // namespace keyturn::crypto
