#include "crypto/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

constexpr int kRsaBitsMin = 2048;
constexpr std::size_t kRsaBytesMax = 1024;
constexpr std::size_t kCoordinateBytes = 32;

Number ToNumber(ByteView bytes) {
  return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

PublicKey FromParams(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  PublicKey made(key);
  const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return made;
}

bool Verify(EVP_PKEY* key, ByteView message, ByteView signature) {
  const DigestContext context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key,
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

bool Rs256(ByteView modulus, ByteView exponent, ByteView message, ByteView signature) {
  if (modulus.size() > kRsaBytesMax || exponent.empty() || exponent.size() > 8) return false;
  const Number n = ToNumber(modulus);
  const Number e = ToNumber(exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || BN_num_bits(n.get()) < kRsaBitsMin || BN_is_odd(e.get()) != 1 ||
      BN_is_one(e.get()) == 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return false;
  }
  const PublicKey key = FromParams("RSA", builder.get());
  return key && Verify(key.get(), message, signature);
}

bool Es256(ByteView x, ByteView y, ByteView message, ByteView signature) {
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes ||
      signature.size() != 2 * kCoordinateBytes) {
    return false;
  }
  Bytes point = {4};  // uncompressed
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return false;
  }
  const PublicKey key = FromParams("EC", builder.get());
  Number r = ToNumber(signature.first(kCoordinateBytes));
  Number s = ToNumber(signature.subspan(kCoordinateBytes));
  const EcdsaSignature pair(ECDSA_SIG_new());
  if (!key || !r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return false;
  (void)r.release();  // the pair's now
  (void)s.release();
  const Bytes der = DerOf<ECDSA_SIG>(i2d_ECDSA_SIG, pair.get());
  return !der.empty() && Verify(key.get(), message, der);
}

// Cleared: a refusal leaves nothing in the thread's queue of OpenSSL's errors.
bool Cleared(bool valid) {
  if (!valid) ERR_clear_error();
  return valid;
}

}  // namespace

bool VerifyRs256(ByteView modulus, ByteView exponent, ByteView message, ByteView signature) {
  return Cleared(Rs256(modulus, exponent, message, signature));
}

bool VerifyEs256(ByteView x, ByteView y, ByteView message, ByteView signature) {
  return Cleared(Es256(x, y, message, signature));
}

}  // namespace keyturn::crypto
