#include "crypto/ecdsa_raw.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

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
  return DerOf<ECDSA_SIG>(i2d_ECDSA_SIG, pair.get());
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
