// Key pairs and MACs against published vectors, and what must not be taken for a key or a
// signature.
#include "crypto/asymmetric.h"

#include <gtest/gtest.h>

#include <string_view>

#include "base/hex.h"

namespace keyturn::crypto {
namespace {

Bytes Hex(std::string_view text) { return *HexDecode(text); }

// Source: RFC 8032, 7.1, TEST 3. PKCS#8 is RFC 8410's form of the secret key.
TEST(AsymmetricKey, Ed25519Rfc8032) {
  const Bytes pkcs8 =
      Hex("302e020100300506032b657004220420"
          "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
  const auto key = AsymmetricKey::FromPkcs8(KeyType::kEd25519, pkcs8);
  ASSERT_TRUE(key);
  EXPECT_EQ(HexEncode(key->Spki()),
            "302a300506032b6570032100"
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const Bytes message = Hex("af82");
  const Bytes signature = key->Sign(SignatureScheme::kEd25519, Hash::kSha512, message);
  EXPECT_EQ(HexEncode(signature),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
  EXPECT_TRUE(key->Verify(SignatureScheme::kEd25519, Hash::kSha512, message, signature));
  EXPECT_FALSE(key->Verify(SignatureScheme::kEd25519, Hash::kSha512, Hex("af83"), signature));
}

// Source: RFC 4231, test case 2 (key "Jefe").
TEST(Hmac, Rfc4231) {
  const ByteView key = AsBytes("Jefe");
  const ByteView data = AsBytes("what do ya want for nothing?");
  EXPECT_EQ(HexEncode(Hmac(Hash::kSha224, key, data)),
            "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44");
  EXPECT_EQ(HexEncode(Hmac(Hash::kSha256, key, data)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexEncode(Hmac(Hash::kSha384, key, data)),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
            "8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(HexEncode(Hmac(Hash::kSha512, key, data)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

constexpr KeyType kQuick[] = {KeyType::kRsa2048, KeyType::kP256,      KeyType::kP384,
                              KeyType::kP521,    KeyType::kSecp256k1, KeyType::kEd25519};

TEST(AsymmetricKey, BothFormsReadBackAsTheSameKeyAndAsNoOther) {
  for (const KeyType type : kQuick) {
    const AsymmetricKey key = AsymmetricKey::Generate(type);
    const SecretBytes pkcs8 = key.Pkcs8();
    const Bytes spki = key.Spki();
    const auto again = AsymmetricKey::FromPkcs8(type, pkcs8.reveal());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->Spki(), spki);
    EXPECT_EQ(AsymmetricKey::FromSpki(type, spki)->Spki(), spki);
    for (const KeyType other : kQuick) {
      if (other == type) continue;
      EXPECT_FALSE(AsymmetricKey::FromPkcs8(other, pkcs8.reveal()));
      EXPECT_FALSE(AsymmetricKey::FromSpki(other, spki));
    }
    Bytes longer = spki;
    longer.push_back(0);
    EXPECT_FALSE(AsymmetricKey::FromSpki(type, longer));
    for (std::size_t size = 0; size < spki.size(); ++size) {
      EXPECT_FALSE(AsymmetricKey::FromSpki(type, ByteView(spki).first(size)));
    }
  }
}

TEST(AsymmetricKey, EverySignatureBitCounts) {
  const Bytes digest = Digest(Hash::kSha256, AsBytes("message"));
  const std::pair<KeyType, SignatureScheme> kCases[] = {
      {KeyType::kRsa2048, SignatureScheme::kRsaPss},
      {KeyType::kRsa2048, SignatureScheme::kRsaPkcs1},
      {KeyType::kP256, SignatureScheme::kEcdsa},
      {KeyType::kSecp256k1, SignatureScheme::kEcdsa}};
  for (const auto& [type, scheme] : kCases) {
    const AsymmetricKey key = AsymmetricKey::Generate(type);
    Bytes signature = key.Sign(scheme, Hash::kSha256, digest);
    EXPECT_TRUE(key.Verify(scheme, Hash::kSha256, digest, signature));
    for (std::uint8_t& byte : signature) {
      byte ^= 1;
      EXPECT_FALSE(key.Verify(scheme, Hash::kSha256, digest, signature));
      byte ^= 1;
    }
    EXPECT_FALSE(key.Verify(scheme, Hash::kSha256, digest, {}));
    EXPECT_FALSE(AsymmetricKey::Generate(type).Verify(scheme, Hash::kSha256, digest, signature));
  }
}

TEST(AsymmetricKey, APointOffTheCurveIsNoPublicKey) {
  Bytes spki = AsymmetricKey::Generate(KeyType::kP256).Spki();
  spki.back() ^= 1;
  EXPECT_FALSE(AsymmetricKey::FromSpki(KeyType::kP256, spki));
}

TEST(AsymmetricKey, OaepIsForItsHashOnly) {
  const AsymmetricKey key = AsymmetricKey::Generate(KeyType::kRsa2048);
  EXPECT_EQ(key.OaepBytesMax(Hash::kSha1), 214U);
  EXPECT_EQ(key.OaepBytesMax(Hash::kSha256), 190U);
  const Bytes ciphertext = key.EncryptOaep(Hash::kSha256, AsBytes("secret"));
  EXPECT_EQ(AsText(key.DecryptOaep(Hash::kSha256, ciphertext)->reveal()), "secret");
  EXPECT_FALSE(key.DecryptOaep(Hash::kSha1, ciphertext));
  EXPECT_FALSE(key.DecryptOaep(Hash::kSha256, ByteView(ciphertext).first(255)));
  EXPECT_FALSE(key.DecryptOaep(Hash::kSha256, {}));
}

// Source: RFC 8017, 7.1.2 and 8.1.2, step 1: a number that begins with a zero byte is not
// shortened.
TEST(AsymmetricKey, RsaNumbersAreAsLongAsTheModulus) {
  const AsymmetricKey key = AsymmetricKey::Generate(KeyType::kRsa2048);
  constexpr int kTriesMax = 10000;  // one in 256 begins with a zero byte
  Bytes ciphertext = {1};
  for (int i = 0; i < kTriesMax && ciphertext.front() != 0; ++i) {
    ciphertext = key.EncryptOaep(Hash::kSha256, AsBytes("secret"));
  }
  ASSERT_EQ(ciphertext.front(), 0);
  EXPECT_TRUE(key.DecryptOaep(Hash::kSha256, ciphertext));
  EXPECT_FALSE(key.DecryptOaep(Hash::kSha256, ByteView(ciphertext).subspan(1)));

  const Bytes digest = Digest(Hash::kSha256, AsBytes("message"));
  Bytes signature = {1};
  for (int i = 0; i < kTriesMax && signature.front() != 0; ++i) {
    signature = key.Sign(SignatureScheme::kRsaPss, Hash::kSha256, digest);
  }
  ASSERT_EQ(signature.front(), 0);
  EXPECT_TRUE(key.Verify(SignatureScheme::kRsaPss, Hash::kSha256, digest, signature));
  EXPECT_FALSE(
      key.Verify(SignatureScheme::kRsaPss, Hash::kSha256, digest, ByteView(signature).subspan(1)));
}

TEST(AsymmetricKey, BothSidesAgree) {
  const AsymmetricKey a = AsymmetricKey::Generate(KeyType::kP521);
  const AsymmetricKey b = AsymmetricKey::Generate(KeyType::kP521);
  const auto ab = a.SharedSecret(b);
  const auto ba = b.SharedSecret(a);
  ASSERT_TRUE(ab && ba);
  EXPECT_EQ(ab->size(), 66U);
  EXPECT_EQ(HexEncode(ab->reveal()), HexEncode(ba->reveal()));
}

}  // namespace
}  // namespace keyturn::crypto
