#include "crypto/ecdsa_raw.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>
#include <string_view>

namespace keyturn::crypto {
namespace {

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Number = std::unique_ptr<BIGNUM, Deleter<&BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Deleter<&ECDSA_SIG_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<&EVP_MD_CTX_free>>;

constexpr int kHalfBytes = 48;

bool IsP384(EVP_PKEY* key) {
  char name[64] = {};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name, sizeof(name), &size) == 1 &&
         std::string_view(name, size) == "secp384r1";
}

Bytes ToDer(ByteView signature) {
  Number r(BN_bin2bn(signature.data(), kHalfBytes, nullptr));
  Number s(BN_bin2bn(signature.data() + kHalfBytes, kHalfBytes, nullptr));
  const Signature pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace

bool VerifyRawEcdsa384(evp_pkey_st& key, ByteView message, ByteView signature) {
  if (signature.size() != std::size_t{2} * kHalfBytes || !IsP384(&key)) return false;
  const Bytes der = ToDer(signature);
  const DigestContext context(EVP_MD_CTX_new());
  return !der.empty() && context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA384", nullptr, nullptr, &key,
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(), message.size()) ==
             1;
}

}  // namespace keyturn::crypto
