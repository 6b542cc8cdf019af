// What every store keeps of the materials and rotations of keys.
#include <gtest/gtest.h>

#include "store/store_contract_test.h"

namespace keyturn::store {

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

}  // namespace keyturn::store
