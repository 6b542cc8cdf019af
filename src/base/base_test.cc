// Encodings and times: every value has one spelling, and everything else is refused.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"

namespace keyturn {
namespace {

TEST(Base64, Rfc4648Vectors) {
  const std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : kVectors) {
    EXPECT_EQ(Base64Encode(AsBytes(plain)), encoded);
    const auto decoded = Base64Decode(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(AsText(*decoded), plain);
  }
}

TEST(Base64, RefusesEverySecondSpelling) {
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm9v====", "=Zm9",
                          "Z===", "Zm-v", "Zm_v", "Zg==Zg==", "===="}) {
    EXPECT_FALSE(Base64Decode(bad)) << bad;
  }
}

TEST(Hex, RoundTripAndRefusals) {
  EXPECT_EQ(HexEncode(Bytes{0x00, 0xAB, 0xFF}), "00abff");
  EXPECT_EQ(HexDecode("00abff"), (Bytes{0x00, 0xAB, 0xFF}));
  EXPECT_FALSE(HexDecode("0"));
  EXPECT_FALSE(HexDecode("0G"));
  EXPECT_FALSE(HexDecode("AB"));
}

TEST(Time, FormatsAndParses) {
  const TimePoint t = FromEpochMillis(1795478106123);
  EXPECT_EQ(FormatIso8601(t), "2026-11-23T23:55:06Z");
  EXPECT_EQ(FormatIso8601Millis(t), "2026-11-23T23:55:06.123Z");
  EXPECT_EQ(FormatBasic(t), "20261123T235506Z");
  EXPECT_EQ(FormatHttpDate(t), "Mon, 23 Nov 2026 23:55:06 GMT");
  EXPECT_EQ(ParseIso8601("2026-11-23T23:55:06.123Z"), t);
  EXPECT_EQ(ParseIso8601("2026-11-23T23:55:06.123456789Z"), t);
  EXPECT_EQ(ParseBasic("20261123T235506Z"), FromEpochMillis(1795478106000));
  EXPECT_EQ(ParseHttpDate("Mon, 23 Nov 2026 23:55:06 GMT"), FromEpochMillis(1795478106000));
  EXPECT_EQ(ParseIso8601("1970-01-01"), FromEpochMillis(0));
  EXPECT_EQ(FormatIso8601(FromEpochMillis(-1)), "1969-12-31T23:59:59Z");
}

TEST(Time, RefusesWhatIsNoDate) {
  for (const char* bad :
       {"", "2026", "2026-13-01", "2026-02-29", "2026-11-23T24:00:00Z", "2026-11-23T23:55:06",
        "2026-11-23T23:55:06+00:00", "2026-11-23T23:55:06.Z", "2026-11-23 23:55:06Z"}) {
    EXPECT_FALSE(ParseIso8601(bad)) << bad;
  }
  EXPECT_FALSE(ParseBasic("20261123T235506"));
  EXPECT_FALSE(ParseBasic("20261123T235506ZZ"));
}

TEST(Uuid, HasVersionAndVariant) {
  class Ones final : public RandomSource {
    void Fill(MutableByteView out) override { std::fill(out.begin(), out.end(), 0xFF); }
  } ones;
  EXPECT_EQ(NewUuid(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_TRUE(IsUuid(NewUuid(ones)));
  EXPECT_FALSE(IsUuid("FFFFFFFF-ffff-4fff-bfff-ffffffffffff"));
  EXPECT_FALSE(IsUuid("ffffffffffff4fffbfffffffffffffff"));
}

TEST(Secret, MoveEmptiesTheSource) {
  SecretBytes a = SecretBytes::CopyOf(AsBytes("key"));
  SecretBytes b = std::move(a);
  EXPECT_EQ(a.size(), 0U);  // NOLINT(bugprone-use-after-move): the point of the test
  EXPECT_EQ(AsText(b.reveal()), "key");
  SecretArray<4> c;
  c.reveal_mutable()[0] = 7;
  SecretArray<4> d = std::move(c);
  EXPECT_EQ(c.reveal()[0], 0);  // NOLINT(bugprone-use-after-move): the point of the test
  EXPECT_EQ(d.reveal()[0], 7);
}

TEST(Error, NamesAreWireNames) {
  EXPECT_STREQ(ErrorCodeName(ErrorCode::kKMSInvalidStateException), "KMSInvalidStateException");
  EXPECT_STREQ(ErrorCodeName(ErrorCode::kNoSpace), "NoSpace");
}

}  // namespace
}  // namespace keyturn
