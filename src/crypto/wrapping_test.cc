// Does what others wrap for our key pairs come out, and nothing else? The wrapping is done by
// OpenSSL's public interface here; tests/conformance does it with Node's.
#include "crypto/wrapping.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace keyturn::crypto {
namespace {

Bytes Encrypt(const Bytes& spki, const char* digest, ByteView plain) {
  const unsigned char* at = spki.data();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())), &EVP_PKEY_free);
  EXPECT_NE(key, nullptr);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key.get(), nullptr), &EVP_PKEY_CTX_free);
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  if (digest != nullptr) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), digest, nullptr), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.get(), digest, nullptr), 1);
  }
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), nullptr, &size, plain.data(), plain.size()), 1);
  Bytes out(size);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, plain.data(), plain.size()), 1);
  out.resize(size);
  return out;
}

Bytes AesWrap(ByteView key, ByteView plain) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_256_wrap_pad(), nullptr, key.data(), nullptr),
            1);
  Bytes out(plain.size() + 32);
  int size = 0;
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &size, plain.data(),
                              static_cast<int>(plain.size())),
            1);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Bytes Material(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return bytes;
}

bool OpensTo(const Result<SecretBytes>& opened, ByteView expected) {
  return opened && std::equal(expected.begin(), expected.end(), opened->reveal().begin(),
                              opened->reveal().end());
}

void ExpectUnfit(const Result<SecretBytes>& opened) {
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidCiphertextException);
  EXPECT_EQ(opened.error().message, "");
}

TEST(Wrapping, EverySizeOfRsaKeyTakesOaep) {
  for (const auto& [kind, bytes] :
       {std::pair{WrappingKeyKind::kRsa2048, 256U}, std::pair{WrappingKeyKind::kRsa3072, 384U},
        std::pair{WrappingKeyKind::kRsa4096, 512U}}) {
    const WrappingKeyPair pair = NewWrappingKeyPair(kind);
    const Bytes plain = Material(32);
    const Bytes sha1 = Encrypt(pair.public_key, "SHA1", plain);
    const Bytes sha256 = Encrypt(pair.public_key, "SHA256", plain);
    EXPECT_EQ(sha256.size(), bytes);
    const ByteView key = pair.private_key.reveal();
    EXPECT_TRUE(OpensTo(Unwrap(key, WrappingAlgorithm::kRsaOaepSha1, sha1), plain));
    EXPECT_TRUE(OpensTo(Unwrap(key, WrappingAlgorithm::kRsaOaepSha256, sha256), plain));
    ExpectUnfit(Unwrap(key, WrappingAlgorithm::kRsaOaepSha256, sha1));
    ExpectUnfit(Unwrap(key, WrappingAlgorithm::kRsaOaepSha1, sha256));
  }
}

TEST(Wrapping, RsaAesKeyWrapTakesMoreThanAnRsaBlock) {
  const WrappingKeyPair pair = NewWrappingKeyPair(WrappingKeyKind::kRsa2048);
  const ByteView key = pair.private_key.reveal();
  const Bytes aes = Material(32);
  for (const std::size_t size : {1U, 7U, 8U, 9U, 32U, 138U, 2375U}) {
    const Bytes plain = Material(size);
    for (const auto& [digest, algorithm] :
         {std::pair{"SHA1", WrappingAlgorithm::kRsaAesKeyWrapSha1},
          std::pair{"SHA256", WrappingAlgorithm::kRsaAesKeyWrapSha256}}) {
      Bytes wrapped = Encrypt(pair.public_key, digest, aes);
      const Bytes inner = AesWrap(aes, plain);
      wrapped.insert(wrapped.end(), inner.begin(), inner.end());
      EXPECT_TRUE(OpensTo(Unwrap(key, algorithm, wrapped), plain)) << size;
      wrapped.back() ^= 1;
      ExpectUnfit(Unwrap(key, algorithm, wrapped));
      wrapped.back() ^= 1;
      wrapped.push_back(0);
      ExpectUnfit(Unwrap(key, algorithm, wrapped));
      ExpectUnfit(Unwrap(key, algorithm, ByteView(wrapped).first(256)));
      ExpectUnfit(Unwrap(key, algorithm, ByteView(wrapped).first(100)));
    }
  }
  Bytes short_key = Encrypt(pair.public_key, "SHA256", Material(16));
  const Bytes inner = AesWrap(aes, aes);
  short_key.insert(short_key.end(), inner.begin(), inner.end());
  ExpectUnfit(Unwrap(key, WrappingAlgorithm::kRsaAesKeyWrapSha256, short_key));
}

TEST(Wrapping, Sm2TakesMaterial) {
  const WrappingKeyPair pair = NewWrappingKeyPair(WrappingKeyKind::kSm2);
  const ByteView key = pair.private_key.reveal();
  const Bytes plain = Material(32);
  Bytes wrapped = Encrypt(pair.public_key, nullptr, plain);
  EXPECT_TRUE(OpensTo(Unwrap(key, WrappingAlgorithm::kSm2, wrapped), plain));
  ExpectUnfit(Unwrap(key, WrappingAlgorithm::kRsaOaepSha256, wrapped));
  wrapped[wrapped.size() / 2] ^= 1;
  ExpectUnfit(Unwrap(key, WrappingAlgorithm::kSm2, wrapped));
}

TEST(Wrapping, AnotherKeyPairOpensNothing) {
  const WrappingKeyPair mine = NewWrappingKeyPair(WrappingKeyKind::kRsa2048);
  const WrappingKeyPair other = NewWrappingKeyPair(WrappingKeyKind::kRsa2048);
  EXPECT_NE(mine.public_key, other.public_key);
  const Bytes wrapped = Encrypt(mine.public_key, "SHA256", Material(32));
  ExpectUnfit(Unwrap(other.private_key.reveal(), WrappingAlgorithm::kRsaOaepSha256, wrapped));
  ExpectUnfit(Unwrap(mine.private_key.reveal(), WrappingAlgorithm::kSm2, wrapped));
  ExpectUnfit(Unwrap(mine.private_key.reveal(), WrappingAlgorithm::kRsaOaepSha256, {}));
  const auto no_key = Unwrap(Material(40), WrappingAlgorithm::kRsaOaepSha256, wrapped);
  ASSERT_FALSE(no_key);
  EXPECT_EQ(no_key.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace keyturn::crypto
