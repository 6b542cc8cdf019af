// What every store keeps besides keys and access: aliases, custom key stores, the trail, meta
// values and notifications.
#include <gtest/gtest.h>

#include "store/store_contract_test.h"

namespace keyturn::store {

TEST_P(StoreContract, AliasesAreReplacedByNameAndDeletedByName) {
  const KeyRow one = TestKey(1);
  const KeyRow two = TestKey(2);
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {one, two}, .put_aliases = {TestAlias("a", one)}}));
  AliasRow moved = TestAlias("a", two);
  moved.last_updated_date = FromEpochMillis(3'000);
  ASSERT_TRUE(CommitOne(store(), {.put_aliases = {moved}}));
  Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.aliases.size(), 1U);
  EXPECT_EQ(contents.aliases[0].target, two.key.id);
  EXPECT_EQ(contents.aliases[0].creation_date, moved.creation_date);
  EXPECT_EQ(contents.aliases[0].last_updated_date, moved.last_updated_date);
  AliasRow elsewhere = moved;
  elsewhere.region = TestRegion("eu-west-3");
  ASSERT_TRUE(CommitOne(store(), {.delete_aliases = {elsewhere}})) << "not there: succeeds";
  EXPECT_EQ(ContentsOf(store()).aliases.size(), 1U);
  ASSERT_TRUE(CommitOne(store(), {.delete_aliases = {moved}}));
  EXPECT_TRUE(ContentsOf(store()).aliases.empty());
}

TEST_P(StoreContract, CustomKeyStoresComeBackAreReplacedAndGoById) {
  CustomKeyStoreRow token = TestCustomKeyStore('b');
  token.type = model::CustomKeyStoreType::kAwsCloudhsm;
  token.state = model::ConnectionStateType::kFailed;
  token.error = model::ConnectionErrorCodeType::kUserLockedOut;
  token.settles = FromEpochMillis(5'000);
  token.cluster = "cluster-abcdefghijk";
  token.trust_anchor = "-----BEGIN\n";
  token.uri_endpoint = token.uri_path = "";
  ASSERT_TRUE(CommitOne(store(), {.put_custom_key_stores = {token, TestCustomKeyStore('a')}}));
  Reopen();
  {
    const Contents contents = ContentsOf(store());
    ASSERT_EQ(contents.custom_key_stores.size(), 2U);
    const CustomKeyStoreRow& proxy = contents.custom_key_stores[0];
    EXPECT_EQ(proxy.id, TestCustomKeyStore('a').id);
    EXPECT_EQ(proxy.type, model::CustomKeyStoreType::kExternalKeyStore);
    EXPECT_EQ(proxy.state, model::ConnectionStateType::kDisconnected);
    EXPECT_FALSE(proxy.error);
    EXPECT_FALSE(proxy.settles);
    EXPECT_EQ(proxy.uri_endpoint, "https://xks.example.com");
    EXPECT_EQ(proxy.uri_path, "/kms/xks/v1");
    const CustomKeyStoreRow& back = contents.custom_key_stores[1];
    EXPECT_EQ(back.account, token.account);
    EXPECT_EQ(back.region, token.region);
    EXPECT_EQ(back.name, token.name);
    EXPECT_EQ(back.type, token.type);
    EXPECT_EQ(back.created, token.created);
    EXPECT_EQ(back.state, token.state);
    EXPECT_EQ(back.error, token.error);
    EXPECT_EQ(back.settles, token.settles);
    EXPECT_EQ(back.cluster, token.cluster);
    EXPECT_EQ(back.trust_anchor, token.trust_anchor);
    EXPECT_EQ(back.sealed_secret, token.sealed_secret);
  }
  token.name = "another";
  token.state = model::ConnectionStateType::kConnected;
  token.error.reset();
  token.settles.reset();
  ASSERT_TRUE(CommitOne(store(), {.put_custom_key_stores = {token},
                                  .delete_custom_key_stores = {TestCustomKeyStore('a').id}}));
  const Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.custom_key_stores.size(), 1U);
  EXPECT_EQ(contents.custom_key_stores[0].name, "another");
  EXPECT_FALSE(contents.custom_key_stores[0].error);
  EXPECT_FALSE(contents.custom_key_stores[0].settles);
  CustomKeyStoreRow namesake = TestCustomKeyStore('c');
  namesake.name = "another";
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_custom_key_stores = {namesake}})),
            ErrorCode::kConflict)
      << "a name is one store's in its account and region";
}

TEST_P(StoreContract, AKeyKeepsItsCustomKeyStoreAndTheStoreItsKeys) {
  ASSERT_TRUE(CommitOne(store(), {.put_custom_key_stores = {TestCustomKeyStore('a')},
                                  .put_keys = {TestExternalKey(1, 'a', "ek-1")}}));
  const std::vector<std::string> id = {TestCustomKeyStore('a').id};
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.delete_custom_key_stores = id})),
            ErrorCode::kConflict);
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_keys = {TestExternalKey(2, 'a', "ek-1")}})),
            ErrorCode::kConflict)
      << "an external key is one key's";
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.put_keys = {TestExternalKey(2, 'b', "ek-2")}})),
            ErrorCode::kConflict)
      << "without its store";
  ASSERT_TRUE(
      CommitOne(store(), {.put_keys = {TestExternalKey(2, 'a', ""), TestExternalKey(3, 'a', "")}}))
      << "keys in a token have no external key";
  Reopen();
  Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.keys.size(), 3U);
  ASSERT_TRUE(contents.keys[0].key.custody);
  EXPECT_EQ(*contents.keys[0].key.custody, *TestExternalKey(1, 'a', "ek-1").key.custody);
  KeyRow changed = contents.keys[0];
  changed.key.description = "changed";
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {changed}}));
  contents = ContentsOf(store());
  ASSERT_TRUE(contents.keys[0].key.custody);
  EXPECT_EQ(contents.keys[0].key.custody->external_key, "ek-1");
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(contents.keys[0]), RefOf(contents.keys[1]),
                                                 RefOf(contents.keys[2])},
                                  .delete_custom_key_stores = id}))
      << "the last key and its store in one change";
  EXPECT_TRUE(ContentsOf(store()).custom_key_stores.empty());
}

TEST_P(StoreContract, TrailRowsComeInTheOrderOfTheirInsertion) {
  ASSERT_TRUE(CommitOne(store(), {.insert_trail = {{"z", "{1}"}, {"a", "{2}"}}}));
  ASSERT_TRUE(CommitOne(store(), {.insert_trail = {{"m", "{3}"}}}));
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_trail = {{"a", "{4}"}}})),
            ErrorCode::kConflict);
  ASSERT_TRUE(CommitOne(store(), {.delete_trail = {"z", "absent"}}));
  ASSERT_TRUE(CommitOne(store(), {.insert_trail = {{"b", "{5}"}}}));
  Reopen();
  std::string seen;
  for (const TrailRow& row : ContentsOf(store()).trail) {
    seen += row.event_id + row.json;
  }
  EXPECT_EQ(seen, "a{2}m{3}b{5}");
}

TEST_P(StoreContract, MetaIsReplacedAndRead) {
  EXPECT_EQ(*store().ReadMeta("root"), std::nullopt);
  ASSERT_TRUE(CommitOne(store(), {.put_meta = {{"root", Bytes{1, 0, 2}}, {"empty", Bytes{}}}}));
  EXPECT_EQ(*store().ReadMeta("root"), (Bytes{1, 0, 2}));
  EXPECT_EQ(*store().ReadMeta("empty"), Bytes{});
  ASSERT_TRUE(CommitOne(store(), {.put_meta = {{"root", Bytes{9}}}}));
  Reopen();
  EXPECT_EQ(*store().ReadMeta("root"), Bytes{9});
  EXPECT_EQ(ContentsOf(store()).meta.size(), 2U);
}

TEST_P(StoreContract, NotificationsWaitInTheirOrderUntilTheyAreDelivered) {
  ASSERT_TRUE(CommitOne(store(), {.insert_notifications = {{"b", "{1}"}, {"a", "{2}"}}}));
  ASSERT_TRUE(CommitOne(store(), {.insert_notifications = {{"c", "{3}"}}}));
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_notifications = {{"d", "{4}"}, {"a", ""}}})),
            ErrorCode::kConflict)
      << "all or none";
  Reopen();
  auto rows = store().ReadNotifications(2);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].id, "b");
  EXPECT_EQ((*rows)[0].json, "{1}");
  EXPECT_EQ((*rows)[1].id, "a");
  ASSERT_TRUE(CommitOne(store(), {.delete_notifications = {"b", "a", "never"}}));
  rows = store().ReadNotifications(10);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0].id, "c");
}

}  // namespace keyturn::store
