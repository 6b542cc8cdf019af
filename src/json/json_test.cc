// JSON: strict reading, exact writing.
#include "json/json.h"

#include <gtest/gtest.h>

namespace keyturn::json {
namespace {

TEST(Parser, ReadsEveryType) {
  Parser parser;
  const auto root = parser.Parse(R"({"a":1,"b":"x","c":[true,null,1.5],"d":{"e":-2}})");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->Find("a")->AsInt(), 1);
  EXPECT_EQ(root->Find("b")->AsString(), "x");
  EXPECT_EQ(root->Find("c")->size(), 3U);
  EXPECT_EQ(root->Find("d")->Find("e")->AsInt(), -2);
  EXPECT_FALSE(root->Find("z"));
  EXPECT_FALSE(root->Find("a")->AsString());
  EXPECT_FALSE(root->Find("c")->Find("x"));
  EXPECT_EQ(root->ToJson(), R"({"a":1,"b":"x","c":[true,null,1.5],"d":{"e":-2}})");
}

TEST(Parser, RefusesWhatIsNotStrictJson) {
  Parser parser;
  for (const char* bad : {"", "{", "{}x", "{} {}", "{'a':1}", "{a:1}", "[1,]", "{\"a\":01}", "nul",
                          "\"\x01\"", "\"\xff\"", "[NaN]", "\"\\ud800\"", "// c\n1"}) {
    EXPECT_FALSE(parser.Parse(bad)) << bad;
  }
}

TEST(Parser, RefusesDuplicateMembersAtAnyDepth) {
  Parser parser;
  EXPECT_FALSE(parser.Parse(R"({"a":1,"a":2})"));
  EXPECT_FALSE(parser.Parse(R"([{"x":{"a":1,"b":2,"a":3}}])"));
  EXPECT_FALSE(parser.Parse(R"({"a":1,"\u0061":2})"));
  EXPECT_FALSE(
      parser.Parse(R"({"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"a":{"q":1},"9":0})"));
  EXPECT_TRUE(parser.Parse(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(Parser, RespectsLimits) {
  Parser parser(Limits{.bytes_max = 64, .depth_max = 8});
  EXPECT_TRUE(parser.Parse("[[[[1]]]]"));
  EXPECT_FALSE(parser.Parse("[[[[[[[[[[[1]]]]]]]]]]]"));
  EXPECT_FALSE(parser.Parse("\"" + std::string(80, 'x') + "\""));
  EXPECT_TRUE(parser.Parse("{}"));
}

TEST(Parser, GrowsBeyondTheFirstAllocation) {
  Parser parser;
  const std::string big = "\"" + std::string(200000, 'x') + "\"";
  const auto root = parser.Parse(big);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->AsString()->size(), 200000U);
  EXPECT_FALSE(parser.Parse(std::string(40, '[')));
}

TEST(Writer, CompactAndPretty) {
  std::string out;
  Writer(out)
      .BeginObject()
      .Key("a")
      .Int(1)
      .Key("b")
      .BeginArray()
      .String("x\"\n")
      .EndArray()
      .EndObject();
  EXPECT_EQ(out, R"({"a":1,"b":["x\"\n"]})");
  out.clear();
  Writer(out, Writer::Style::kPretty)
      .BeginObject()
      .Key("a")
      .BeginArray()
      .EndArray()
      .Key("b")
      .Bool(true)
      .EndObject();
  EXPECT_EQ(out, "{\n  \"a\": [],\n  \"b\": true\n}");
}

TEST(IsPlainAscii, FindsEverySpecialByteInEveryPlace) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const std::string plain(size, '~');
    EXPECT_TRUE(IsPlainAscii(plain)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      for (const int byte : {0x00, 0x1F, 0x22, 0x5C, 0x80, 0xFF}) {
        std::string text = plain;
        text[at] = static_cast<char>(byte);
        EXPECT_FALSE(IsPlainAscii(text)) << size << " " << at << " " << byte;
      }
      for (const int byte : {0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F}) {
        std::string text = plain;
        text[at] = static_cast<char>(byte);
        EXPECT_TRUE(IsPlainAscii(text)) << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(Writer, EpochSeconds) {
  std::string out;
  Writer writer(out);
  writer.BeginArray()
      .EpochSeconds(FromEpochMillis(1500))
      .EpochSeconds(FromEpochMillis(2000))
      .EpochSeconds(FromEpochMillis(1795478106007))
      .EndArray();
  EXPECT_EQ(out, "[1.5,2,1795478106.007]");
}

}  // namespace
}  // namespace keyturn::json
