// Does the CBOR reader read what RFC 8949 says, and refuse the rest?
#include "crypto/cbor.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace keyturn::crypto {
namespace {

using Type = CborValue::Type;

Bytes Hex(std::string_view text) { return *HexDecode(text); }

TEST(Cbor, ExamplesOfTheRfc) {
  // RFC 8949, appendix A.
  const std::tuple<const char*, Type, std::uint64_t> kNumbers[] = {
      {"00", Type::kUnsigned, 0},
      {"17", Type::kUnsigned, 23},
      {"1818", Type::kUnsigned, 24},
      {"1903e8", Type::kUnsigned, 1000},
      {"1a000f4240", Type::kUnsigned, 1'000'000},
      {"1b000000e8d4a51000", Type::kUnsigned, 1'000'000'000'000},
      {"1bffffffffffffffff", Type::kUnsigned, UINT64_MAX},
      {"20", Type::kNegative, 0},
      {"3863", Type::kNegative, 99},
      {"3903e7", Type::kNegative, 999},
      {"f4", Type::kBool, 0},
      {"f5", Type::kBool, 1},
      {"f6", Type::kNull, 0},
  };
  for (const auto& [hex, type, number] : kNumbers) {
    const Bytes document = Hex(hex);
    const auto value = ParseCbor(document);
    ASSERT_TRUE(value) << hex;
    EXPECT_TRUE(value->Is(type)) << hex;
    EXPECT_EQ(value->number, number) << hex;
  }
  const Bytes text = Hex("6449455446");
  EXPECT_EQ(AsText(ParseCbor(text)->bytes), "IETF");
  const Bytes nested = Hex("a26161016162820203");
  const auto map = ParseCbor(nested);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->Find("a")->number, 1U);
  EXPECT_EQ(map->Find("b")->items.at(1).number, 3U);
  EXPECT_EQ(map->Find("c"), nullptr);
  const Bytes numbered = Hex("a201020304");
  EXPECT_EQ(ParseCbor(numbered)->Find(3)->number, 4U);
  const Bytes tagged = Hex("c11a514b67b0");
  EXPECT_EQ(ParseCbor(tagged)->items.at(0).number, 1363896240U);
}

TEST(Cbor, RefusesWhatItDoesNotKnowOrBelieve) {
  const char* kWrong[] = {
      "",                    // nothing
      "0000",                // more than one item
      "18",                  // number cut off
      "1b00000000000000",    // likewise
      "4401",                // string longer than the document
      "5b7fffffffffffffff",  // likewise, by far
      "9b7fffffffffffffff",  // array of more elements than bytes
      "bb7fffffffffffffff",  // map likewise; twice as many would overflow
      "bbffffffffffffffff",
      "8201",                // array cut off
      "a101",                // map without its value
      "a201020103",          // a key twice
      "a2616101616102",      // likewise, text
      "a18001",              // a key that is an array
      "5f42010243030405ff",  // indefinite length
      "9fff",
      "bfff",  // likewise
      "1c",
      "fe",  // reserved
      "f90000",
      "fb3ff199999999999a",
      "f7",
      "e0",  // floats and other simple values
      "c1",  // a tag of nothing
  };
  for (const char* hex : kWrong) {
    const Bytes document = Hex(hex);
    const auto value = ParseCbor(document);
    ASSERT_FALSE(value) << hex;
    EXPECT_EQ(value.error().code, ErrorCode::kMalformed) << hex;
  }
}

TEST(Cbor, DepthAndItemsAreBounded) {
  Bytes deep(9, 0x81);
  deep.push_back(0x00);
  EXPECT_FALSE(ParseCbor(deep));
  deep.erase(deep.begin());
  EXPECT_TRUE(ParseCbor(deep));
  Bytes wide = Hex("9903ff");  // 1023 elements and the array
  wide.resize(wide.size() + 1023, 0x00);
  EXPECT_TRUE(ParseCbor(wide));
  wide[2] = 0x00;
  wide[1] = 0x04;
  wide.push_back(0x00);
  EXPECT_FALSE(ParseCbor(wide));
}

TEST(Cbor, HeadsAreAsShortAsTheyCanBe) {
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{23}, std::uint64_t{24}, std::uint64_t{255},
        std::uint64_t{256}, std::uint64_t{65535}, std::uint64_t{65536}, std::uint64_t{4294967295},
        std::uint64_t{4294967296}, UINT64_MAX}) {
    Bytes out;
    AppendCborHead(0, number, out);
    const auto value = ParseCbor(out);
    ASSERT_TRUE(value) << number;
    EXPECT_EQ(value->number, number);
    const std::size_t size = number < 24             ? 1
                             : number < 256          ? 2
                             : number < 65536        ? 3
                             : number <= 4294967295U ? 5
                                                     : 9;
    EXPECT_EQ(out.size(), size) << number;
  }
}

}  // namespace
}  // namespace keyturn::crypto
