#include "xks/answer.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "crypto/digest.h"
#include "xks/proxy.h"

namespace keyturn::xks {
namespace {

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

const std::string kHealth = R"({"xksProxyFleetSize":2,"xksProxyVendor":"Acme Corp",
  "xksProxyModel":"Acme XKS Proxy 1.0","ekmVendor":"Thales Group","ekmFleetDetails":[
  {"id":"hsm-id-1","model":"Luna 5.0","healthStatus":"UNAVAILABLE"},
  {"id":"hsm-id-2","model":"Luna 5.1","healthStatus":"DEGRADED"}]})";

TEST(ReadHealth, OneManagerThatServesIsEnough) {
  EXPECT_TRUE(ReadHealth(kHealth));
  const auto down = ReadHealth(Replace(kHealth, "DEGRADED", "UNAVAILABLE"));
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error(), Failure::kInternal);
}

TEST(ReadHealth, EveryMemberIsRequired) {
  for (const char* member : {"xksProxyFleetSize", "xksProxyVendor", "xksProxyModel", "ekmVendor",
                             "ekmFleetDetails", "\"id\"", "\"model\"", "healthStatus"}) {
    std::string other = member;
    other[1] = 'X';
    const auto read = ReadHealth(Replace(kHealth, member, other));
    ASSERT_FALSE(read) << member;
    EXPECT_EQ(read.error(), Failure::kInvalidResponse) << member;
  }
  EXPECT_FALSE(ReadHealth(Replace(kHealth, ":2,", ":0,")));
  EXPECT_FALSE(ReadHealth(Replace(kHealth, ":2,", ":\"2\",")));
  EXPECT_FALSE(ReadHealth(Replace(kHealth, "DEGRADED", "SLEEPY")));
  std::string many = R"({"id":"a","model":"b","healthStatus":"ACTIVE"})";
  for (int i = 0; i < 10; ++i) many += R"(,{"id":"a","model":"b","healthStatus":"ACTIVE"})";
  EXPECT_FALSE(ReadHealth(
      R"({"xksProxyFleetSize":1,"xksProxyVendor":"a","xksProxyModel":"b","ekmVendor":"c",)"
      R"("ekmFleetDetails":[)" +
      many + "]}"))
      << "eleven managers";
}

TEST(ReadMetadata, SaysWhetherTheKeySuits) {
  const std::string good =
      R"({"keySpec":"AES_256","keyUsage":["ENCRYPT","DECRYPT","WRAP"],"keyStatus":"ENABLED"})";
  EXPECT_TRUE(ReadMetadata(good)->Suits());
  EXPECT_FALSE(ReadMetadata(Replace(good, "AES_256", "AES_128"))->Suits());
  EXPECT_FALSE(ReadMetadata(Replace(good, "\"DECRYPT\"", "\"SIGN\""))->Suits());
  EXPECT_FALSE(ReadMetadata(Replace(good, "ENABLED", "DISABLED"))->Suits());
  EXPECT_FALSE(ReadMetadata(Replace(good, "ENABLED", "enabled")));
  EXPECT_FALSE(ReadMetadata(Replace(good, "\"WRAP\"", "7")));
  EXPECT_FALSE(ReadMetadata(Replace(good, "[\"ENCRYPT\",\"DECRYPT\",\"WRAP\"]", "\"ENCRYPT\"")));
}

// The example of the specification's Appendix C.
constexpr std::string_view kAad = "project=nile,department=marketing";
const std::string kEncrypted = R"({"authenticationTag":"vBxN2ncH1oEkR8WVXpmyYQ==",
  "ciphertext":"ghxkK1txeDNn3q8Y",
  "ciphertextDataIntegrityValue":"qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=",
  "ciphertextMetadata":"a2V5X3ZlcnNpb249MQ==","initializationVector":"HMrlRw85cAJUd5Ax"})";

TEST(ReadEncrypted, TheSpecificationsExampleIsRead) {
  const auto read = ReadEncrypted(kEncrypted, 12, AsBytes(kAad));
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(read->metadata), "key_version=1");
  EXPECT_EQ(read->iv.size(), 12U);
  EXPECT_EQ(read->tag.size(), 16U);
  EXPECT_EQ(read->ciphertext.size(), 12U);
}

TEST(ReadEncrypted, AnyChangeOnTheWayIsNoticed) {
  EXPECT_FALSE(ReadEncrypted(kEncrypted, 12, AsBytes("project=nile,department=marketinG")));
  EXPECT_FALSE(ReadEncrypted(kEncrypted, 13, AsBytes(kAad)));
  for (const char* value : {"vBxN2n", "ghxkK1", "a2V5X3", "HMrlRw", "qHA/Im"}) {
    std::string other = value;
    other[0] = other[0] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(ReadEncrypted(Replace(kEncrypted, value, other), 12, AsBytes(kAad))) << value;
  }
  for (const char* member : {"authenticationTag", "\"ciphertext\"", "ciphertextDataIntegrityValue",
                             "ciphertextMetadata", "initializationVector"}) {
    std::string other = member;
    other[1] = 'X';
    EXPECT_FALSE(ReadEncrypted(Replace(kEncrypted, member, other), 12, AsBytes(kAad))) << member;
  }
}

std::string Answered(std::size_t iv_bytes, std::size_t metadata_bytes, std::size_t tag_bytes) {
  const Bytes iv(iv_bytes, 1);
  const Bytes metadata(metadata_bytes, 2);
  const Bytes tag(tag_bytes, 3);
  const ByteView parts[] = {metadata, iv, tag};
  return R"({"ciphertext":"","initializationVector":")" + Base64Encode(iv) +
         R"(","ciphertextMetadata":")" + Base64Encode(metadata) + R"(","authenticationTag":")" +
         Base64Encode(tag) + R"(","ciphertextDataIntegrityValue":")" +
         Base64Encode(crypto::Sha256Parts(parts)) + "\"}";
}

TEST(ReadEncrypted, SizesAreTheSpecifications) {
  EXPECT_TRUE(ReadEncrypted(Answered(12, 0, 16), 0, {}));
  EXPECT_TRUE(ReadEncrypted(Answered(16, 20, 16), 0, {}));
  EXPECT_FALSE(ReadEncrypted(Answered(13, 0, 16), 0, {}));
  EXPECT_FALSE(ReadEncrypted(Answered(12, 21, 16), 0, {}));
  EXPECT_FALSE(ReadEncrypted(Answered(12, 0, 12), 0, {}));
}

TEST(ReadDecrypted, IsAsLongAsTheCiphertext) {
  const auto read = ReadDecrypted(R"({"plaintext":"SGVsbG8gV29ybGQh"})", 12);
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(*read), "Hello World!");
  EXPECT_FALSE(ReadDecrypted(R"({"plaintext":"SGVsbG8gV29ybGQh"})", 11));
  EXPECT_FALSE(ReadDecrypted(R"({"plaintext":"SGVsbG8gV29ybGQ*"})", 12));
  EXPECT_FALSE(ReadDecrypted(R"({"plaintext":7})", 12));
  EXPECT_FALSE(ReadDecrypted(R"({})", 12));
}

TEST(ReadError, NamesAreKnownAndMessagesHarmless) {
  const Reported known = ReadError(
      "{\"errorName\":\"KeyNotFoundException\",\"errorMessage\":\"no\\nkey \xc3\xa9 \\u001b[1m\"}");
  EXPECT_EQ(known.failure, Failure::kKeyNotFound);
  EXPECT_EQ(known.message, "no?key ?? ?[1m");
  EXPECT_EQ(ReadError(R"({"errorName":"SomethingElse"})").failure, Failure::kInvalidResponse);
  EXPECT_EQ(ReadError("<html>").failure, Failure::kInvalidResponse);
  EXPECT_EQ(ReadError("").failure, Failure::kInvalidResponse);
  EXPECT_EQ(ReadError(R"({"errorName":"ThrottlingException","errorMessage":")" +
                      std::string(5000, 'x') + "\"}")
                .message.size(),
            512U);
}

TEST(Answers, WhatIsTooLongTooDeepOrTwiceIsNone) {
  EXPECT_FALSE(ReadDecrypted(std::string(kAnswerBytesMax, ' ') + R"({"plaintext":""})", 0));
  EXPECT_FALSE(ReadDecrypted(R"({"x":[[[[[]]]]],"plaintext":""})", 0));
  EXPECT_FALSE(ReadDecrypted(R"({"plaintext":"","plaintext":""})", 0));
  EXPECT_TRUE(ReadDecrypted(R"({"plaintext":"","more":[1]})", 0)) << "unknown members are none";
}

TEST(CheckRoute, PlainHttpIsForLoopbackOnly) {
  for (const char* good : {"https://xks.internal", "https://10.0.0.7:8443", "http://127.0.0.1:9000",
                           "http://[::1]:9000"}) {
    EXPECT_TRUE(CheckRoute(good)) << good;
  }
  for (const char* bad :
       {"http://xks.internal", "http://127.0.0.1.example.com:80", "http://127.0.0.1:80/path",
        "https://", "https://a/b", "https://user@host", "ftp://127.0.0.1:1", "", "http://localhost",
        "https://a b"}) {
    EXPECT_FALSE(CheckRoute(bad)) << bad;
  }
}

}  // namespace
}  // namespace keyturn::xks
