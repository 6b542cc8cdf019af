// EnvelopFor: CMS EnvelopedData by OpenSSL's CMS.
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/check.h"
#include "crypto/attestation.h"
#include "crypto/digest.h"
#include "crypto/openssl_check.h"
#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Deleter<&CMS_ContentInfo_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, Deleter<&ASN1_OCTET_STRING_free>>;
using Memory = std::unique_ptr<BIO, Deleter<&BIO_free>>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 4096;

Key RsaFromSpki(ByteView spki) {
  const unsigned char* at = spki.data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (!key || at != spki.data() + spki.size() || EVP_PKEY_is_a(key.get(), "RSA") != 1 ||
      EVP_PKEY_get_bits(key.get()) < kRsaBitsMin || EVP_PKEY_get_bits(key.get()) > kRsaBitsMax) {
    return nullptr;
  }
  return key;
}

// Carrier is a certificate that is none: OpenSSL takes a recipient's key and key identifier from
// one only, and one that is complete. Its signature means nothing, and it never leaves this file.
Certificate Carrier(EVP_PKEY* key, ByteView spki) {
  Certificate carrier(X509_new());
  const Octets identifier(ASN1_OCTET_STRING_new());
  KT_CHECK(carrier && identifier);
  const Sha256Digest digest = Sha256(spki);
  constexpr int kIdentifierBytes = 20;
  KT_OPENSSL(ASN1_OCTET_STRING_set(identifier.get(), digest.data(), kIdentifierBytes));
  KT_OPENSSL(X509_set_version(carrier.get(), X509_VERSION_3));
  KT_OPENSSL(X509_set_pubkey(carrier.get(), key));
  KT_OPENSSL(X509_add1_ext_i2d(carrier.get(), NID_subject_key_identifier, identifier.get(), 0,
                               X509V3_ADD_DEFAULT));
  KT_CHECK(X509_gmtime_adj(X509_getm_notBefore(carrier.get()), 0) != nullptr);
  KT_CHECK(X509_gmtime_adj(X509_getm_notAfter(carrier.get()), 0) != nullptr);
  const Key throwaway(EVP_EC_gen("P-256"));
  KT_CHECK(throwaway && X509_sign(carrier.get(), throwaway.get(), EVP_sha256()) > 0);
  return carrier;
}

}  // namespace

Result<Bytes> EnvelopFor(ByteView public_key, ByteView content) {
  const Key key = RsaFromSpki(public_key);
  if (!key) {
    ERR_clear_error();
    return Fail(ErrorCode::kMalformed, "public_key is no RSA key of 2048 to 4096 bits");
  }
  const Certificate carrier = Carrier(key.get(), public_key);
  const Cms cms(CMS_encrypt(nullptr, nullptr, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY));
  KT_CHECK(cms != nullptr);
  CMS_RecipientInfo* const recipient =
      CMS_add1_recipient_cert(cms.get(), carrier.get(), CMS_KEY_PARAM | CMS_USE_KEYID);
  KT_CHECK(recipient != nullptr);
  EVP_PKEY_CTX* const context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
  KT_CHECK(context != nullptr);
  KT_OPENSSL(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING));
  KT_OPENSSL(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()));
  KT_OPENSSL(EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()));
  const Memory in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  KT_CHECK(in != nullptr);
  KT_OPENSSL(CMS_final(cms.get(), in.get(), nullptr, CMS_BINARY));
  Bytes der = DerOf<CMS_ContentInfo>(i2d_CMS_ContentInfo, cms.get());
  KT_CHECK(!der.empty());
  return der;
}

}  // namespace keyturn::crypto
