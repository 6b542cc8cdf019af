#include "server/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace keyturn::server {
namespace {

TEST(Workers, EveryJobRunsOnce) {
  std::atomic<int> ran = 0;
  std::promise<void> all;
  Workers workers(2, 1000);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(workers.Submit([&] {
      if (++ran == 100) all.set_value();
    }));
  }
  all.get_future().wait();
  EXPECT_EQ(ran, 100);
}

TEST(Workers, WhatIsTooMuchIsRefusedAndWhatWaitsIsDroppedAtTheEnd) {
  std::promise<void> begun;
  std::promise<void> go;
  std::atomic<int> ran = 0;
  auto workers = std::make_unique<Workers>(1, 2);
  ASSERT_TRUE(workers->Submit([&] {
    begun.set_value();
    go.get_future().wait();
    ++ran;
  }));
  begun.get_future().wait();
  EXPECT_TRUE(workers->Submit([&] { ++ran; }));
  EXPECT_TRUE(workers->Submit([&] { ++ran; }));
  EXPECT_FALSE(workers->Submit([&] { ++ran; }));
  std::thread end([&] { workers.reset(); });
  go.set_value();
  end.join();
  EXPECT_GE(ran, 1);
  EXPECT_LE(ran, 3);
}

}  // namespace
}  // namespace keyturn::server
