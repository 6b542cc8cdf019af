// What every store keeps of who may do what: users, groups, roles, providers and grants.
#include <gtest/gtest.h>

#include "store/store_contract_test.h"

namespace keyturn::store {

TEST_P(StoreContract, UsersComeBackWithTheirPoliciesAndGoWithTheirAccessKeys) {
  const UserRow ada{kTestAccount,
                    "ada",
                    "AIDAEXAMPLEADA",
                    FromEpochMillis(5'000),
                    {{"second", "{\"b\":2}"}, {"first", "{\"a\":1}"}}};
  const UserRow bob{kTestAccount, "bob", "AIDAEXAMPLEBOB", FromEpochMillis(6'000), {}};
  const AccessKeyRow key{"AKIAEXAMPLE1", kTestAccount,           "ada",
                         true,           FromEpochMillis(7'000), Bytes{1, 2, 0, 3}};
  AccessKeyRow other = key;
  other.id = "AKIAEXAMPLE2";
  other.user = "bob";
  ASSERT_TRUE(CommitOne(store(), {.put_users = {ada, bob}, .put_access_keys = {key, other}}));
  other.active = false;
  ASSERT_TRUE(CommitOne(store(), {.put_access_keys = {other}}));
  Reopen();
  Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.users.size(), 2U);
  EXPECT_EQ(contents.users[0].name, "ada");
  EXPECT_EQ(contents.users[0].user_id, ada.user_id);
  EXPECT_EQ(contents.users[0].created, ada.created);
  ASSERT_EQ(contents.users[0].policies.size(), 2U);
  EXPECT_EQ(contents.users[0].policies[0].name, "second") << "in their order";
  EXPECT_EQ(contents.users[0].policies[1].text, "{\"a\":1}");
  EXPECT_TRUE(contents.users[1].policies.empty());
  ASSERT_EQ(contents.access_keys.size(), 2U);
  EXPECT_TRUE(contents.access_keys[0].active);
  EXPECT_FALSE(contents.access_keys[1].active);
  EXPECT_EQ(contents.access_keys[0].sealed_secret, key.sealed_secret);

  UserRow fewer = ada;
  fewer.policies.pop_back();
  ASSERT_TRUE(CommitOne(store(), {.put_users = {fewer}}));
  EXPECT_EQ(ContentsOf(store()).users[0].policies.size(), 1U);
  ASSERT_TRUE(CommitOne(store(), {.delete_users = {{kTestAccount, "ada"}}}));
  contents = ContentsOf(store());
  ASSERT_EQ(contents.users.size(), 1U);
  ASSERT_EQ(contents.access_keys.size(), 1U);
  EXPECT_EQ(contents.access_keys[0].user, "bob");
  ASSERT_TRUE(CommitOne(store(), {.delete_access_keys = {"AKIAEXAMPLE2", "AKIAABSENT"}}));
  EXPECT_TRUE(ContentsOf(store()).access_keys.empty());
}

TEST_P(StoreContract, GroupsRolesAndProvidersComeBackWhole) {
  const GroupRow group{kTestAccount, "ops", "AGPAEXAMPLE", FromEpochMillis(1), {{"p", "{1}"}}};
  RoleRow role{kTestAccount,
               "Ops",
               "/team/",
               "AROAEXAMPLE",
               FromEpochMillis(2),
               "{trust}",
               {{"b", "{2}"}, {"a", "{3}"}}};
  role.boundary = NamedPolicy{"limit", "{4}"};
  role.tags = {{"team", "red"}};
  role.session_seconds_max = 7200;
  const ProviderRow provider{
      kTestAccount, "id.example.com/x", FromEpochMillis(3), {"one", "two"}, "{\"keys\":[]}"};
  UserRow user{kTestAccount, "ada", "AIDAEXAMPLE", FromEpochMillis(4), {{"own", "{5}"}}};
  user.groups = {"ops", "all"};
  user.boundary = NamedPolicy{"cap", "{6}"};
  user.tags = {{"team", "blue"}};
  ASSERT_TRUE(CommitOne(store(), {.put_users = {user},
                                  .put_groups = {group},
                                  .put_roles = {role},
                                  .put_providers = {provider}}));
  Reopen();
  Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.groups.size(), 1U);
  EXPECT_EQ(contents.groups[0].group_id, "AGPAEXAMPLE");
  EXPECT_EQ(contents.groups[0].policies[0].text, "{1}");
  ASSERT_EQ(contents.roles.size(), 1U);
  EXPECT_EQ(contents.roles[0].path, "/team/");
  EXPECT_EQ(contents.roles[0].trust, "{trust}");
  ASSERT_EQ(contents.roles[0].policies.size(), 2U);
  EXPECT_EQ(contents.roles[0].policies[0].name, "b") << "in their order";
  EXPECT_EQ(contents.roles[0].boundary->text, "{4}");
  EXPECT_EQ(contents.roles[0].tags, role.tags);
  EXPECT_EQ(contents.roles[0].session_seconds_max, 7200U);
  ASSERT_EQ(contents.providers.size(), 1U);
  EXPECT_EQ(contents.providers[0].audiences, provider.audiences);
  EXPECT_EQ(contents.providers[0].key_set, provider.key_set);
  ASSERT_EQ(contents.users.size(), 1U);
  EXPECT_EQ(contents.users[0].groups, user.groups);
  EXPECT_EQ(contents.users[0].boundary->name, "cap");
  EXPECT_EQ(contents.users[0].tags, user.tags);
  EXPECT_EQ(contents.users[0].policies.size(), 1U);

  role.boundary.reset();
  role.policies.pop_back();
  user.groups = {};
  user.boundary.reset();
  ASSERT_TRUE(CommitOne(store(), {.put_users = {user}, .put_roles = {role}}));
  contents = ContentsOf(store());
  EXPECT_FALSE(contents.roles[0].boundary);
  EXPECT_EQ(contents.roles[0].policies.size(), 1U);
  EXPECT_TRUE(contents.users[0].groups.empty());
  EXPECT_FALSE(contents.users[0].boundary);
  ASSERT_TRUE(CommitOne(store(), {.delete_groups = {{kTestAccount, "ops"}},
                                  .delete_roles = {{kTestAccount, "Ops"}},
                                  .delete_providers = {{kTestAccount, provider.host}}}));
  contents = ContentsOf(store());
  EXPECT_TRUE(contents.groups.empty() && contents.roles.empty() && contents.providers.empty());
}

TEST_P(StoreContract, GrantsComeBackAndGoByThemselvesOrWithTheirKey) {
  const KeyRow key = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), CreateKey(key, 1)));
  ASSERT_TRUE(CommitOne(store(), CreateKey(TestKey(2), 2)));
  const GrantRow a = TestGrant(key, 'a');
  GrantRow b = TestGrant(key, 'b');
  b.context_equals.reset();
  b.context_subset.reset();
  ASSERT_TRUE(CommitOne(store(), {.insert_grants = {b, a, TestGrant(TestKey(2), 'a')}}));
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_grants = {a}})), ErrorCode::kConflict);
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_grants = {TestGrant(TestKey(3), 'c')}})),
            ErrorCode::kConflict);
  Reopen();
  Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.grants.size(), 3U);
  EXPECT_EQ(contents.grants[0].id, a.id);
  EXPECT_EQ(contents.grants[0].name, a.name);
  EXPECT_EQ(contents.grants[0].grantee, a.grantee);
  EXPECT_EQ(contents.grants[0].retiring_principal, a.retiring_principal);
  EXPECT_EQ(contents.grants[0].issuing_account, a.issuing_account);
  EXPECT_EQ(contents.grants[0].operations, a.operations);
  ASSERT_TRUE(contents.grants[0].context_equals) << "no pairs are not the same as none given";
  EXPECT_TRUE(contents.grants[0].context_equals->empty());
  EXPECT_EQ(contents.grants[0].context_subset, a.context_subset);
  EXPECT_FALSE(contents.grants[1].context_equals || contents.grants[1].context_subset);
  const GrantRef gone{a.account, a.region, a.key, a.id};
  ASSERT_TRUE(CommitOne(store(), {.delete_grants = {gone}}));
  ASSERT_TRUE(CommitOne(store(), {.delete_grants = {gone}})) << "not there: succeeds";
  EXPECT_EQ(ContentsOf(store()).grants.size(), 2U);
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(key)}}));
  contents = ContentsOf(store());
  ASSERT_EQ(contents.grants.size(), 1U);
  EXPECT_EQ(contents.grants[0].key, KeyNumber(2));
}

}  // namespace keyturn::store
