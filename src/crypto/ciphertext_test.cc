// The ciphertext format: pinned byte for byte, and nothing but what was written decrypts.
#include "crypto/ciphertext.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "crypto/digest.h"
#include "crypto/gcm.h"
#include "crypto/random.h"
#include "crypto/test_vectors.h"

namespace keyturn::crypto {
namespace {

constexpr std::string_view kKeyId = "1234abcd-12ab-34cd-56ef-1234567890ab";
constexpr std::size_t kOverhead = 126;

// FixedRandom gives its bytes once, in order.
class FixedRandom final : public RandomSource {
 public:
  explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  void Fill(MutableByteView out) override {
    ASSERT_LE(out.size(), bytes_.size());
    std::copy_n(bytes_.begin(), out.size(), out.begin());
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(out.size()));
  }
  std::size_t left() const { return bytes_.size(); }

 private:
  Bytes bytes_;
};

Key256 KeyOf(ByteView bytes) {
  Key256 key;
  std::copy(bytes.begin(), bytes.end(), key.reveal_mutable().begin());
  return key;
}

class Blob : public testing::Test {
 protected:
  Bytes Encrypt(std::string_view plaintext, const EncryptionContext& context = {},
                std::string_view key_id = kKeyId) {
    return EncryptBlob(HmacKey(material_.reveal()), {AsBytes(key_id), material_id_}, context,
                       AsBytes(plaintext), SystemRandom());
  }
  // Plaintext, or the name of the error; an error must have no message.
  std::string Decrypt(ByteView blob, const EncryptionContext& context = {}) {
    const auto plaintext = DecryptBlob(HmacKey(material_.reveal()), blob, context);
    if (plaintext) {
      return std::string(AsText(plaintext->reveal()));
    }
    EXPECT_EQ(plaintext.error().message, "");
    EXPECT_EQ(plaintext.error().cause, "");
    return ErrorCodeName(plaintext.error().code);
  }

  const Key256 material_ = KeyOf(Bytes(32, 1));
  const Bytes material_id_ = Bytes(32, 2);
};

TEST(BlobFormat, Version1IsPinned) {
  const auto vectors = ReadVectors(KEYTURN_SOURCE_DIR "/tests/data/vectors/ciphertext_v1.txt");
  ASSERT_EQ(vectors.size(), 5U);
  for (const VectorBlock& v : vectors) {
    SCOPED_TRACE(Text(v, "name"));
    const HmacKey material(Hex(v, "material"));
    const std::string key_id = Text(v, "key_id");
    const Bytes material_id = Hex(v, "material_id");
    EncryptionContext context;
    for (auto [at, end] = v.equal_range("context"); at != end; ++at) {
      const std::size_t equals = at->second.find('=');
      context[at->second.substr(0, equals)] = at->second.substr(equals + 1);
    }
    const Bytes plaintext =
        v.contains("zeros") ? Bytes(std::stoul(Text(v, "zeros"))) : Hex(v, "plaintext");
    FixedRandom random(Hex(v, "random"));
    const Bytes blob =
        EncryptBlob(material, {AsBytes(key_id), material_id}, context, plaintext, random);
    EXPECT_EQ(random.left(), 0U);
    EXPECT_EQ(blob.size(), plaintext.size() + kOverhead);
    if (v.contains("blob")) {
      EXPECT_EQ(HexEncode(blob), Text(v, "blob"));
    } else {
      EXPECT_EQ(HexEncode(Sha256(blob)), Text(v, "blob_sha256"));
    }
    const auto opened = DecryptBlob(material, blob, context);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(std::ranges::equal(opened->reveal(), plaintext));
  }
}

TEST_F(Blob, HeaderNamesKeyAndMaterial) {
  for (const std::string_view id :
       {kKeyId, std::string_view("mrk-1234abcd12ab34cd56ef1234567890ab")}) {
    const auto header = ParseBlobHeader(Encrypt("x", {}, id));
    ASSERT_TRUE(header);
    EXPECT_EQ(std::string_view(header->key_id.data(), header->key_id.size()), id);
    EXPECT_TRUE(std::ranges::equal(header->material_id, material_id_));
  }
}

TEST_F(Blob, IsNeverLongerThanAws) {
  EXPECT_LE(kOverhead, kBlobOverheadMax);
  EXPECT_EQ(Encrypt("").size(), kOverhead);
  EXPECT_EQ(Encrypt(std::string(4096, 'x')).size(), 4096 + kOverhead);
}

TEST_F(Blob, DecryptsWhatWasEncrypted) {
  const EncryptionContext context = {{"tenant", "a"}, {"purpose", ""}};
  EXPECT_EQ(Decrypt(Encrypt("hello", context), context), "hello");
  EXPECT_EQ(Decrypt(Encrypt("")), "");
  const std::string longest(4096, 'x');
  EXPECT_EQ(Decrypt(Encrypt(longest)), longest);
}

TEST_F(Blob, TwoEncryptionsShareNothing) {
  const Bytes a = Encrypt("hello"), b = Encrypt("hello");
  // Nonce, IV, commitment, ciphertext and tag differ, not just one of them.
  EXPECT_FALSE(std::equal(a.begin() + 50, a.begin() + 66, b.begin() + 50));
  EXPECT_FALSE(std::equal(a.begin() + 66, a.begin() + 78, b.begin() + 66));
  EXPECT_FALSE(std::equal(a.begin() + 78, a.begin() + 110, b.begin() + 78));
  EXPECT_FALSE(std::equal(a.begin() + 110, a.begin() + 115, b.begin() + 110));
}

TEST_F(Blob, RefusesEveryChangedBit) {
  const EncryptionContext context = {{"a", "b"}};
  const Bytes good = Encrypt("hello", context);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_EQ(Decrypt(bad, context), "InvalidCiphertextException") << "bit " << bit;
  }
}

TEST_F(Blob, RefusesEveryOtherLength) {
  Bytes blob = Encrypt("hello");
  for (std::size_t size = 0; size < blob.size(); ++size) {
    ASSERT_EQ(Decrypt(ByteView(blob).first(size)), "InvalidCiphertextException") << size;
  }
  blob.push_back(0);
  EXPECT_EQ(Decrypt(blob), "InvalidCiphertextException");
  blob.resize(4096 + kOverhead + 1);
  EXPECT_FALSE(ParseBlobHeader(blob));
}

TEST_F(Blob, RefusesAnotherMaterial) {
  const Bytes blob = Encrypt("hello");
  const auto opened = DecryptBlob(HmacKey(Bytes(32, 9)), blob, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidCiphertextException);
}

// Forge writes a blob as version 1 does, but with a commitment of the caller's choice under a tag
// that is right: what somebody who knows the material can make.
Bytes Forge(const Key256& material, ByteView commitment) {
  Bytes blob(kOverhead);
  const MutableByteView all(blob);
  all[0] = 1;
  std::copy(commitment.begin(), commitment.end(), blob.begin() + 78);
  const Key256 key = DeriveKey(material.reveal(), "keyturn/v1/message-key", all.subspan(50, 16));
  const Bytes no_pairs(4);
  const ByteView associated_data[] = {all.first(110), no_pairs};
  GcmEncrypt(key.reveal(), all.subspan(66, 12), associated_data, {}, {}, all.last(16));
  return blob;
}

TEST_F(Blob, RefusesARightTagWithoutTheRightCommitment) {
  const Bytes nonce(16);
  const Key256 right = DeriveKey(material_.reveal(), "keyturn/v1/key-commitment", nonce);
  EXPECT_EQ(Decrypt(Forge(material_, right.reveal())), "");
  EXPECT_EQ(Decrypt(Forge(material_, Bytes(32))), "InvalidCiphertextException");
  Bytes near(right.reveal().begin(), right.reveal().end());
  near.back() ^= 1;
  EXPECT_EQ(Decrypt(Forge(material_, near)), "InvalidCiphertextException");
}

TEST_F(Blob, ContextIsPartOfTheMessage) {
  const std::pair<EncryptionContext, EncryptionContext> kDifferent[] = {
      {{{"a", "bc"}}, {{"ab", "c"}}},
      {{{"a", "b"}, {"c", "d"}}, {{"a", "bc"}, {"", "d"}}},
      {{{"a", "b"}}, {{"A", "b"}}},
      {{{"a", "b"}}, {{"a", "b"}, {"c", "d"}}},
      {{{"a", ""}}, {{"", "a"}}},
      {{{"", ""}}, {}},
      {{{"a", "b"}}, {{"a", "b "}}},
      // Length bytes inside the text do not make up a second pair.
      {{{"a", std::string("b\0\0\0\1c\0\0\0\1d", 11)}}, {{"a", "b"}, {"c", "d"}}}};
  for (const auto& [one, two] : kDifferent) {
    const Bytes blob = Encrypt("x", one);
    EXPECT_EQ(Decrypt(blob, one), "x");
    EXPECT_EQ(Decrypt(blob, two), "InvalidCiphertextException");
  }
}

TEST(ParseBlobHeader, RefusesWhatIsNotOurs) {
  Bytes blob(kOverhead + 10);
  EXPECT_FALSE(ParseBlobHeader(blob)) << "version 0";
  blob[0] = 1;
  EXPECT_TRUE(ParseBlobHeader(blob));
  blob[0] = 2;
  EXPECT_FALSE(ParseBlobHeader(blob)) << "version 2";
  blob[0] = 1;
  blob[1] = 2;
  const auto header = ParseBlobHeader(blob);
  ASSERT_FALSE(header) << "AWS's blobs start with 01 02";
  EXPECT_EQ(header.error().code, ErrorCode::kInvalidCiphertextException);
  EXPECT_EQ(header.error().message, "");
  EXPECT_FALSE(ParseBlobHeader({}));
}

TEST(EncryptBlobDeathTest, ProgrammerErrorsStop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const HmacKey material(Bytes(32));
  const Bytes id(32);
  for (const std::string_view bad :
       {"", "1234abcd12ab34cd56ef1234567890ab----", "1234ABCD-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd-2ab34cd56ef1234567890ab"}) {
    EXPECT_DEATH(EncryptBlob(material, {AsBytes(bad), id}, {}, {}, SystemRandom()), "") << bad;
  }
  EXPECT_DEATH(EncryptBlob(material, {AsBytes(kKeyId), id}, {}, Bytes(4097), SystemRandom()), "");
}

}  // namespace
}  // namespace keyturn::crypto
