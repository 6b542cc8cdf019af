// Pacing: how many calls are let through, and when.
#include "client/limiter.h"

#include <gtest/gtest.h>

namespace keyturn::client {
namespace {

using std::chrono::milliseconds;

// CallsIn lets as many calls through as the limiter allows for a time.
int CallsIn(Limiter& limiter, SteadyTime& now, std::chrono::milliseconds time) {
  int calls = 0;
  for (const SteadyTime end = now + time; now < end; now += milliseconds(1)) {
    while (limiter.NextAllowed(now) <= now && calls < 100000) {
      limiter.Take(now);
      ++calls;
    }
  }
  return calls;
}

TEST(LimiterTest, StartsSlowAndDoublesUpToTheShare) {
  SteadyTime now{};
  Limiter limiter(160, now);
  EXPECT_NEAR(CallsIn(limiter, now, milliseconds(1000)), 30, 12);
  CallsIn(limiter, now, milliseconds(4000));
  EXPECT_NEAR(CallsIn(limiter, now, milliseconds(10000)), 1600, 16);
}

TEST(LimiterTest, DoesNotSaveUpForABurst) {
  SteadyTime now{};
  Limiter limiter(100, now);
  CallsIn(limiter, now, milliseconds(10000));
  now += std::chrono::hours(1);
  EXPECT_LE(CallsIn(limiter, now, milliseconds(100)), 16);
}

TEST(LimiterTest, ThrottlingHoldsHalvesAndGrowsBackSlowly) {
  SteadyTime now{};
  Limiter limiter(100, now);
  CallsIn(limiter, now, milliseconds(10000));
  limiter.OnThrottled(now, 0.5);
  limiter.OnThrottled(now, 0.5);  // the same burst
  EXPECT_EQ(CallsIn(limiter, now, milliseconds(900)), 0);
  const int after = CallsIn(limiter, now, milliseconds(5000));
  EXPECT_GT(after, 200);
  EXPECT_LT(after, 350) << "a ceiling of 62.5 a second, not 100";
  CallsIn(limiter, now, milliseconds(60000));
  EXPECT_NEAR(CallsIn(limiter, now, milliseconds(1000)), 100, 3);
}

TEST(LimiterTest, WhatWaitsIsDueTogether) {
  SteadyTime now{};
  Limiter limiter(1000, now);
  CallsIn(limiter, now, milliseconds(10000));
  int calls = 0;
  int rounds = 0;
  for (const SteadyTime end = now + milliseconds(1000); now < end; now += milliseconds(1)) {
    SteadyTime here = now;
    const int made = CallsIn(limiter, here, milliseconds(1));
    calls += made;
    rounds += made > 0 ? 1 : 0;
  }
  EXPECT_NEAR(calls, 1000, 11);
  EXPECT_NEAR(rounds, 100, 2);
}

TEST(LimiterTest, WhatIsLateIsNotKeptForTheRound) {
  SteadyTime now{milliseconds(3)};
  Limiter limiter(10, now);
  CallsIn(limiter, now, milliseconds(10000));
  now += milliseconds(203);
  EXPECT_LE(limiter.NextAllowed(now), now);
  limiter.Take(now);
  EXPECT_EQ(limiter.NextAllowed(now).time_since_epoch() % milliseconds(10), milliseconds(0));
}

TEST(LimiterTest, WithoutAQuotaThereIsNoLimitUntilThrottled) {
  SteadyTime now{};
  Limiter limiter(std::nullopt, now);
  EXPECT_FALSE(limiter.rate().has_value());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(limiter.NextAllowed(now), now);
    limiter.Take(now);
  }
  limiter.OnThrottled(now, 0);
  ASSERT_TRUE(limiter.rate().has_value());
  EXPECT_NEAR(*limiter.rate(), 500, 1);
  EXPECT_GT(limiter.NextAllowed(now), now);
}

TEST(LimiterTest, ThrottlingAgainAndAgainNeverStopsAltogether) {
  SteadyTime now{};
  Limiter limiter(15, now);
  for (int i = 0; i < 100; ++i) {
    now += milliseconds(2000);
    limiter.OnThrottled(now, 0);
  }
  EXPECT_GT(CallsIn(limiter, now, milliseconds(20000)), 3);
}

TEST(QuotaTest, ChangesAreSlowerThanReads) {
  EXPECT_EQ(QuotaPerSecond("DescribeKey"), 2000);
  EXPECT_EQ(QuotaPerSecond("EnableKeyRotation"), 15);
  EXPECT_EQ(QuotaPerSecond("DisableKeyRotation"), 5);
  EXPECT_EQ(QuotaPerSecond("Encrypt"), std::nullopt);
}

}  // namespace
}  // namespace keyturn::client
