// Owning pointers to OpenSSL's objects, and their DER. Private to this room.
// Thread-safety: none of its own.
#pragma once

#include <openssl/crypto.h>

#include "base/bytes.h"

namespace keyturn::crypto {

// Deleter frees by one of OpenSSL's functions: std::unique_ptr<BIO, Deleter<&BIO_free>>.
template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

// DerOf writes object by one of OpenSSL's i2d functions; empty when that fails.
template <typename T>
Bytes DerOf(int (*encode)(const T*, unsigned char**), const T* object) {
  unsigned char* der = nullptr;
  const int size = encode(object, &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace keyturn::crypto
