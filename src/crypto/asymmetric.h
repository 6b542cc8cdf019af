// AsymmetricKey: RSA, NIST and secp256k1 curves, Ed25519, SM2 and, where it is a peer's or a data
// key, their public halves. A thin, typed cover of OpenSSL's EVP_PKEY: no algorithm is ours.
//
// Forms: private keys as PKCS#8 (RFC 5958) DER, public keys as SubjectPublicKeyInfo (RFC 5280) DER,
// ECDSA signatures as DER (RFC 3279), RSA-PSS with a salt as long as the digest and MGF1 of the
// same digest (RFC 8017), OAEP with MGF1 of the same digest and no label. Thread-safety: immutable
// after creation; use from several threads at once.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"

struct evp_pkey_st;

namespace keyturn::crypto {

enum class KeyType : std::uint8_t {
  kRsa2048,
  kRsa3072,
  kRsa4096,
  kP256,
  kP384,
  kP521,
  kSecp256k1,
  kEd25519,
  kSm2,
};

enum class Hash : std::uint8_t { kSha1, kSha224, kSha256, kSha384, kSha512 };
std::size_t HashBytes(Hash hash);
Bytes Digest(Hash hash, ByteView data);

// kSm2 signs a message, with SM3 and the usual distinguishing identifier; kSm2Digest signs what
// such a digest is (GB/T 32918.2).
enum class SignatureScheme : std::uint8_t {
  kRsaPkcs1,
  kRsaPss,
  kEcdsa,
  kEd25519,
  kSm2,
  kSm2Digest
};

class AsymmetricKey {
 public:
  // Generate makes a key pair from OpenSSL's private random generator. RSA takes up to seconds.
  static AsymmetricKey Generate(KeyType type);
  // FromPkcs8 and FromSpki: kMalformed when the DER is not exactly one valid key of type.
  static Result<AsymmetricKey> FromPkcs8(KeyType type, ByteView der);
  static Result<AsymmetricKey> FromSpki(KeyType type, ByteView der);

  AsymmetricKey(AsymmetricKey&&) noexcept = default;
  AsymmetricKey& operator=(AsymmetricKey&&) noexcept = default;

  KeyType type() const { return type_; }
  SecretBytes Pkcs8() const;
  Bytes Spki() const;

  // Sign and Verify take a digest, HashBytes(hash) long, except Ed25519 and kSm2, which take the
  // message and ignore hash, and kSm2Digest, whose digest is of SM3. scheme must fit the type
  // (KT_CHECK).
  Bytes Sign(SignatureScheme scheme, Hash hash, ByteView input) const;
  bool Verify(SignatureScheme scheme, Hash hash, ByteView input, ByteView signature) const;

  // OaepBytesMax: the longest plaintext of EncryptOaep; RSA only (KT_CHECK).
  std::size_t OaepBytesMax(Hash hash) const;
  Bytes EncryptOaep(Hash hash, ByteView plaintext) const;
  // DecryptOaep: kInvalidCiphertextException without a reason, whatever is wrong.
  Result<SecretBytes> DecryptOaep(Hash hash, ByteView ciphertext) const;

  // EncryptSm2: SM2 public-key encryption (GB/T 32918.4), as DER (GM/T 0009); SM2 keys only.
  Bytes EncryptSm2(ByteView plaintext) const;
  // DecryptSm2: kInvalidCiphertextException without a reason, whatever is wrong.
  Result<SecretBytes> DecryptSm2(ByteView ciphertext) const;

  // SharedSecret is the raw X coordinate of ECDH (SP 800-56A) with a peer on the same curve.
  Result<SecretBytes> SharedSecret(const AsymmetricKey& peer) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;
  AsymmetricKey(KeyType type, Handle handle) : type_(type), handle_(std::move(handle)) {}

  KeyType type_;
  Handle handle_;
};

// Hmac of any length of key (FIPS 198-1).
Bytes Hmac(Hash hash, ByteView key, ByteView message);

}  // namespace keyturn::crypto
