// Does the pool share what keys have, and forget what none has any more?
#include "service/policy_pool.h"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::service {
namespace {

std::string PolicyText(int n) {
  return R"({"Version":"2012-10-17","Id":")" + std::to_string(n) +
         R"(","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]})";
}

TEST(PolicyPool, OneForEachText) {
  PolicyPool pool;
  const auto first = pool.Get(PolicyText(1));
  ASSERT_TRUE(first);
  EXPECT_EQ(*pool.Get(PolicyText(1)), *first);
  EXPECT_NE(*pool.Get(PolicyText(2)), *first);
}

TEST(PolicyPool, TextsThatNoKeyHasAnyMoreLeave) {
  PolicyPool pool;
  const auto kept = pool.Get(PolicyText(0));
  for (int n = 1; n < 1000; ++n) ASSERT_TRUE(pool.Get(PolicyText(n)));
  EXPECT_LT(pool.size(), 100U);
  EXPECT_EQ(*pool.Get(PolicyText(0)), *kept);
  std::vector<std::shared_ptr<const KeyPolicy>> all;
  for (int n = 1; n < 1000; ++n) all.push_back(*pool.Get(PolicyText(n)));
  EXPECT_EQ(pool.size(), 1000U);
}

}  // namespace
}  // namespace keyturn::service
