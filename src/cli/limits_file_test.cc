// Does a limits file mean what it says, and is one that means nothing refused with its place?
#include "cli/limits_file.h"

#include <gtest/gtest.h>

namespace keyturn::cli {
namespace {

TEST(LimitsFile, NumbersOfOnesOwnOverAwss) {
  const auto quotas = ParseLimits("limits.yaml", R"(base: aws
resources: {keys: 12, aliases_per_key: 3}
requests_per_second:
  CreateKey: 2.5
  symmetric: 100
  GenerateDataKeyPair:RSA_2048: 0.5
)");
  ASSERT_TRUE(quotas) << quotas.error().message;
  EXPECT_EQ(quotas->keys, 12U);
  EXPECT_EQ(quotas->aliases_per_key, 3U);
  EXPECT_EQ(quotas->grants_per_key, 50'000U);
  const auto rate = [&](std::string_view name) {
    return quotas->RateOf(*service::RequestGroup::Parse(name), "us-east-1");
  };
  EXPECT_EQ(rate("CreateKey"), 2.5);
  EXPECT_EQ(rate("symmetric"), 100);
  EXPECT_EQ(rate("GenerateDataKeyPair:RSA_2048"), 0.5);
  EXPECT_EQ(rate("rsa"), 1000);
}

TEST(LimitsFile, WithoutABaseOnlyWhatIsNamedIsLimited) {
  const auto quotas = ParseLimits("limits.json", R"({"requests_per_second":{"ListKeys":7}})");
  ASSERT_TRUE(quotas);
  EXPECT_TRUE(quotas->limits_requests());
  EXPECT_FALSE(quotas->keys);
  EXPECT_FALSE(quotas->RateOf(service::RequestGroup::Rsa(), "us-east-1"));
  EXPECT_FALSE(ParseLimits("limits.json", "{}")->limits_requests());
}

TEST(LimitsFile, MistakesAreNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {"base: azure", "f: base: must be aws or off"},
      {"resources: {keys: 0}", "f: keys: must be a number above 0"},
      {"resources: {keys: 1.5}", "f: keys: must be a whole number"},
      {"resources: {keys: many}", "f: keys: must be a number above 0"},
      {"resources: {kees: 1}", "f: kees: is none of"},
      {"resources: [1]", "f: resources: must be a mapping"},
      {"requests_per_second: {Encrypt: 1}", "f: Encrypt: has no request quota"},
      {"requests_per_second: {ListKeys: -1}", "f: ListKeys: must be a number above 0"},
      {"requests_per_second: {ListKeys: nan}", "f: ListKeys: must be a number above 0"},
      {"limits: {}", "f: limits: is none of base, resources, requests_per_second"},
      {"[]", "f: must be a mapping"},
  };
  for (const auto& [text, message] : kCases) {
    const auto quotas = ParseLimits("f", text);
    ASSERT_FALSE(quotas) << text;
    EXPECT_EQ(quotas.error().code, ErrorCode::kUsage);
    EXPECT_NE(quotas.error().message.find(message), std::string::npos) << quotas.error().message;
  }
}

}  // namespace
}  // namespace keyturn::cli
