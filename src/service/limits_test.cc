// Do request quotas let through what they say and no more, for each account, region and group by
// itself?
#include "service/limits.h"

#include <gtest/gtest.h>

namespace keyturn::service {
namespace {

const TimePoint kStart = FromEpochMillis(1'800'000'000'000);
const model::AccountId kOne = *model::AccountId::Parse("111122223333");
const model::AccountId kOther = *model::AccountId::Parse("444455556666");
constexpr auto kCreateKey = RequestGroup::Of(api::Operation::kCreateKey);

int Admitted(RequestLimiter& limiter, RequestGroup group, int tries, TimePoint at) {
  int admitted = 0;
  for (int i = 0; i < tries; ++i) admitted += limiter.Take(kOne, "us-east-1", group, 1, at) ? 1 : 0;
  return admitted;
}

TEST(RequestLimiter, ASecondsWorthAtOnceAndThenTheRate) {
  RequestLimiter limiter(Quotas::Aws());
  EXPECT_EQ(Admitted(limiter, kCreateKey, 20, kStart), 5);
  EXPECT_EQ(Admitted(limiter, kCreateKey, 20, kStart + Millis(199)), 0);
  EXPECT_EQ(Admitted(limiter, kCreateKey, 20, kStart + Millis(200)), 1);
  EXPECT_EQ(Admitted(limiter, kCreateKey, 20, kStart + Millis(800)), 3);
  EXPECT_EQ(Admitted(limiter, kCreateKey, 20, kStart + Days(1)), 5);
}

TEST(RequestLimiter, AccountsRegionsAndGroupsDoNotShare) {
  RequestLimiter limiter(Quotas::Aws());
  EXPECT_EQ(Admitted(limiter, kCreateKey, 9, kStart), 5);
  EXPECT_TRUE(limiter.Take(kOther, "us-east-1", kCreateKey, 1, kStart));
  EXPECT_TRUE(limiter.Take(kOne, "eu-west-1", kCreateKey, 1, kStart));
  EXPECT_TRUE(
      limiter.Take(kOne, "us-east-1", RequestGroup::Of(api::Operation::kEnableKey), 1, kStart));
  const Status refused = limiter.Take(kOne, "us-east-1", kCreateKey, 1, kStart);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kThrottlingException);
}

TEST(RequestLimiter, CustomKeyStoresDoNotShare) {
  RequestLimiter limiter(Quotas::Aws());
  const auto take = [&](const char* store) {
    return limiter.Take(kOne, "us-east-1", RequestGroup::CustomKeyStore(), 1, kStart, store)
        .has_value();
  };
  for (int i = 0; i < 1800; ++i) ASSERT_TRUE(take("cks-a")) << i;
  EXPECT_FALSE(take("cks-a"));
  EXPECT_TRUE(take("cks-b"));
}

TEST(RequestLimiter, RatesBelowOneAndCostsAboveTheRate) {
  RequestLimiter limiter(Quotas::Aws());
  const auto pair = RequestGroup::Pair(model::DataKeyPairSpec::kRsa4096);
  const auto take = [&](TimePoint at) {
    return limiter.Take(kOne, "cn-north-1", pair, 1, at).has_value();
  };
  EXPECT_TRUE(take(kStart));
  EXPECT_FALSE(take(kStart + Millis(9'900)));
  EXPECT_TRUE(take(kStart + Millis(10'000)));
  Quotas one;
  one.requests[kCreateKey] = 1;
  RequestLimiter small(one);
  EXPECT_TRUE(small.Take(kOne, "us-east-1", kCreateKey, 2, kStart));
  EXPECT_FALSE(small.Take(kOne, "us-east-1", kCreateKey, 2, kStart + Millis(1'000)));
  EXPECT_TRUE(small.Take(kOne, "us-east-1", kCreateKey, 2, kStart + Millis(2'000)));
}

TEST(RequestLimiter, AClockThatGoesBackGivesNothing) {
  RequestLimiter limiter(Quotas::Aws());
  EXPECT_EQ(Admitted(limiter, kCreateKey, 9, kStart), 5);
  EXPECT_EQ(Admitted(limiter, kCreateKey, 9, kStart - Days(1)), 0);
  EXPECT_EQ(Admitted(limiter, kCreateKey, 9, kStart - Days(1) + Millis(1'000)), 5);
}

TEST(Quotas, AwsNumbersDependOnTheRegion) {
  const Quotas aws = Quotas::Aws();
  EXPECT_EQ(aws.RateOf(RequestGroup::Symmetric(), "us-east-1"), 100'000);
  EXPECT_EQ(aws.RateOf(RequestGroup::Symmetric(), "eu-central-1"), 20'000);
  EXPECT_EQ(aws.RateOf(RequestGroup::Symmetric(), "sa-east-1"), 10'000);
  EXPECT_EQ(aws.RateOf(RequestGroup::Rsa(), "us-east-1"), 1000);
  const auto rsa = RequestGroup::Pair(model::DataKeyPairSpec::kRsa3072);
  EXPECT_EQ(aws.RateOf(rsa, "us-east-1"), 4);
  EXPECT_EQ(aws.RateOf(rsa, "cn-north-1"), 0.5);
  EXPECT_FALSE(Quotas().RateOf(RequestGroup::Rsa(), "us-east-1"));
}

TEST(RequestGroup, EveryOperationCountsSomewhere) {
  for (const api::OperationInfo& info : api::AllOperations()) {
    const bool own = RequestGroup::Parse(info.name).has_value();
    EXPECT_EQ(own, info.access != api::Access::kCryptographic) << info.name;
  }
  EXPECT_EQ(RequestGroup::Parse("symmetric"), RequestGroup::Symmetric());
  EXPECT_EQ(RequestGroup::Parse("custom-key-store"), RequestGroup::CustomKeyStore());
  EXPECT_EQ(RequestGroup::Parse("GenerateDataKeyPair:SM2"),
            RequestGroup::Pair(model::DataKeyPairSpec::kSm2));
  for (const char* none : {"", "Encrypt", "createkey", "GenerateDataKeyPair:", "SYMMETRIC"}) {
    EXPECT_FALSE(RequestGroup::Parse(none)) << none;
  }
}

}  // namespace
}  // namespace keyturn::service
