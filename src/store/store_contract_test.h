// The contract of store/store.h as tests that every engine passes: contract_*_test.cc. An engine
// instantiates them:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(&MakeSqliteSite));
//
// A Site is a place where one store lives and can be opened again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"
#include "store/store_rows_test.h"

namespace keyturn::store {

class Site {
 public:
  virtual ~Site() = default;
  // Open creates the store the first time. The store before it must have been destroyed.
  virtual std::unique_ptr<Store> Open() = 0;
};

using SiteFactory = std::unique_ptr<Site> (*)();

class StoreContract : public testing::TestWithParam<SiteFactory> {
 protected:
  void SetUp() override {
    site_ = GetParam()();
    store_ = site_->Open();
    ASSERT_NE(store_, nullptr);
  }
  Store& store() { return *store_; }
  void Reopen() {
    store_.reset();
    store_ = site_->Open();
    ASSERT_NE(store_, nullptr);
  }

 private:
  std::unique_ptr<Site> site_;
  std::unique_ptr<Store> store_;
};

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContract);

}  // namespace keyturn::store
