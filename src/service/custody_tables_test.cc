#include <gtest/gtest.h>

#include "service/outside_errors.h"
#include "service/tables.h"
#include "store/store_rows_test.h"

namespace keyturn::service {
namespace {

using model::ConnectionStateType;
using model::KeyState;

CustomKeyStorePtr StoreIn(ConnectionStateType state, bool settles = false) {
  auto made = std::make_shared<CustomKeyStore>();
  made->row = store::TestCustomKeyStore('a');
  made->row.state = state;
  if (settles) made->row.settles = FromEpochMillis(1);
  return made;
}

KeyPtr ExternalKey(unsigned n, const std::string& external_key) {
  auto entry = std::make_shared<KeyEntry>();
  entry->key = store::TestExternalKey(n, 'a', external_key).key;
  entry->materials = std::make_shared<MaterialSet>();
  return entry;
}

class CustodyTables : public testing::Test {
 protected:
  CustodyTables() {
    tables_.Fill({ExternalKey(1, "one"), ExternalKey(2, "two"), ExternalKey(3, "")});
    Show(StoreIn(ConnectionStateType::kConnected));
  }
  void Show(CustomKeyStorePtr store) {
    Delta delta;
    delta.custom_key_stores[store->row.id] = std::move(store);
    tables_.Publish(std::move(delta));
  }
  KeyState StateOf(unsigned n) const {
    return tables_.FindKey(store::TestRegion(), store::KeyNumber(n))->key.state;
  }
  const std::string id_ = store::TestCustomKeyStore('a').id;
  Tables tables_;
};

TEST_F(CustodyTables, AKeyIsUnavailableUnlessItsStoreIsConnected) {
  EXPECT_EQ(StateOf(1), KeyState::kEnabled);
  for (const auto state : {ConnectionStateType::kDisconnected, ConnectionStateType::kFailed}) {
    Show(StoreIn(state));
    EXPECT_EQ(StateOf(1), KeyState::kUnavailable);
  }
  Show(StoreIn(ConnectionStateType::kConnected, true));
  EXPECT_EQ(StateOf(1), KeyState::kUnavailable) << "CONNECTING is not CONNECTED";
  Show(StoreIn(ConnectionStateType::kConnected));
  EXPECT_EQ(StateOf(1), KeyState::kEnabled);
}

TEST_F(CustodyTables, KeysAreFoundByTheirExternalKeyOrTheirId) {
  EXPECT_EQ(tables_.FindInCustody(id_, "one")->id, store::KeyNumber(1));
  EXPECT_EQ(tables_.FindInCustody(id_, std::string(store::KeyNumber(3).text()))->id,
            store::KeyNumber(3));
  EXPECT_FALSE(tables_.FindInCustody(id_, "three"));
  EXPECT_FALSE(tables_.FindInCustody("cks-other", "one"));
  EXPECT_EQ(tables_.KeysInCustody(id_, 10).size(), 3U);
  EXPECT_EQ(tables_.KeysInCustody(id_, 2).size(), 2U);
  EXPECT_TRUE(tables_.KeysInCustody("cks-other", 10).empty());
}

TEST_F(CustodyTables, APurgedKeyIsForgotten) {
  Delta delta;
  delta.keys[{store::TestRegion(), store::KeyNumber(1)}] = nullptr;
  tables_.Publish(std::move(delta));
  EXPECT_FALSE(tables_.FindInCustody(id_, "one"));
  EXPECT_EQ(tables_.KeysInCustody(id_, 10).size(), 2U);
}

TEST(CustomKeyStoreState, SettlingShowsTheWay) {
  EXPECT_EQ(StoreIn(ConnectionStateType::kConnected, true)->state(),
            ConnectionStateType::kConnecting);
  EXPECT_EQ(StoreIn(ConnectionStateType::kFailed, true)->state(), ConnectionStateType::kConnecting);
  EXPECT_EQ(StoreIn(ConnectionStateType::kDisconnected, true)->state(),
            ConnectionStateType::kDisconnecting);
  EXPECT_FALSE(StoreIn(ConnectionStateType::kConnected, true)->connected());
}

TEST(OutsideErrors, EveryFailureHasAnErrorEverywhere) {
  for (int i = 0; i <= static_cast<int>(model::ProxyFailure::kTimeout); ++i) {
    const auto failure = static_cast<model::ProxyFailure>(i);
    EXPECT_EQ(UseError(failure).code, ErrorCode::kKMSInvalidStateException) << i;
    EXPECT_FALSE(UseError(failure).message.empty()) << i;
    EXPECT_EQ(CreateKeyError(failure).message, UseError(failure).message) << i;
    EXPECT_EQ(ManageError(failure).message, UseError(failure).message) << i;
    (void)ConnectionError(failure);
  }
  for (int i = 1; i <= static_cast<int>(hsm::Outcome::kBusy); ++i) {
    const auto outcome = static_cast<hsm::Outcome>(i);
    for (const Error& error : {UseError(outcome), CreateKeyError(outcome), ManageError(outcome)}) {
      EXPECT_LT(error.code, ErrorCode::kUsage) << i << ": an error of AWS's";
    }
    (void)ConnectionError(outcome);
  }
}

}  // namespace
}  // namespace keyturn::service
