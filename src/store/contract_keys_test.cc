// What every store keeps of keys, and in which order; changes that conflict, and groups of them.
#include <gtest/gtest.h>

#include "store/store_contract_test.h"

namespace keyturn::store {

TEST_P(StoreContract, ANewStoreIsEmpty) {
  const Contents contents = ContentsOf(store());
  EXPECT_TRUE(contents.keys.empty());
  EXPECT_TRUE(contents.materials.empty());
  EXPECT_TRUE(contents.meta.empty());
  EXPECT_TRUE(store().Commit({})) << "no changes are no error";
}

TEST_P(StoreContract, AKeyComesBackWithEveryField) {
  KeyRow row = TestKey(1);
  keys::Key& key = row.key;
  key.region = TestRegion("eu-west-3");
  key.manager = model::KeyManager::kAws;
  key.spec = model::KeySpec::kEccNistP384;
  key.usage = model::KeyUsage::kSignVerify;
  key.origin = model::Origin::kExternal;
  key.multi_region = true;
  key.state = model::KeyState::kPendingDeletion;
  key.deletion_date = FromEpochMillis(1'900'000'000'001);
  key.rotation = keys::RotationSchedule{Days{90}, FromEpochMillis(1'900'000'000'002)};
  key.on_demand_rotations = 25;
  key.generation = 4'000'000'000U;
  key.deletion_window = Days{9};
  key.primary_region = TestRegion("eu-west-1");
  key.settles = FromEpochMillis(1'900'000'000'003);
  key.on_demand_started = FromEpochMillis(1'900'000'000'004);
  key.description = std::string("d\xc3\xa9j\xc3\xa0 \"vu\"\n") + std::string(1, '\0') + "end";
  row.tags = {{"b", "2"}, {"a", ""}, {std::string("\0k", 2), std::string(256, 'v')}};
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {row}}));
  Reopen();
  const Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.keys.size(), 1U);
  const KeyRow& back = contents.keys[0];
  EXPECT_EQ(back.key.id, key.id);
  EXPECT_EQ(back.key.account, key.account);
  EXPECT_EQ(back.key.region, key.region);
  EXPECT_EQ(back.key.manager, key.manager);
  EXPECT_EQ(back.key.spec, key.spec);
  EXPECT_EQ(back.key.usage, key.usage);
  EXPECT_EQ(back.key.origin, key.origin);
  EXPECT_EQ(back.key.multi_region, key.multi_region);
  EXPECT_EQ(back.key.state, key.state);
  EXPECT_EQ(back.key.creation_date, key.creation_date);
  EXPECT_EQ(back.key.deletion_date, key.deletion_date);
  EXPECT_EQ(back.key.rotation, key.rotation);
  EXPECT_EQ(back.key.on_demand_rotations, key.on_demand_rotations);
  EXPECT_EQ(back.key.generation, key.generation);
  EXPECT_EQ(back.key.current_material, key.current_material);
  EXPECT_EQ(back.key.deletion_window, key.deletion_window);
  EXPECT_EQ(back.key.primary_region, key.primary_region);
  EXPECT_EQ(back.key.settles, key.settles);
  EXPECT_EQ(back.key.on_demand_started, key.on_demand_started);
  EXPECT_EQ(back.key.description, key.description);
  EXPECT_EQ(back.key.version, 1U);
  EXPECT_EQ(*back.policy_text, *row.policy_text);
  EXPECT_EQ(back.tags, row.tags) << "in their order";
}

TEST_P(StoreContract, AbsentFieldsStayAbsent) {
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {TestKey(1)}}));
  const Contents contents = ContentsOf(store());
  EXPECT_FALSE(contents.keys[0].key.deletion_date);
  EXPECT_FALSE(contents.keys[0].key.rotation);
  EXPECT_FALSE(contents.keys[0].key.deletion_window);
  EXPECT_FALSE(contents.keys[0].key.settles);
  EXPECT_FALSE(contents.keys[0].key.on_demand_started);
  EXPECT_FALSE(contents.keys[0].key.custody);
  EXPECT_TRUE(contents.keys[0].key.primary_region.empty());
  EXPECT_TRUE(contents.keys[0].tags.empty());
}

TEST_P(StoreContract, EveryValueOfEveryEnumIsKept) {
  std::vector<KeyRow> rows;
  unsigned n = 0;
  for (const auto& [spec, wire] : model::EnumTable<model::KeySpec>::kNames) {
    rows.push_back(TestKey(n++));
    rows.back().key.spec = spec;
  }
  for (const auto& [state, wire] : model::EnumTable<model::KeyState>::kNames) {
    rows.push_back(TestKey(n++));
    rows.back().key.state = state;
  }
  for (const auto& [usage, wire] : model::EnumTable<model::KeyUsage>::kNames) {
    rows.push_back(TestKey(n++));
    rows.back().key.usage = usage;
  }
  for (const auto& [origin, wire] : model::EnumTable<model::Origin>::kNames) {
    rows.push_back(TestKey(n++));
    rows.back().key.origin = origin;
  }
  ASSERT_TRUE(CommitOne(store(), {.put_keys = rows}));
  const Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.keys.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(contents.keys[i].key.spec, rows[i].key.spec);
    EXPECT_EQ(contents.keys[i].key.state, rows[i].key.state);
    EXPECT_EQ(contents.keys[i].key.usage, rows[i].key.usage);
    EXPECT_EQ(contents.keys[i].key.origin, rows[i].key.origin);
  }
}

TEST_P(StoreContract, TheVersionGivenMustBeTheOneStored) {
  KeyRow row = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {row}}));
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_keys = {row}})), ErrorCode::kConflict)
      << "version 0: must not exist";
  row.key.version = 2;
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_keys = {row}})), ErrorCode::kConflict);
  row.key.version = 1;
  row.key.description = "changed";
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {row}}));
  row.key.description = "lost the race";
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_keys = {row}})), ErrorCode::kConflict);
  const Contents contents = ContentsOf(store());
  EXPECT_EQ(contents.keys[0].key.version, 2U);
  EXPECT_EQ(contents.keys[0].key.description, "changed");
}

TEST_P(StoreContract, AChangeOfAnAbsentKeyConflicts) {
  KeyRow row = TestKey(1);
  row.key.version = 1;
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_keys = {row}})), ErrorCode::kConflict);
  EXPECT_TRUE(ContentsOf(store()).keys.empty());
}

TEST_P(StoreContract, AGroupIsAllOrNothing) {
  const KeyRow first = TestKey(1);
  const KeyRow second = TestKey(2);
  std::vector<Change> group = {CreateKey(first, 1), CreateKey(second, 2), CreateKey(first, 1)};
  group[0].put_meta.emplace_back("mark", Bytes{1});
  EXPECT_EQ(CodeOfFailure(store().Commit(group)), ErrorCode::kConflict);
  Contents contents = ContentsOf(store());
  EXPECT_TRUE(contents.keys.empty());
  EXPECT_TRUE(contents.materials.empty());
  EXPECT_TRUE(contents.meta.empty());
  group.pop_back();
  ASSERT_TRUE(store().Commit(group)) << "the store goes on after a refused group";
  Reopen();
  contents = ContentsOf(store());
  EXPECT_EQ(contents.keys.size(), 2U);
  EXPECT_EQ(contents.materials.size(), 2U);
}

TEST_P(StoreContract, PurgeDestroysAKeyWithAllThatIsItsOwn) {
  const KeyRow gone = TestKey(1);
  const KeyRow stays = TestKey(2);
  Change change = CreateKey(gone, 1);
  change.put_keys.push_back(stays);
  change.insert_materials.push_back(TestMaterial(gone, 1, 1));
  change.insert_materials.push_back(TestMaterial(stays, 2, 0));
  change.insert_rotations = {TestRotation(gone, 1), TestRotation(stays, 1)};
  change.put_aliases = {TestAlias("one", gone), TestAlias("two", stays), TestAlias("three", gone)};
  ASSERT_TRUE(CommitOne(store(), change));
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(gone)}}));
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(gone)}})) << "not there: succeeds";
  Reopen();
  const Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.keys.size(), 1U);
  EXPECT_EQ(contents.keys[0].key.id, stays.key.id);
  ASSERT_EQ(contents.materials.size(), 1U);
  EXPECT_EQ(contents.materials[0].key, stays.key.id);
  ASSERT_EQ(contents.rotations.size(), 1U);
  ASSERT_EQ(contents.aliases.size(), 1U);
  EXPECT_EQ(contents.aliases[0].name, "alias/two");
}

TEST_P(StoreContract, KeysAndMaterialsComeInOrder) {
  std::vector<Change> group;
  for (const unsigned n : {5U, 3U, 9U, 1U}) {
    KeyRow row = TestKey(n);
    row.key.region = TestRegion(n == 1 ? "us-west-2" : "us-east-1");
    group.push_back(CreateKey(row, n));
    group.back().insert_materials.insert(group.back().insert_materials.begin(),
                                         TestMaterial(row, n, 1));
  }
  ASSERT_TRUE(store().Commit(group));
  std::vector<std::string> keys;
  for (const KeyRow& row : ContentsOf(store()).keys) {
    keys.push_back(std::string(row.key.region.name()) + std::string(row.key.id.text()).substr(35));
  }
  EXPECT_EQ(keys,
            (std::vector<std::string>{"us-east-13", "us-east-15", "us-east-19", "us-west-21"}));
  std::vector<std::string> materials;
  for (const MaterialRow& row : ContentsOf(store()).materials) {
    materials.push_back(std::string(row.key.text()).substr(35) + "/" +
                        std::to_string(row.generation));
  }
  EXPECT_EQ(materials,
            (std::vector<std::string>{"3/0", "3/1", "5/0", "5/1", "9/0", "9/1", "1/0", "1/1"}));
}

TEST_P(StoreContract, KeysWithTheSamePolicyShareOneText) {
  const std::string policy(20'000, 'p');
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {TestKey(1, policy), TestKey(2, policy),
                                               TestKey(3, "{}"), TestKey(4, policy)}}));
  const Contents contents = ContentsOf(store());
  EXPECT_EQ(*contents.keys[0].policy_text, policy);
  EXPECT_EQ(contents.keys[0].policy_text, contents.keys[1].policy_text) << "the same object";
  EXPECT_EQ(contents.keys[0].policy_text, contents.keys[3].policy_text);
  EXPECT_EQ(*contents.keys[2].policy_text, "{}");
}

TEST_P(StoreContract, ChangingOneKeysPolicyLeavesTheOthers) {
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {TestKey(1, "old"), TestKey(2, "old")}}));
  KeyRow row = TestKey(1, "new");
  row.key.version = 1;
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {row}}));
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(row)}}));
  Reopen();
  EXPECT_EQ(*ContentsOf(store()).keys[0].policy_text, "old");
}

TEST_P(StoreContract, LastUsageIsReplacedAndGoesWithItsKey) {
  const KeyRow one = TestKey(1);
  const KeyRow two = TestKey(2);
  ASSERT_TRUE(store().Commit(std::vector<Change>{CreateKey(one, 1), CreateKey(two, 2)}));
  const auto usage = [](const KeyRow& row, const char* operation) {
    return UsageRow{
        row.key.account, row.key.region, row.key.id, operation, FromEpochMillis(1'800'000'000'005),
        "event",         "request"};
  };
  ASSERT_TRUE(CommitOne(store(), {.put_usage = {usage(one, "Encrypt"), usage(two, "Decrypt"),
                                                usage(TestKey(3), "Decrypt")}}))
      << "of a key that is gone: ignored";
  ASSERT_TRUE(CommitOne(store(), {.put_usage = {usage(one, "ReEncrypt")}}));
  Reopen();
  Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.usage.size(), 2U);
  EXPECT_EQ(contents.usage[0].operation, "ReEncrypt");
  EXPECT_EQ(contents.usage[0].date, FromEpochMillis(1'800'000'000'005));
  EXPECT_EQ(contents.usage[0].event_id, "event");
  EXPECT_EQ(contents.usage[0].request_id, "request");
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(one)}}));
  contents = ContentsOf(store());
  ASSERT_EQ(contents.usage.size(), 1U);
  EXPECT_EQ(contents.usage[0].key, two.key.id);
}

}  // namespace keyturn::store
