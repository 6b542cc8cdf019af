#include "crypto/asymmetric.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "crypto/openssl_check.h"
#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<&EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<&EVP_MD_CTX_free>>;
using Pkcs8Info = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<&PKCS8_PRIV_KEY_INFO_free>>;

const EVP_MD* Md(Hash hash) {
  switch (hash) {
    case Hash::kSha1:
      return EVP_sha1();
    case Hash::kSha224:
      return EVP_sha224();
    case Hash::kSha256:
      return EVP_sha256();
    case Hash::kSha384:
      return EVP_sha384();
    case Hash::kSha512:
      return EVP_sha512();
  }
  KT_CHECK(false);
}

bool IsRsa(KeyType type) {
  return type == KeyType::kRsa2048 || type == KeyType::kRsa3072 || type == KeyType::kRsa4096;
}

int RsaBits(KeyType type) {
  return type == KeyType::kRsa2048 ? 2048 : type == KeyType::kRsa3072 ? 3072 : 4096;
}

std::size_t ModulusBytes(KeyType type) { return static_cast<std::size_t>(RsaBits(type)) / 8; }

// CurveName: OpenSSL's name of the group; empty for other kinds of key.
std::string_view CurveName(KeyType type) {
  switch (type) {
    case KeyType::kP256:
      return "prime256v1";
    case KeyType::kP384:
      return "secp384r1";
    case KeyType::kP521:
      return "secp521r1";
    case KeyType::kSecp256k1:
      return "secp256k1";
    case KeyType::kRsa2048:
    case KeyType::kRsa3072:
    case KeyType::kRsa4096:
    case KeyType::kEd25519:
    case KeyType::kSm2:
      return {};
  }
  KT_CHECK(false);
}

// IsOfType looks at what the key says of itself, not at where it came from.
bool IsOfType(EVP_PKEY* key, KeyType type) {
  if (IsRsa(type)) {
    return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) == RsaBits(type);
  }
  if (type == KeyType::kEd25519) {
    return EVP_PKEY_is_a(key, "ED25519") == 1;
  }
  if (type == KeyType::kSm2) {
    return EVP_PKEY_is_a(key, "SM2") == 1;
  }
  char name[64] = {};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name, sizeof(name), &size) == 1 &&
         std::string_view(name, size) == CurveName(type);
}

tl::unexpected<Error> Malformed(const char* what) {
  ERR_clear_error();
  return Fail(ErrorCode::kMalformed, what);
}

KeyContext ContextFor(EVP_PKEY* key) {
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  KT_CHECK(context != nullptr);
  return context;
}

// SetUp prepares a context that signs or verifies digests.
void SetUp(EVP_PKEY_CTX* context, SignatureScheme scheme, Hash hash) {
  KT_OPENSSL(EVP_PKEY_CTX_set_signature_md(context, Md(hash)));
  if (scheme == SignatureScheme::kRsaPss) {
    KT_OPENSSL(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING));
    KT_OPENSSL(EVP_PKEY_CTX_set_rsa_mgf1_md(context, Md(hash)));
    KT_OPENSSL(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST));
  } else if (scheme == SignatureScheme::kRsaPkcs1) {
    KT_OPENSSL(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING));
  }
}

void SetUpOaep(EVP_PKEY_CTX* context, Hash hash) {
  KT_OPENSSL(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING));
  KT_OPENSSL(EVP_PKEY_CTX_set_rsa_oaep_md(context, Md(hash)));
  KT_OPENSSL(EVP_PKEY_CTX_set_rsa_mgf1_md(context, Md(hash)));
}

bool Fits(KeyType type, SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kRsaPkcs1:
    case SignatureScheme::kRsaPss:
      return IsRsa(type);
    case SignatureScheme::kEcdsa:
      return !CurveName(type).empty();
    case SignatureScheme::kEd25519:
      return type == KeyType::kEd25519;
    case SignatureScheme::kSm2:
    case SignatureScheme::kSm2Digest:
      return type == KeyType::kSm2;
  }
  KT_CHECK(false);
}

bool TakesMessage(SignatureScheme scheme) {
  return scheme == SignatureScheme::kEd25519 || scheme == SignatureScheme::kSm2;
}

// MessageContext is for schemes that take the message. The key context of SM2 has the identifier
// that everybody uses who has no other (GM/T 0009), and which AWS documents.
struct MessageContext {
  KeyContext key;
  DigestContext digest{EVP_MD_CTX_new()};
  const char* hash = nullptr;

  MessageContext(EVP_PKEY* pkey, SignatureScheme scheme) {
    KT_CHECK(digest != nullptr);
    if (scheme != SignatureScheme::kSm2) return;
    constexpr std::string_view kIdentifier = "1234567812345678";
    hash = "SM3";
    key = ContextFor(pkey);
    KT_OPENSSL(
        EVP_PKEY_CTX_set1_id(key.get(), kIdentifier.data(), static_cast<int>(kIdentifier.size())));
    EVP_MD_CTX_set_pkey_ctx(digest.get(), key.get());
  }
};

}  // namespace

void AsymmetricKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

std::size_t HashBytes(Hash hash) { return static_cast<std::size_t>(EVP_MD_get_size(Md(hash))); }

Bytes Digest(Hash hash, ByteView data) {
  Bytes digest(HashBytes(hash));
  unsigned size = 0;
  KT_OPENSSL(EVP_Digest(data.data(), data.size(), digest.data(), &size, Md(hash), nullptr));
  return digest;
}

AsymmetricKey AsymmetricKey::Generate(KeyType type) {
  EVP_PKEY* key = nullptr;
  if (IsRsa(type)) {
    key = EVP_RSA_gen(static_cast<unsigned>(RsaBits(type)));
  } else if (type == KeyType::kEd25519) {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else if (type == KeyType::kSm2) {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2");
  } else {
    key = EVP_EC_gen(CurveName(type).data());
  }
  KT_CHECK(key != nullptr);
  return {type, Handle(key)};
}

Result<AsymmetricKey> AsymmetricKey::FromPkcs8(KeyType type, ByteView der) {
  const unsigned char* at = der.data();
  const Pkcs8Info info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (info == nullptr || at != der.data() + der.size()) {
    return Malformed("not one PKCS#8 private key");
  }
  Handle key(EVP_PKCS82PKEY(info.get()));
  if (key == nullptr || !IsOfType(key.get(), type)) {
    return Malformed("a private key of another kind");
  }
  return AsymmetricKey(type, std::move(key));
}

Result<AsymmetricKey> AsymmetricKey::FromSpki(KeyType type, ByteView der) {
  const unsigned char* at = der.data();
  Handle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != der.data() + der.size() || !IsOfType(key.get(), type)) {
    return Malformed("not one public key of this kind");
  }
  const bool point = !CurveName(type).empty() || type == KeyType::kSm2;
  if (point && EVP_PKEY_public_check(ContextFor(key.get()).get()) != 1) {
    return Malformed("a point that is not on the curve");
  }
  return AsymmetricKey(type, std::move(key));
}

SecretBytes AsymmetricKey::Pkcs8() const {
  const Pkcs8Info info(EVP_PKEY2PKCS8(handle_.get()));
  KT_CHECK(info != nullptr);
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  KT_CHECK(size > 0);
  SecretBytes der(static_cast<std::size_t>(size));
  unsigned char* to = der.reveal_mutable().data();
  KT_CHECK(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &to) == size);
  return der;
}

Bytes AsymmetricKey::Spki() const {
  const int size = i2d_PUBKEY(handle_.get(), nullptr);
  KT_CHECK(size > 0);
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* to = der.data();
  KT_CHECK(i2d_PUBKEY(handle_.get(), &to) == size);
  return der;
}

Bytes AsymmetricKey::Sign(SignatureScheme scheme, Hash hash, ByteView input) const {
  KT_CHECK(Fits(type_, scheme));
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(handle_.get())));
  std::size_t size = signature.size();
  if (TakesMessage(scheme)) {
    const MessageContext context(handle_.get(), scheme);
    KT_OPENSSL(EVP_DigestSignInit_ex(context.digest.get(), nullptr, context.hash, nullptr, nullptr,
                                     handle_.get(), nullptr));
    KT_OPENSSL(
        EVP_DigestSign(context.digest.get(), signature.data(), &size, input.data(), input.size()));
  } else {
    KT_CHECK(input.size() == HashBytes(hash));
    const KeyContext context = ContextFor(handle_.get());
    KT_OPENSSL(EVP_PKEY_sign_init(context.get()));
    if (scheme != SignatureScheme::kSm2Digest) SetUp(context.get(), scheme, hash);
    KT_OPENSSL(EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(), input.size()));
  }
  signature.resize(size);
  return signature;
}

bool AsymmetricKey::Verify(SignatureScheme scheme, Hash hash, ByteView input,
                           ByteView signature) const {
  KT_CHECK(Fits(type_, scheme));
  bool valid = false;
  if (TakesMessage(scheme)) {
    const MessageContext context(handle_.get(), scheme);
    KT_OPENSSL(EVP_DigestVerifyInit_ex(context.digest.get(), nullptr, context.hash, nullptr,
                                       nullptr, handle_.get(), nullptr));
    valid = EVP_DigestVerify(context.digest.get(), signature.data(), signature.size(), input.data(),
                             input.size()) == 1;
  } else {
    KT_CHECK(input.size() == HashBytes(hash));
    // RFC 8017, 8.1.2 and 8.2.2, step 1; OpenSSL lets a PSS signature lack its leading zeros.
    if (IsRsa(type_) && signature.size() != ModulusBytes(type_)) return false;
    const KeyContext context = ContextFor(handle_.get());
    KT_OPENSSL(EVP_PKEY_verify_init(context.get()));
    if (scheme != SignatureScheme::kSm2Digest) SetUp(context.get(), scheme, hash);
    valid = EVP_PKEY_verify(context.get(), signature.data(), signature.size(), input.data(),
                            input.size()) == 1;
  }
  if (!valid) ERR_clear_error();
  return valid;
}

std::size_t AsymmetricKey::OaepBytesMax(Hash hash) const {
  KT_CHECK(IsRsa(type_));
  return ModulusBytes(type_) - 2 * HashBytes(hash) - 2;
}

Bytes AsymmetricKey::EncryptOaep(Hash hash, ByteView plaintext) const {
  KT_CHECK(plaintext.size() <= OaepBytesMax(hash));
  const KeyContext context = ContextFor(handle_.get());
  KT_OPENSSL(EVP_PKEY_encrypt_init(context.get()));
  SetUpOaep(context.get(), hash);
  Bytes ciphertext(static_cast<std::size_t>(EVP_PKEY_get_size(handle_.get())));
  std::size_t size = ciphertext.size();
  KT_OPENSSL(EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size, plaintext.data(),
                              plaintext.size()));
  ciphertext.resize(size);
  return ciphertext;
}

Result<SecretBytes> AsymmetricKey::DecryptOaep(Hash hash, ByteView ciphertext) const {
  KT_CHECK(IsRsa(type_));
  // RFC 8017, 7.1.2, step 1; OpenSSL lets a ciphertext lack its leading zeros.
  if (ciphertext.size() != ModulusBytes(type_)) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  const KeyContext context = ContextFor(handle_.get());
  KT_OPENSSL(EVP_PKEY_decrypt_init(context.get()));
  SetUpOaep(context.get(), hash);
  SecretBytes whole(static_cast<std::size_t>(EVP_PKEY_get_size(handle_.get())));
  std::size_t size = whole.size();
  if (EVP_PKEY_decrypt(context.get(), whole.reveal_mutable().data(), &size, ciphertext.data(),
                       ciphertext.size()) != 1) {
    ERR_clear_error();
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  return SecretBytes::CopyOf(whole.reveal().first(size));
}

Bytes AsymmetricKey::EncryptSm2(ByteView plaintext) const {
  KT_CHECK(type_ == KeyType::kSm2);
  const KeyContext context = ContextFor(handle_.get());
  KT_OPENSSL(EVP_PKEY_encrypt_init(context.get()));
  std::size_t size = 0;
  KT_OPENSSL(EVP_PKEY_encrypt(context.get(), nullptr, &size, plaintext.data(), plaintext.size()));
  Bytes ciphertext(size);
  KT_OPENSSL(EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size, plaintext.data(),
                              plaintext.size()));
  ciphertext.resize(size);
  return ciphertext;
}

Result<SecretBytes> AsymmetricKey::DecryptSm2(ByteView ciphertext) const {
  KT_CHECK(type_ == KeyType::kSm2);
  const KeyContext context = ContextFor(handle_.get());
  KT_OPENSSL(EVP_PKEY_decrypt_init(context.get()));
  std::size_t size = 0;
  if (EVP_PKEY_decrypt(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) == 1) {
    SecretBytes whole(size);
    if (EVP_PKEY_decrypt(context.get(), whole.reveal_mutable().data(), &size, ciphertext.data(),
                         ciphertext.size()) == 1) {
      return SecretBytes::CopyOf(whole.reveal().first(size));
    }
  }
  ERR_clear_error();
  return Fail(ErrorCode::kInvalidCiphertextException);
}

Result<SecretBytes> AsymmetricKey::SharedSecret(const AsymmetricKey& peer) const {
  KT_CHECK(!CurveName(type_).empty());
  const KeyContext context = ContextFor(handle_.get());
  KT_OPENSSL(EVP_PKEY_derive_init(context.get()));
  std::size_t size = 0;
  if (EVP_PKEY_derive_set_peer(context.get(), peer.handle_.get()) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return Malformed("a public key of another curve");
  }
  SecretBytes secret(size);
  if (EVP_PKEY_derive(context.get(), secret.reveal_mutable().data(), &size) != 1 ||
      size != secret.size()) {
    return Malformed("no shared secret with this public key");
  }
  return secret;
}

Bytes Hmac(Hash hash, ByteView key, ByteView message) {
  Bytes mac(HashBytes(hash));
  unsigned size = 0;
  KT_CHECK(HMAC(Md(hash), key.data(), static_cast<int>(key.size()), message.data(), message.size(),
                mac.data(), &size) != nullptr &&
           size == mac.size());
  return mac;
}

}  // namespace keyturn::crypto
