// The canonical form, header by header, and the keys that sign it.
#include "sigv4/canonical.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/hex.h"

namespace keyturn::sigv4 {
namespace {

TEST(CanonicalQuery, OneFormForEverySpelling) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", ""},           {"b=2&a=1", "a=1&b=2"},     {"a=2&a=1", "a=1&a=2"},
      {"a", "a="},        {"a=b=c", "a=b%3Dc"},       {"%61=%7e", "a=~"},
      {"a=%2f", "a=%2F"}, {"a=%zz&&b", "a=%25zz&b="}, {"a=1+2", "a=1%2B2"},
      {"a=%2", "a=%252"}, {"A=1&a=1", "A=1&a=1"},     {"a-b=1&a=1", "a=1&a-b=1"}};
  for (const auto& [given, canonical] : kCases) {
    std::string out;
    AppendCanonicalQuery(given, out);
    EXPECT_EQ(out, canonical) << given;
  }
}

TEST(CanonicalPath, IsNormalisedAndEncodedOnceMore) {
  const std::pair<const char*, const char*> kCases[] = {{"", "/"},
                                                        {"/", "/"},
                                                        {"//", "/"},
                                                        {"/../..", "/"},
                                                        {"/a/./b", "/a/b"},
                                                        {"/a//b/", "/a/b/"},
                                                        {"/a%20b", "/a%2520b"},
                                                        {"/a/..b", "/a/..b"}};
  for (const auto& [given, canonical] : kCases) {
    std::string out;
    AppendCanonicalPath(given, out);
    EXPECT_EQ(out, canonical) << given;
  }
}

TEST(CanonicalHeaders, BlanksAreTrimmedAndCollapsed) {
  const std::vector<Header> headers = {
      {"HOST", "h"}, {"a", " \t x \t  y  z\t"}, {"b", "  "}, {"A", "2"}};
  HeaderNames names;
  ASSERT_TRUE(names.ParseList("b;a;host"));
  std::string out;
  ASSERT_TRUE(AppendCanonicalRequest({"GET", "/", "", headers, {}}, names, "hash", out));
  EXPECT_EQ(out, "GET\n/\n\na:x y z,2\nb:\nhost:h\n\na;b;host\nhash");
}

TEST(HeaderNames, RefusesEmptyAndRepeatedNames) {
  HeaderNames names;
  for (const char* bad : {"", ";", "a;", ";a", "a;;b", "a;a", "a;b;A"}) {
    EXPECT_FALSE(names.ParseList(bad)) << bad;
  }
  std::string many = "n0";
  for (std::size_t i = 1; i <= HeaderNames::kNamesMax; ++i) {
    many += ";n" + std::to_string(i);
  }
  EXPECT_FALSE(names.ParseList(many));
}

// Source: AWS General Reference, "Examples of how to derive a signing key" (2015-08-30, iam).
TEST(SigningKey, AwsPublishedExample) {
  EXPECT_EQ(HexEncode(SigningKey(AsBytes("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "20150830",
                                 "us-east-1", "iam")
                          .reveal()),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(SigningKeyCache, GivesTheDerivedKeyAndStaysBounded) {
  SigningKeyCache cache;
  Authorization authorization;
  authorization.region = "us-east-1";
  authorization.service = "kms";
  const auto get = [&](std::string_view id, std::string_view date) {
    authorization.access_key_id = id;
    authorization.date = date;
    return HexEncode(cache.Get(authorization, AsBytes(id)).Mac(AsBytes("text")));
  };
  const auto expected = [](std::string_view id, std::string_view date) {
    return HexEncode(crypto::HmacSha256(SigningKey(AsBytes(id), date, "us-east-1", "kms").reveal(),
                                        AsBytes("text")));
  };
  EXPECT_EQ(get("A", "20260101"), expected("A", "20260101"));
  EXPECT_EQ(get("A", "20260102"), expected("A", "20260102"));
  EXPECT_EQ(get("B", "20260102"), expected("B", "20260102"));
  EXPECT_EQ(get("A", "20260101"), expected("A", "20260101"));
  EXPECT_EQ(cache.size(), 3U);
  for (std::size_t i = 0; i < SigningKeyCache::kEntriesMax + 10; ++i) {
    get("key" + std::to_string(i), "20260103");
    ASSERT_LE(cache.size(), SigningKeyCache::kEntriesMax);
  }
  EXPECT_EQ(get("A", "20260101"), expected("A", "20260101"));
}

}  // namespace
}  // namespace keyturn::sigv4
