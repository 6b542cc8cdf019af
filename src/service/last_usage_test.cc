// Is the last use of a key kept whole when many threads use it at once, and is every key that was
// used queued to be stored?
#include "service/last_usage.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace keyturn::service {
namespace {

const TimePoint kStart = FromEpochMillis(1'800'000'000'000);

// UsageOf: all of its parts say the same number.
LastUsage UsageOf(char letter, int millis) {
  LastUsage usage{"Encrypt", kStart + Millis(millis)};
  usage.event_id.fill(letter);
  usage.request_id.fill(letter);
  return usage;
}

TEST(UsageSlot, HoldsTheNewestAndTellsWhenItHasToBeQueued) {
  UsageSlot slot;
  EXPECT_FALSE(slot.Read());
  EXPECT_FALSE(slot.TakeUnsaved());
  EXPECT_TRUE(slot.Note(UsageOf('a', 5)));
  EXPECT_FALSE(slot.Note(UsageOf('b', 9)));
  EXPECT_FALSE(slot.Note(UsageOf('c', 7))) << "a request that took longer than a later one";
  EXPECT_EQ(slot.Read()->event_id.front(), 'b');
  EXPECT_EQ(slot.TakeUnsaved()->event_id.front(), 'b');
  EXPECT_FALSE(slot.TakeUnsaved());
  EXPECT_TRUE(slot.Note(UsageOf('d', 10)));
}

TEST(UsageSlot, WhatWasStoredIsNotStoredAgain) {
  UsageSlot slot;
  slot.Restore(UsageOf('a', 1));
  EXPECT_EQ(slot.Read()->date, kStart + Millis(1));
  EXPECT_FALSE(slot.TakeUnsaved());
  UsageSlot copy;
  copy.CopyFrom(slot);
  EXPECT_EQ(copy.Read()->event_id, slot.Read()->event_id);
}

TEST(UsageSlot, ManyThreadsNeverMixTwoUses) {
  UsageSlot slot;
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    threads.emplace_back([&slot, letter] {
      for (int i = 0; i < 20'000; ++i) slot.Note(UsageOf(letter, i));
    });
  }
  for (int i = 0; i < 2'000; ++i) {
    const auto usage = slot.Read();
    if (!usage) continue;
    for (const char c : usage->request_id) ASSERT_EQ(c, usage->event_id.front());
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(slot.TakeUnsaved());
}

TEST(UsageLog, GivesBackWhatItTook) {
  UsageLog log;
  const auto region = *model::Region::Intern("us-east-1");
  for (int i = 0; i < 5; ++i) log.Add({region, model::KeyId()});
  EXPECT_EQ(log.Take(3).size(), 3U);
  EXPECT_EQ(log.Take(3).size(), 2U);
  EXPECT_TRUE(log.Take(3).empty());
}

}  // namespace
}  // namespace keyturn::service
