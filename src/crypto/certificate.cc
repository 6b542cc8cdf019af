#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {

Result<Bytes> CertificateDer(std::string_view pem) {
  const auto malformed = [] {
    ERR_clear_error();
    return Fail(ErrorCode::kMalformed, "not one X.509 certificate in PEM");
  };
  const std::unique_ptr<BIO, Deleter<&BIO_free>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return malformed();
  // No pass phrase is ever asked for.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const std::unique_ptr<X509, Deleter<&X509_free>> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  if (!certificate) return malformed();
  char* rest = nullptr;
  const long rest_size = BIO_get_mem_data(bio.get(), &rest);
  const std::string_view after(rest, static_cast<std::size_t>(rest_size));
  if (after.find_first_not_of(" \t\r\n") != std::string_view::npos) return malformed();
  Bytes der = DerOf(&i2d_X509, static_cast<const X509*>(certificate.get()));
  if (der.empty()) return malformed();
  return der;
}

}  // namespace keyturn::crypto
