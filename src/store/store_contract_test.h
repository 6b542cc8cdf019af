// The contract of store/store.h as tests that every engine passes. An engine instantiates them:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(&MakeSqliteSite));
//
// Include it in one file of a test program only. A Site is a place where one store lives and can be
// opened again.
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

TEST_P(StoreContract, MaterialsAreInsertOnly) {
  const KeyRow row = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), CreateKey(row, 1)));
  MaterialRow again = TestMaterial(row, 1, 0);
  again.sealed = Bytes(60, 0xff);
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_materials = {again}})), ErrorCode::kConflict);
  again.generation = 1;
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_materials = {again}})), ErrorCode::kConflict)
      << "same id as another generation";
  again = TestMaterial(row, 1, 7);
  again.generation = 0;
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_materials = {again}})), ErrorCode::kConflict)
      << "same generation with another id";
  const auto kept = store().ReadMaterial({RefOf(row), MaterialNumber(1, 0)});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->sealed, TestMaterial(row, 1, 0).sealed);
}

TEST_P(StoreContract, RotationsAreInsertOnly) {
  const KeyRow row = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), CreateKey(row, 1)));
  ASSERT_TRUE(CommitOne(store(), {.insert_rotations = {TestRotation(row, 1)}}));
  RotationRow again = TestRotation(row, 1);
  again.type = model::RotationType::kAutomatic;
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_rotations = {again}})), ErrorCode::kConflict);
  const Contents contents = ContentsOf(store());
  ASSERT_EQ(contents.rotations.size(), 1U);
  EXPECT_EQ(contents.rotations[0].key, row.key.id);
  EXPECT_EQ(contents.rotations[0].region, row.key.region);
  EXPECT_EQ(contents.rotations[0].generation, 1U);
  EXPECT_EQ(contents.rotations[0].type, model::RotationType::kOnDemand);
  EXPECT_EQ(contents.rotations[0].date, TestRotation(row, 1).date);
}

TEST_P(StoreContract, NothingHangsOnAKeyThatIsNotStored) {
  const KeyRow row = TestKey(1);
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_materials = {TestMaterial(row, 1, 0)}})),
            ErrorCode::kConflict);
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.insert_rotations = {TestRotation(row, 1)}})),
            ErrorCode::kConflict);
  EXPECT_TRUE(ContentsOf(store()).materials.empty());
}

TEST_P(StoreContract, ReadMaterialFindsWhatWasCommittedAndNothingElse) {
  const KeyRow row = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), CreateKey(row, 1)));
  const auto found = store().ReadMaterial({RefOf(row), MaterialNumber(1, 0)});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, row.key.id);
  EXPECT_EQ(found->account, row.key.account);
  EXPECT_EQ(found->region, row.key.region);
  EXPECT_EQ(found->generation, 0U);
  EXPECT_EQ(found->created, TestMaterial(row, 1, 0).created);
  for (const MaterialRef& absent :
       {MaterialRef{RefOf(row), MaterialNumber(1, 1)},
        MaterialRef{RefOf(TestKey(2)), MaterialNumber(1, 0)},
        MaterialRef{{row.key.account, TestRegion("eu-west-3"), row.key.id},
                    MaterialNumber(1, 0)}}) {
    const auto result = store().ReadMaterial(absent);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  }
}

TEST_P(StoreContract, TheSameMultiRegionKeyLivesInSeveralRegions) {
  KeyRow primary = TestKey(1);
  primary.key.id = *model::KeyId::Parse("mrk-" + std::string(32, 'a'));
  KeyRow replica = primary;
  replica.key.region = TestRegion("eu-west-3");
  MaterialRow copy = TestMaterial(replica, 1, 0);
  copy.sealed = Bytes(60, 0x77);
  ASSERT_TRUE(CommitOne(store(), CreateKey(primary, 1)));
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {replica}, .insert_materials = {copy}}));
  EXPECT_EQ(store().ReadMaterial({RefOf(replica), MaterialNumber(1, 0)})->sealed, copy.sealed);
  ASSERT_TRUE(CommitOne(store(), {.purge_keys = {RefOf(replica)}}));
  EXPECT_TRUE(store().ReadMaterial({RefOf(primary), MaterialNumber(1, 0)}));
  EXPECT_FALSE(store().ReadMaterial({RefOf(replica), MaterialNumber(1, 0)}));
}

TEST_P(StoreContract, OnlyPreparedMaterialIsDropped) {
  KeyRow row = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), CreateKey(row, 1)));
  ASSERT_TRUE(CommitOne(store(), {.insert_materials = {TestMaterial(row, 1, 1)}}));
  const MaterialRef prepared{RefOf(row), MaterialNumber(1, 1)};
  EXPECT_EQ(
      CodeOfFailure(CommitOne(store(), {.drop_materials = {{RefOf(row), MaterialNumber(1, 0)}}})),
      ErrorCode::kConflict)
      << "the current one";
  ASSERT_TRUE(CommitOne(store(), {.drop_materials = {prepared}}));
  EXPECT_FALSE(store().ReadMaterial(prepared));
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.drop_materials = {prepared}})), ErrorCode::kConflict)
      << "not there";

  ASSERT_TRUE(CommitOne(store(), {.insert_materials = {TestMaterial(row, 1, 1)}}));
  row.key.version = 1;
  row.key.generation = 1;
  row.key.current_material = MaterialNumber(1, 1);
  ASSERT_TRUE(CommitOne(store(), {.put_keys = {row}}));
  for (const unsigned generation : {0U, 1U}) {
    EXPECT_EQ(CodeOfFailure(CommitOne(
                  store(), {.drop_materials = {{RefOf(row), MaterialNumber(1, generation)}}})),
              ErrorCode::kConflict)
        << "ciphertexts may exist under generation " << generation;
  }
  EXPECT_EQ(ContentsOf(store()).materials.size(), 2U);
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

TEST_P(StoreContract, TheBytesOfImportedMaterialComeAndGo) {
  KeyRow row = TestKey(1);
  row.key.origin = model::Origin::kExternal;
  Change change = CreateKey(row, 1);
  MaterialRow& material = change.insert_materials[0];
  material.valid_to = FromEpochMillis(1'900'000'000'000);
  material.description = "first";
  ASSERT_TRUE(CommitOne(store(), change));
  Reopen();
  MaterialRow back = ContentsOf(store()).materials.at(0);
  EXPECT_EQ(back.valid_to, material.valid_to);
  EXPECT_EQ(back.description, "first");
  back.sealed.clear();
  back.valid_to.reset();
  ASSERT_TRUE(CommitOne(store(), {.set_imports = {back}}));
  Reopen();
  back = *store().ReadMaterial({RefOf(row), material.id});
  EXPECT_TRUE(back.sealed.empty());
  EXPECT_FALSE(back.valid_to);
  EXPECT_EQ(back.description, "first");
  EXPECT_EQ(back.created, material.created);
  back.sealed = Bytes(61, 7);
  back.description = "again";
  ASSERT_TRUE(CommitOne(store(), {.set_imports = {back}}));
  EXPECT_EQ(ContentsOf(store()).materials.at(0).sealed, Bytes(61, 7));
  EXPECT_EQ(ContentsOf(store()).materials.at(0).description, "again");
}

TEST_P(StoreContract, OnlyImportedMaterialCanBeSet) {
  const KeyRow row = TestKey(1);
  ASSERT_TRUE(CommitOne(store(), CreateKey(row, 1)));
  MaterialRow material = TestMaterial(row, 1, 0);
  material.sealed.clear();
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.set_imports = {material}})), ErrorCode::kConflict)
      << "the only copy of material that was made here";
  KeyRow external = TestKey(2);
  external.key.origin = model::Origin::kExternal;
  ASSERT_TRUE(CommitOne(store(), CreateKey(external, 2)));
  EXPECT_EQ(CodeOfFailure(CommitOne(store(), {.set_imports = {TestMaterial(external, 2, 1)}})),
            ErrorCode::kConflict)
      << "never imported";
  EXPECT_EQ(ContentsOf(store()).materials.at(0).sealed, TestMaterial(row, 1, 0).sealed);
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
