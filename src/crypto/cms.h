// Cms: detached signatures of files by X.509 certificates, as `openssl cms` makes and checks them.
//
// Errors: kUsage, with a message that says what is wrong. Limits: PEM files up to 1 MiB.
// Thread-safety: CmsSigner may sign in several threads at once.
// Source: RFC 5652, CMS; RFC 5280, certificates.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace keyturn::crypto {

class CmsSigner {
 public:
  // Create takes PEM: the signer's certificate first, those that lead to its root after it, and its
  // private key. A key under a passphrase is refused by name, and one that does not fit.
  static Result<CmsSigner> Create(ByteView certificates_pem, ByteView key_pem);
  CmsSigner(CmsSigner&&) noexcept;
  CmsSigner& operator=(CmsSigner&&) noexcept;
  ~CmsSigner();

  // Sign returns the DER of a detached signature of content, SHA-256, with the time in it.
  Result<Bytes> Sign(ByteView content, TimePoint now) const;

 private:
  struct Impl;
  explicit CmsSigner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// VerifyCms checks a detached signature against certificates that are trusted (PEM), at a time:
// the signer's subject ("CN=Auditor,O=Example"), or kUsage with the reason. Without trusted
// certificates the signature alone is checked, not whose it is.
Result<std::string> VerifyCms(ByteView signature_der, ByteView content,
                              std::string_view trusted_pem, TimePoint now);

}  // namespace keyturn::crypto
