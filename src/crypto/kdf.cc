#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/openssl_check.h"
#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {

Key256 DeriveKey(ByteView key, std::string_view label, ByteView context) {
  return DeriveKey(HmacKey(key), label, context);
}

Key256 DeriveKey(const HmacKey& key, std::string_view label, ByteView context) {
  // [i]_2 || Label || 0x00 || Context || [L]_2 with i = 1 and L = 256: one block is enough.
  static constexpr std::array<std::uint8_t, 4> kCounter = {0, 0, 0, 1};
  static constexpr std::array<std::uint8_t, 1> kSeparator = {0};
  static constexpr std::array<std::uint8_t, 4> kBits = {0, 0, 1, 0};
  const ByteView parts[] = {kCounter, AsBytes(label), kSeparator, context, kBits};
  Sha256Digest block = key.Mac(parts);
  Key256 derived;
  std::copy(block.begin(), block.end(), derived.reveal_mutable().begin());
  WipeMemory(block.data(), block.size());
  return derived;
}

Result<Key256> Scrypt(ByteView passphrase, ByteView salt, const ScryptParameters& parameters) {
  constexpr std::uint64_t kMemoryBytesMax = 1ULL << 30;
  const bool power_of_two = parameters.n >= 2 && (parameters.n & (parameters.n - 1)) == 0;
  if (!power_of_two || parameters.r == 0 || parameters.p == 0 || parameters.r > (1U << 20) ||
      parameters.p > (1U << 20) || parameters.r * parameters.p >= (1ULL << 30) ||
      parameters.n > kMemoryBytesMax / 128 / parameters.r) {
    return Fail(ErrorCode::kUsage, "scrypt parameters out of range");
  }
  const std::unique_ptr<EVP_KDF, Deleter<&EVP_KDF_free>> kdf(
      EVP_KDF_fetch(nullptr, "SCRYPT", nullptr));
  KT_CHECK(kdf != nullptr);
  const std::unique_ptr<EVP_KDF_CTX, Deleter<&EVP_KDF_CTX_free>> context(
      EVP_KDF_CTX_new(kdf.get()));
  KT_CHECK(context != nullptr);
  std::uint64_t n = parameters.n, r = parameters.r, p = parameters.p;
  std::uint64_t memory_max = kMemoryBytesMax + (64ULL << 20);
  // OpenSSL takes non-const pointers but only reads.
  const OSSL_PARAM given[] = {
      OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_PASSWORD, const_cast<std::uint8_t*>(passphrase.data()), passphrase.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<std::uint8_t*>(salt.data()),
                                        salt.size()),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &r),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
      OSSL_PARAM_construct_end()};
  Key256 derived;
  if (EVP_KDF_derive(context.get(), derived.reveal_mutable().data(), derived.size(), given) != 1) {
    ERR_clear_error();
    return Fail(ErrorCode::kUsage, "scrypt parameters out of range, or not enough memory for them");
  }
  return derived;
}

}  // namespace keyturn::crypto
