// Attestation: documents of AWS Nitro enclaves and NitroTPM, read and verified, and the envelope in
// which an answer goes to the one who attested.
//
// A document is a COSE_Sign1 (RFC 9052) over ES384, whose certificate chains to a root that the
// operator trusts. ReadAttestationDocument looks at the form alone; AttestationRoots::Verify is
// what makes the content true. Verifying takes milliseconds: not for an event loop.
// Thread-safety: AttestationRoots is immutable after creation.
// Errors: kMalformed, with what is wrong: the form, the chain or the signature.
// Source: AWS Nitro Enclaves user guide, "Verifying the root of trust"; RFC 9052, 9053; RFC 5652
// and RFC 4055 (RSAES-OAEP in CMS).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"

struct x509_store_st;

namespace keyturn::crypto {

struct AttestationDocument {
  std::string module_id;
  TimePoint timestamp;
  std::map<std::uint32_t, Bytes> pcrs;            // of an enclave
  std::map<std::uint32_t, Bytes> nitro_tpm_pcrs;  // of NitroTPM
  Bytes public_key;                               // as it says, a SubjectPublicKeyInfo; empty: none
};

// SignedDocument: a document with what proves it. Views into the input.
struct SignedDocument {
  AttestationDocument content;
  ByteView protected_header;
  ByteView payload;
  ByteView signature;
  Bytes certificate;
  std::vector<Bytes> bundle;
};

// ReadAttestationDocument checks the form and every member; nothing is proven yet.
Result<SignedDocument> ReadAttestationDocument(ByteView document);

class AttestationRoots {
 public:
  // FromPem reads one or more root certificates. kMalformed when there is none, or one is broken.
  static Result<AttestationRoots> FromPem(std::string_view pem);
  AttestationRoots(AttestationRoots&&) noexcept = default;
  AttestationRoots& operator=(AttestationRoots&&) noexcept = default;

  // Verify: the chain leads to a root and is valid at now, and the certificate's key has signed the
  // document.
  Result<AttestationDocument> Verify(ByteView document, TimePoint now) const;

 private:
  struct Free {
    void operator()(x509_store_st* store) const;
  };
  explicit AttestationRoots(std::unique_ptr<x509_store_st, Free> store)
      : store_(std::move(store)) {}
  std::unique_ptr<x509_store_st, Free> store_;
};

// EnvelopFor is a CMS EnvelopedData (DER) for an RSA public key (SubjectPublicKeyInfo): the content
// under AES-256-CBC, its key under RSAES-OAEP with SHA-256. kMalformed when the key is no RSA key
// of 2048 to 4096 bits.
Result<Bytes> EnvelopFor(ByteView public_key, ByteView content);

}  // namespace keyturn::crypto
