#include "crypto/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <vector>

#include "base/check.h"
#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

constexpr std::size_t kPemBytesMax = 1 << 20;
constexpr unsigned kSignFlags = CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;

using Bio = std::unique_ptr<BIO, Deleter<&BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Message = std::unique_ptr<CMS_ContentInfo, Deleter<&CMS_ContentInfo_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<&X509_STORE_free>>;
using Time = std::unique_ptr<ASN1_TIME, Deleter<&ASN1_TIME_free>>;

Bio ReadFrom(ByteView bytes) {
  KT_CHECK(bytes.size() <= INT_MAX);
  Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  KT_CHECK(bio != nullptr);
  return bio;
}

// Wrong takes OpenSSL's own words for what happened along.
tl::unexpected<Error> Wrong(const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return Fail(ErrorCode::kUsage, what + (reason == nullptr ? "" : ": " + std::string(reason)));
}

Result<std::vector<Certificate>> ReadCertificates(ByteView pem, std::string_view what) {
  if (pem.size() > kPemBytesMax) return Fail(ErrorCode::kUsage, std::string(what) + ": too large");
  const Bio bio = ReadFrom(pem);
  std::vector<Certificate> certificates;
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(one);
  }
  const unsigned long last = ERR_peek_last_error();
  if (ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return Wrong(std::string(what) + ": a certificate cannot be read");
  }
  ERR_clear_error();
  if (certificates.empty()) {
    return Fail(ErrorCode::kUsage, std::string(what) + ": there is no certificate in PEM");
  }
  return certificates;
}

// Asked notes that a passphrase would be needed, and gives none.
int Asked(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Time TimeOf(TimePoint now) {
  Time time(ASN1_TIME_set(nullptr, static_cast<time_t>(ToEpochMillis(now) / 1000)));
  KT_CHECK(time != nullptr);
  return time;
}

std::string SubjectOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  KT_CHECK(bio != nullptr);
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

struct CmsSigner::Impl {
  std::vector<Certificate> certificates;
  PrivateKey key;
};

CmsSigner::CmsSigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CmsSigner::CmsSigner(CmsSigner&&) noexcept = default;
CmsSigner& CmsSigner::operator=(CmsSigner&&) noexcept = default;
CmsSigner::~CmsSigner() = default;

Result<CmsSigner> CmsSigner::Create(ByteView certificates_pem, ByteView key_pem) {
  auto impl = std::make_unique<Impl>();
  KT_ASSIGN(impl->certificates, ReadCertificates(certificates_pem, "the signer's certificate"));
  if (key_pem.size() > kPemBytesMax) return Fail(ErrorCode::kUsage, "the signer's key: too large");
  const Bio bio = ReadFrom(key_pem);
  bool asked = false;
  impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, &Asked, &asked));
  if (asked) {
    ERR_clear_error();
    return Fail(ErrorCode::kUsage,
                "the signer's key is protected by a passphrase, which is not asked for here; sign "
                "the manifest with openssl cms -sign afterwards, or give a key without one");
  }
  if (impl->key == nullptr) return Wrong("the signer's key cannot be read as PEM");
  if (X509_check_private_key(impl->certificates.front().get(), impl->key.get()) != 1) {
    ERR_clear_error();
    return Fail(ErrorCode::kUsage, "the signer's key does not belong to the certificate");
  }
  return CmsSigner(std::move(impl));
}

Result<Bytes> CmsSigner::Sign(ByteView content, TimePoint now) const {
  const Message message(CMS_sign(nullptr, nullptr, nullptr, nullptr, kSignFlags));
  KT_CHECK(message != nullptr);
  CMS_SignerInfo* signer = CMS_add1_signer(message.get(), impl_->certificates.front().get(),
                                           impl_->key.get(), EVP_sha256(), kSignFlags);
  if (signer == nullptr) return Wrong("the certificate's key cannot sign");
  for (std::size_t i = 1; i < impl_->certificates.size(); ++i) {
    if (CMS_add1_cert(message.get(), impl_->certificates[i].get()) != 1) {
      return Wrong("a certificate cannot be added to the signature");
    }
  }
  // Without this OpenSSL would read the clock itself.
  const Time time = TimeOf(now);
  if (CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, time->type, time.get(), -1) != 1) {
    return Wrong("the time cannot be added to the signature");
  }
  const Bio bio = ReadFrom(content);
  if (CMS_final(message.get(), bio.get(), nullptr, kSignFlags) != 1) {
    return Wrong("the signature cannot be made");
  }
  Bytes der = DerOf<CMS_ContentInfo>(i2d_CMS_ContentInfo, message.get());
  if (der.empty()) return Wrong("the signature cannot be written");
  return der;
}

Result<std::string> VerifyCms(ByteView signature_der, ByteView content,
                              std::string_view trusted_pem, TimePoint now) {
  if (signature_der.size() > kPemBytesMax) {
    return Fail(ErrorCode::kUsage, "the CMS signature is too large");
  }
  const std::uint8_t* at = signature_der.data();
  const Message message(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(signature_der.size())));
  if (message == nullptr || at != signature_der.data() + signature_der.size()) {
    return Wrong("the CMS signature is damaged");
  }
  const Store store(X509_STORE_new());
  KT_CHECK(store != nullptr);
  unsigned flags = CMS_DETACHED | CMS_BINARY;
  if (trusted_pem.empty()) {
    flags |= CMS_NO_SIGNER_CERT_VERIFY;
  } else {
    KT_ASSIGN(const auto trusted,
              ReadCertificates(AsBytes(trusted_pem), "the trusted certificates"));
    for (const Certificate& one : trusted) X509_STORE_add_cert(store.get(), one.get());
    // Any use of the certificate will do: who is trusted is said by the caller, not by its EKU.
    X509_VERIFY_PARAM* parameters = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(ToEpochMillis(now) / 1000));
  }
  const Bio bio = ReadFrom(content);
  if (CMS_verify(message.get(), nullptr, store.get(), bio.get(), nullptr, flags) != 1) {
    return Wrong("the CMS signature does not hold");
  }
  STACK_OF(X509)* signers = CMS_get0_signers(message.get());
  std::string subject = signers != nullptr && sk_X509_num(signers) > 0
                            ? SubjectOf(sk_X509_value(signers, 0))
                            : std::string();
  sk_X509_free(signers);
  ERR_clear_error();
  return subject;
}

}  // namespace keyturn::crypto
