#include "crypto/wrapping.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <utility>

#include "crypto/openssl_check.h"
#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<&EVP_PKEY_CTX_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, Deleter<&EVP_CIPHER_CTX_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<&PKCS8_PRIV_KEY_INFO_free>>;

constexpr std::size_t kAesKeyBytes = 32;

tl::unexpected<Error> Unfit() {
  ERR_clear_error();  // or the next TLS call of this thread could take it for its own
  return Fail(ErrorCode::kInvalidCiphertextException);
}

PkeyPtr Generate(WrappingKeyKind kind) {
  const auto rsa = [](std::size_t bits) {
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits);
  };
  EVP_PKEY* key = nullptr;
  switch (kind) {
    case WrappingKeyKind::kRsa2048:
      key = rsa(2048);
      break;
    case WrappingKeyKind::kRsa3072:
      key = rsa(3072);
      break;
    case WrappingKeyKind::kRsa4096:
      key = rsa(4096);
      break;
    case WrappingKeyKind::kSm2:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2");
      break;
  }
  KT_CHECK(key != nullptr);
  return PkeyPtr(key);
}

SecretBytes EncodePrivate(EVP_PKEY* key) {
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
  KT_CHECK(info != nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  KT_CHECK(size > 0);
  const auto bytes = static_cast<std::size_t>(size);
  SecretBytes encoded = SecretBytes::CopyOf({der, bytes});
  OPENSSL_clear_free(der, bytes);
  return encoded;
}

Bytes EncodePublic(const EVP_PKEY* key) {
  Bytes encoded = DerOf(&i2d_PUBKEY, key);
  KT_CHECK(!encoded.empty());
  return encoded;
}

PkeyPtr DecodePrivate(ByteView der) {
  const unsigned char* at = der.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  PkeyPtr key(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
  if (!key) ERR_clear_error();
  return key;
}

// Decrypt is one public-key decryption; digest is null for SM2.
Result<SecretBytes> Decrypt(EVP_PKEY* key, const char* digest, ByteView wrapped) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  KT_CHECK(context != nullptr);
  if (EVP_PKEY_decrypt_init(context.get()) != 1) return Unfit();
  if (digest != nullptr) {
    // RFC 8017, 7.1.2, step 1; OpenSSL lets a ciphertext lack its leading zeros.
    if (wrapped.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key))) return Unfit();
    if (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), digest, nullptr) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.get(), digest, nullptr) != 1) {
      return Unfit();
    }
  }
  std::size_t size = 0;
  if (EVP_PKEY_decrypt(context.get(), nullptr, &size, wrapped.data(), wrapped.size()) != 1) {
    return Unfit();
  }
  SecretBytes room(size);
  if (EVP_PKEY_decrypt(context.get(), room.reveal_mutable().data(), &size, wrapped.data(),
                       wrapped.size()) != 1) {
    return Unfit();
  }
  return SecretBytes::CopyOf(room.reveal().first(size));
}

Result<SecretBytes> AesUnwrap(ByteView key, ByteView wrapped) {
  constexpr std::size_t kBlock = 8;
  if (wrapped.size() < 2 * kBlock || wrapped.size() % kBlock != 0) return Unfit();
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP-PAD", nullptr);
  const CipherContextPtr context(EVP_CIPHER_CTX_new());
  KT_CHECK(cipher != nullptr && context != nullptr);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  KT_OPENSSL(EVP_DecryptInit_ex2(context.get(), cipher, key.data(), nullptr, nullptr));
  SecretBytes room(wrapped.size() + kBlock);
  int size = 0;
  if (EVP_DecryptUpdate(context.get(), room.reveal_mutable().data(), &size, wrapped.data(),
                        static_cast<int>(wrapped.size())) != 1 ||
      size <= 0) {
    return Unfit();
  }
  return SecretBytes::CopyOf(room.reveal().first(static_cast<std::size_t>(size)));
}

Result<SecretBytes> RsaAesUnwrap(EVP_PKEY* key, const char* digest, ByteView wrapped) {
  const auto modulus = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  if (wrapped.size() <= modulus) return Unfit();
  KT_ASSIGN(const SecretBytes aes, Decrypt(key, digest, wrapped.first(modulus)));
  if (aes.size() != kAesKeyBytes) return Unfit();
  return AesUnwrap(aes.reveal(), wrapped.subspan(modulus));
}

}  // namespace

WrappingKeyPair NewWrappingKeyPair(WrappingKeyKind kind) {
  const PkeyPtr key = Generate(kind);
  return {EncodePrivate(key.get()), EncodePublic(key.get())};
}

Result<SecretBytes> Unwrap(ByteView private_key, WrappingAlgorithm algorithm, ByteView wrapped) {
  const PkeyPtr key = DecodePrivate(private_key);
  if (!key) return Fail(ErrorCode::kCorrupt, {}, "a wrapping key does not decode");
  const bool is_rsa = EVP_PKEY_is_a(key.get(), "RSA") == 1;
  if (is_rsa == (algorithm == WrappingAlgorithm::kSm2)) return Unfit();
  const bool sha1 = algorithm == WrappingAlgorithm::kRsaOaepSha1 ||
                    algorithm == WrappingAlgorithm::kRsaAesKeyWrapSha1;
  const char* digest = !is_rsa ? nullptr : sha1 ? "SHA1" : "SHA256";
  const bool aes = algorithm == WrappingAlgorithm::kRsaAesKeyWrapSha1 ||
                   algorithm == WrappingAlgorithm::kRsaAesKeyWrapSha256;
  return aes ? RsaAesUnwrap(key.get(), digest, wrapped) : Decrypt(key.get(), digest, wrapped);
}

}  // namespace keyturn::crypto
