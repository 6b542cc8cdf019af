// Digests, MACs, key derivation, AES-GCM and sealing against published vectors.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/gcm.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/test_vectors.h"

namespace keyturn::crypto {
namespace {

Key256 KeyOf(ByteView bytes) {
  Key256 key;
  std::copy(bytes.begin(), bytes.end(), key.reveal_mutable().begin());
  return key;
}

// --- SHA-256 -----------------------------------------------------------------------------------

// Source: FIPS 180-4 examples (NIST, "SHA-256 examples with intermediate values").
TEST(Sha256, NistExamples) {
  EXPECT_EQ(HexEncode(Sha256(AsBytes(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexEncode(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexEncode(Sha256(Bytes(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsAreTheirConcatenation) {
  const ByteView parts[] = {AsBytes("a"), {}, AsBytes("bc")};
  EXPECT_EQ(Sha256Parts(parts), Sha256(AsBytes("abc")));
  EXPECT_EQ(Sha256Parts({}), Sha256({}));
}

// --- HMAC --------------------------------------------------------------------------------------

// Source: RFC 4231 section 4 (test case 5 is about truncation and has 128 bits).
TEST(HmacSha256, Rfc4231) {
  const struct {
    Bytes key, data;
    std::string_view mac;
  } kCases[] = {
      {Bytes(20, 0x0b), Unhex("4869205468657265"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {Unhex("4a656665"), Unhex("7768617420646f2079612077616e7420666f72206e6f7468696e673f"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {Unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), Bytes(50, 0xcd),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(20, 0x0c), Unhex("546573742057697468205472756e636174696f6e"),
       "a3b6167473100ee06e0c796c2955552b"},
      {Bytes(131, 0xaa),
       Unhex("54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617"
             "368204b6579204669727374"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(HexEncode(HmacSha256(c.key, c.data)).substr(0, c.mac.size()), c.mac);
  }
}

// The context keeps its key between calls: no call may see the key of another.
TEST(HmacSha256, KeysDoNotLeakIntoTheNextCall) {
  const Bytes a(32, 1), b(32, 2), data(10, 3), prefix(31, 1), long_key(65, 1), other_long(65, 2);
  const auto mac_a = HmacSha256(a, data);
  EXPECT_EQ(HmacSha256(a, data), mac_a);
  const auto mac_b = HmacSha256(b, data);
  EXPECT_NE(mac_a, mac_b);
  EXPECT_NE(HmacSha256(prefix, data), mac_a);
  const auto empty = HmacSha256({}, data);
  EXPECT_NE(empty, mac_a);
  EXPECT_EQ(HmacSha256(a, data), mac_a);
  EXPECT_EQ(HmacSha256({}, data), empty);
  EXPECT_NE(HmacSha256(long_key, data), HmacSha256(other_long, data));
  EXPECT_EQ(HmacSha256(b, data), mac_b);
}

// Source: the value that RFC 2104's construction gives for empty key and message, widely published.
Bytes OpenSslHmac(ByteView key, ByteView message) {
  constexpr std::uint8_t kNoKey = 0;  // OpenSSL takes a null key for the one before
  Bytes mac(32);
  unsigned size = 0;
  EXPECT_NE(HMAC(EVP_sha256(), key.empty() ? &kNoKey : key.data(), static_cast<int>(key.size()),
                 message.data(), message.size(), mac.data(), &size),
            nullptr);
  EXPECT_EQ(size, mac.size());
  return mac;
}

TEST(HmacKey, ServesMessagesOfEverySize) {
  for (const std::size_t key_size : {0U, 20U, 32U, 64U, 65U, 131U}) {
    Bytes key(key_size);
    SystemRandom().Fill(key);
    const HmacKey kept(key);
    for (const std::size_t size : {0U, 1U, 55U, 56U, 63U, 64U, 65U, 200U}) {
      Bytes message(size);
      SystemRandom().Fill(message);
      EXPECT_EQ(HexEncode(kept.Mac(message)), HexEncode(OpenSslHmac(key, message)))
          << key_size << " " << size;
    }
  }
}

TEST(HmacSha256, EmptyKeyAndMessage) {
  HmacSha256(Bytes(32, 7), {});
  EXPECT_EQ(HexEncode(HmacSha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(ConstantTimeEquals, SizesAndBytes) {
  EXPECT_TRUE(ConstantTimeEquals({}, {}));
  EXPECT_TRUE(ConstantTimeEquals(AsBytes("ab"), AsBytes("ab")));
  EXPECT_FALSE(ConstantTimeEquals(AsBytes("ab"), AsBytes("ac")));
  EXPECT_FALSE(ConstantTimeEquals(AsBytes("ab"), AsBytes("abc")));
}

// --- SP 800-108 --------------------------------------------------------------------------------

TEST(DeriveKey, OneBlockOfNistCounterMode) {
  const auto blocks = ReadVectors(KEYTURN_SOURCE_DIR "/tests/data/vectors/kbkdf_ctr_nist.txt");
  ASSERT_EQ(blocks.size(), 10U);
  for (const VectorBlock& block : blocks) {
    const Bytes fixed = Hex(block, "FixedInputData");
    const Bytes counter = {0, 0, 0, 1};
    const ByteView parts[] = {counter, fixed};
    const auto mac = HmacSha256Parts(Hex(block, "KI"), parts);
    EXPECT_EQ(HexEncode(ByteView(mac).first(16)), Text(block, "KO"));
  }
}

Bytes OpenSslKbkdf(ByteView key, std::string_view label, ByteView context) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "KBKDF", nullptr);
  EVP_KDF_CTX* ctx = EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  std::string mode = "counter", mac = "HMAC", digest = "SHA256", label_copy(label);
  Bytes key_copy(key.begin(), key.end()), context_copy(context.begin(), context.end());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode.data(), 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac.data(), 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_copy.data(), key_copy.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, label_copy.data(), label_copy.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, context_copy.data(),
                                        context_copy.size()),
      OSSL_PARAM_construct_end()};
  Bytes out(32);
  EXPECT_EQ(EVP_KDF_derive(ctx, out.data(), out.size(), parameters), 1);
  EVP_KDF_CTX_free(ctx);
  return out;
}

TEST(DeriveKey, EqualsOpenSslKbkdf) {
  for (std::size_t size : {1U, 16U, 32U, 100U}) {
    Bytes key(32), context(size);
    SystemRandom().Fill(key);
    SystemRandom().Fill(context);
    for (const char* label : {"k", "keyturn/v1/message-key",
                              "a label of more than one block of "
                              "the hash function, sixty-four bytes"}) {
      EXPECT_EQ(HexEncode(DeriveKey(key, label, context).reveal()),
                HexEncode(OpenSslKbkdf(key, label, context)));
    }
  }
}

TEST(DeriveKey, LabelAndContextDoNotRunTogether) {
  const Bytes key(32, 1);
  EXPECT_NE(HexEncode(DeriveKey(key, "ab", AsBytes("c")).reveal()),
            HexEncode(DeriveKey(key, "a", AsBytes("bc")).reveal()));
}

// --- scrypt ------------------------------------------------------------------------------------

// Source: RFC 7914 section 12, the first 32 of 64 bytes (PBKDF2's first block).
TEST(Scrypt, Rfc7914) {
  const auto scrypt = [](std::string_view passphrase, std::string_view salt, ScryptParameters p) {
    const auto key = Scrypt(AsBytes(passphrase), AsBytes(salt), p);
    return key ? HexEncode(key->reveal()) : key.error().message;
  };
  EXPECT_EQ(scrypt("", "", {.n = 16, .r = 1, .p = 1}),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442");
  EXPECT_EQ(scrypt("password", "NaCl", {.n = 1024, .r = 8, .p = 16}),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
  EXPECT_EQ(scrypt("pleaseletmein", "SodiumChloride", {.n = 16384, .r = 8, .p = 1}),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST(Scrypt, RefusesParametersOutOfRange) {
  const std::uint64_t max = ~std::uint64_t{0};
  const ScryptParameters kBad[] = {{.n = 0, .r = 8, .p = 1},
                                   {.n = 1, .r = 8, .p = 1},
                                   {.n = 1000, .r = 8, .p = 1},
                                   {.n = 1024, .r = 0, .p = 1},
                                   {.n = 1024, .r = 8, .p = 0},
                                   {.n = 1 << 21, .r = 8, .p = 1},
                                   {.n = 2, .r = 1 << 15, .p = 1 << 15},
                                   {.n = max, .r = max, .p = max},
                                   {.n = 1ULL << 63, .r = 8, .p = 1},
                                   {.n = 2, .r = max, .p = 2},
                                   {.n = 1 << 16, .r = 1, .p = 1},
                                   {.n = 2, .r = 1, .p = 1 << 24}};
  for (const ScryptParameters& p : kBad) {
    const auto key = Scrypt(AsBytes("x"), AsBytes("y"), p);
    ASSERT_FALSE(key) << p.n << ' ' << p.r << ' ' << p.p;
    EXPECT_EQ(key.error().code, ErrorCode::kUsage);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

// --- AES-GCM -----------------------------------------------------------------------------------

TEST(Gcm, NistVectors) {
  const auto blocks = ReadVectors(KEYTURN_SOURCE_DIR "/tests/data/vectors/aes_256_gcm_nist.txt");
  ASSERT_EQ(blocks.size(), 150U);
  int refused = 0;
  for (const VectorBlock& block : blocks) {
    const Bytes key = Hex(block, "Key"), iv = Hex(block, "IV"), aad = Hex(block, "AAD"),
                ciphertext = Hex(block, "CT"), tag = Hex(block, "Tag");
    // Split, to show that parts are their concatenation.
    const ByteView parts[] = {ByteView(aad).first(aad.size() / 3),
                              ByteView(aad).subspan(aad.size() / 3)};
    Bytes plaintext(ciphertext.size());
    const bool opened = GcmDecrypt(key, iv, parts, ciphertext, tag, plaintext);
    if (block.contains("FAIL")) {
      ++refused;
      EXPECT_FALSE(opened) << HexEncode(tag);
      EXPECT_EQ(plaintext, Bytes(ciphertext.size())) << "wiped";
      continue;
    }
    EXPECT_TRUE(opened);
    EXPECT_EQ(HexEncode(plaintext), Text(block, "PT"));
    Bytes made(plaintext.size()), made_tag(16);
    GcmEncrypt(key, iv, parts, plaintext, made, made_tag);
    EXPECT_EQ(made, ciphertext);
    EXPECT_EQ(made_tag, tag);
  }
  EXPECT_EQ(refused, 74);
}

TEST(Gcm, RefusesEveryChangedBitAndLeavesNoError) {
  const Bytes key(32, 1), iv(12, 2), aad(5, 3), plaintext(20, 4);
  const ByteView parts[] = {aad};
  Bytes ciphertext(20), tag(16), out(20);
  GcmEncrypt(key, iv, parts, plaintext, ciphertext, tag);
  for (Bytes* part : {&ciphertext, &tag}) {
    for (std::size_t bit = 0; bit < part->size() * 8; ++bit) {
      (*part)[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      ASSERT_FALSE(GcmDecrypt(key, iv, parts, ciphertext, tag, out)) << bit;
      (*part)[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_TRUE(GcmDecrypt(key, iv, parts, ciphertext, tag, out));
}

// --- Sealing -----------------------------------------------------------------------------------

TEST(Seal, OpensUnderTheSameKeyAndRowOnly) {
  const Key256 key = KeyOf(Bytes(32, 1)), other = KeyOf(Bytes(32, 2));
  const Bytes sealed = Seal(key, AsBytes("row 1"), AsBytes("secret"), SystemRandom());
  EXPECT_EQ(sealed.size(), 6 + kSealOverheadBytes);
  const auto opened = Open(key, AsBytes("row 1"), sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(AsText(opened->reveal()), "secret");

  std::vector<std::string> messages;
  const auto refuse = [&](const Result<SecretBytes>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
    messages.push_back(result.error().message);
  };
  refuse(Open(other, AsBytes("row 1"), sealed));
  refuse(Open(key, AsBytes("row 2"), sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x80;
    refuse(Open(key, AsBytes("row 1"), changed));
    refuse(Open(key, AsBytes("row 1"), ByteView(sealed).first(i)));
  }
  EXPECT_EQ(std::count(messages.begin(), messages.end(), messages.front()),
            static_cast<std::ptrdiff_t>(messages.size()))
      << "every reason reads the same";
}

TEST(Seal, EmptyValueAndFreshIvs) {
  const Key256 key = KeyOf(Bytes(32, 1));
  const Bytes sealed = Seal(key, {}, {}, SystemRandom());
  EXPECT_EQ(sealed.size(), kSealOverheadBytes);
  const auto opened = Open(key, {}, sealed);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
  EXPECT_NE(sealed, Seal(key, {}, {}, SystemRandom()));
}

}  // namespace
}  // namespace keyturn::crypto
