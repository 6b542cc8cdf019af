// Random: the production RandomSource.
//
// Bytes come from OpenSSL's DRBG in blocks of 4 KiB a thread, wiped as they are used and dropped in
// a forked child, because RAND_bytes costs most of a small message. Thread-safe.
#pragma once

#include "base/random.h"

namespace keyturn::crypto {

// SystemRandom never fails to the caller: no entropy aborts the process.
RandomSource& SystemRandom();

}  // namespace keyturn::crypto
