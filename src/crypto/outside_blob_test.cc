#include "crypto/outside_blob.h"

#include <gtest/gtest.h>

#include "crypto/random.h"

namespace keyturn::crypto {
namespace {

constexpr std::string_view kKeyId = "1234abcd-12ab-34cd-56ef-1234567890ab";

HmacKey Material() {
  Key256 key;
  SystemRandom().Fill(key.reveal_mutable());
  return HmacKey(key.reveal());
}

Bytes Inner(const HmacKey& material, std::string_view plaintext) {
  const Bytes id(32, 0x42);
  return EncryptBlob(material, {AsBytes(kKeyId), id}, {{"a", "bc"}}, AsBytes(plaintext),
                     SystemRandom());
}

TEST(ExternalBlob, WrapsAndUnwrapsOurCiphertext) {
  const HmacKey material = Material();
  const Bytes inner = Inner(material, "plain");
  const Bytes iv(12, 1);
  const Bytes metadata(20, 2);
  const Bytes tag(16, 3);
  const ByteView sent = ForProxy(inner);
  const Bytes blob = MakeExternalBlob(inner, {iv, metadata, tag, sent});
  EXPECT_EQ(blob.size(), 5U + 156 + 20);

  const auto header = ParseAnyBlobHeader(blob);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->kind, BlobKind::kExternal);
  EXPECT_EQ(std::string(header->key_id.begin(), header->key_id.end()), kKeyId);
  const auto parts = ParseExternalBlob(blob);
  ASSERT_TRUE(parts);
  EXPECT_TRUE(std::equal(iv.begin(), iv.end(), parts->iv.begin(), parts->iv.end()));
  EXPECT_TRUE(
      std::equal(metadata.begin(), metadata.end(), parts->metadata.begin(), parts->metadata.end()));
  EXPECT_TRUE(std::equal(tag.begin(), tag.end(), parts->tag.begin(), parts->tag.end()));
  const Bytes back = InnerBlob(blob, parts->ciphertext);
  EXPECT_EQ(back, inner);
  const auto opened = DecryptBlob(material, back, {{"a", "bc"}});
  ASSERT_TRUE(opened);
  EXPECT_EQ(AsText(opened->reveal()), "plain");
}

TEST(ExternalBlob, AadBindsKeyMaterialAndContext) {
  const HmacKey material = Material();
  const Bytes inner = Inner(material, "");
  const auto aad = ExternalAad(inner, {{"a", "bc"}});
  const Bytes iv(12, 1);
  const Bytes tag(16, 3);
  const Bytes blob = MakeExternalBlob(inner, {iv, {}, tag, ForProxy(inner)});
  EXPECT_EQ(ExternalAad(blob, {{"a", "bc"}}), aad) << "the same when encrypting and decrypting";
  EXPECT_NE(ExternalAad(blob, {{"ab", "c"}}), aad);
  EXPECT_NE(ExternalAad(blob, {}), aad);
  for (const std::size_t at : {2U, 17U, 18U, 49U}) {
    Bytes other = blob;
    other[at] ^= 1;
    EXPECT_NE(ExternalAad(other, {{"a", "bc"}}), aad) << at;
  }
}

TEST(ExternalBlob, EverySizeThatCannotBeIsRefused) {
  const Bytes inner = Inner(Material(), std::string(4096, 'x'));
  const Bytes iv(16, 1);
  const Bytes tag(16, 3);
  const Bytes blob = MakeExternalBlob(inner, {iv, {}, tag, ForProxy(inner)});
  ASSERT_TRUE(ParseExternalBlob(blob));
  Bytes longer = blob;
  longer.push_back(0);
  EXPECT_FALSE(ParseExternalBlob(longer));
  for (const int size : {0, 11, 13, 15, 17, 255}) {
    Bytes changed = blob;
    changed[50] = static_cast<std::uint8_t>(size);
    EXPECT_FALSE(ParseExternalBlob(changed)) << size;
  }
  Bytes changed = blob;
  changed[51] = 21;
  EXPECT_FALSE(ParseExternalBlob(changed));
  const Bytes small = MakeExternalBlob(Inner(Material(), ""), {iv, {}, tag, Bytes(76, 0)});
  for (std::size_t size = 0; size < small.size(); ++size) {
    EXPECT_FALSE(ParseExternalBlob(ByteView(small).first(size))) << size;
    EXPECT_FALSE(ParseAnyBlobHeader(ByteView(small).first(size))) << size;
  }
}

TEST(TokenBlob, ComesBackAndIsShorterThanAwss) {
  const Bytes iv(12, 9);
  const Bytes sealed(5 + 16, 8);
  const Bytes blob = MakeTokenBlob(AsBytes(kKeyId), {iv, sealed});
  EXPECT_EQ(blob.size(), 5U + 46);
  const auto header = ParseAnyBlobHeader(blob);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->kind, BlobKind::kToken);
  EXPECT_EQ(std::string(header->key_id.begin(), header->key_id.end()), kKeyId);
  const auto parts = ParseTokenBlob(blob);
  ASSERT_TRUE(parts);
  EXPECT_TRUE(std::equal(iv.begin(), iv.end(), parts->iv.begin(), parts->iv.end()));
  EXPECT_TRUE(std::equal(sealed.begin(), sealed.end(), parts->sealed.begin(), parts->sealed.end()));
  for (std::size_t size = 0; size < 46; ++size) {
    EXPECT_FALSE(ParseAnyBlobHeader(ByteView(blob).first(size))) << size;
  }
  Bytes other = blob;
  other[1] = 1;
  EXPECT_FALSE(ParseAnyBlobHeader(other)) << "no token has a multi-Region key";
}

TEST(TokenBlob, AadIsTheHeaderAndTheContextWithLengths) {
  const Bytes aad = TokenAad(AsBytes(kKeyId), {{"a", "bc"}});
  const Bytes expected = {3,    0,    0x12, 0x34, 0xab, 0xcd, 0x12, 0xab, 0x34, 0xcd, 0x56,
                          0xef, 0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0,    0,    0,    1,
                          0,    0,    0,    1,    'a',  0,    0,    0,    2,    'b',  'c'};
  EXPECT_EQ(aad, expected);
  EXPECT_NE(TokenAad(AsBytes(kKeyId), {{"ab", "c"}}), aad);
}

TEST(AnyBlob, OurOwnIsStillOurOwn) {
  const auto header = ParseAnyBlobHeader(Inner(Material(), "x"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->kind, BlobKind::kMaterial);
  EXPECT_EQ(std::string(header->key_id.begin(), header->key_id.end()), kKeyId);
}

}  // namespace
}  // namespace keyturn::crypto
