// Does a rotation lose anything when a commit, or the reading back of new material, fails at any
// point? Every ciphertext that was acknowledged must decrypt, in the same process and after a
// restart, and the next rotation must succeed.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "api/ops/list_key_rotations.h"
#include "crypto/ciphertext.h"
#include "keys/rotation.h"
#include "service/imports.h"
#include "service/key_material.h"
#include "service/principals.h"
#include "service/service_fault_test.h"

namespace keyturn::service {
namespace {

class RotationFault : public ServiceFault {
 protected:
  void MakeKey() { ServiceFault::MakeKey(name_); }

  Status Rotate() {
    return writer_->Run([&](Txn& txn) -> Status {
      KT_ASSIGN(const auto failures,
                RotateKeys(txn, *environment_, {txn.FindKey(name_.region, name_.id)},
                           model::RotationType::kAutomatic, clock_.Now()));
      if (!failures.empty()) return Fail(failures.front().error);
      return {};
    });
  }

  KeyPtr Key() { return Find(name_); }

  // Remember encrypts with what is current now: an acknowledged ciphertext.
  void Remember() {
    const KeyPtr entry = Key();
    const auto material = environment_->keyring.Reveal(entry->key, *entry->current);
    ASSERT_TRUE(material);
    blobs_.push_back(
        crypto::EncryptBlob(**material, {AsBytes(entry->key.id.text()), entry->current->id.bytes()},
                            {}, AsBytes("x"), environment_->random));
  }

  void ExpectAllDecrypt() {
    const KeyPtr entry = Key();
    ASSERT_TRUE(entry);
    for (const Bytes& blob : blobs_) {
      const auto header = crypto::ParseBlobHeader(blob);
      ASSERT_TRUE(header);
      const MaterialPtr material = entry->materials->Find(model::MaterialId(header->material_id));
      ASSERT_TRUE(material) << "a material that was used is not there";
      EXPECT_LE(material->generation, entry->key.generation);
      const auto opened = environment_->keyring.Reveal(entry->key, *material);
      ASSERT_TRUE(opened);
      EXPECT_TRUE(crypto::DecryptBlob(**opened, blob, {}));
    }
  }

  // MakeImportedKey makes a key with two imported materials, of which one waits for its rotation.
  void MakeImportedKey() {
    ASSERT_TRUE(writer_->Run([&](Txn& txn) -> Status {
      keys::Key key;
      key.id = model::KeyId::New(environment_->random, false);
      key.region = *model::Region::Intern("us-east-1");
      key.origin = model::Origin::kExternal;
      KT_ASSIGN(auto policy,
                environment_->policies.Get(policy::DefaultKeyPolicy("aws", key.account)));
      name_ = {key.region, key.id};
      AddKey(txn, *environment_, key, policy, {}, kStart);
      return {};
    }));
    for (const std::uint8_t n : {std::uint8_t{1}, std::uint8_t{2}}) {
      ASSERT_TRUE(writer_->Run([&](Txn& txn) -> Status {
        const KeyPtr entry = txn.FindKey(name_.region, name_.id);
        std::array<std::uint8_t, 32> bytes{};
        bytes.fill(n);
        keys::ImportRequest request{.id = model::MaterialId(bytes)};
        if (n > 1) request.type = model::ImportType::kNewKeyMaterial;
        KT_ASSIGN(const auto decision, keys::Import(entry->key, ImportsOf(*entry), request));
        TakeImport(txn, *environment_, *entry, decision, bytes, kStart);
        return {};
      }));
    }
  }

  // ListMaterials is ListKeyRotations with ALL_KEY_MATERIAL.
  std::vector<api::RotationsListEntry> ListMaterials() {
    store::UserRow row;
    row.name = "admin";
    const Caller caller{.user = *MakeUser(std::move(row)), .access_key = {}};
    Call call{*environment_, caller, name_.region, clock_.Now(), service_->tables()};
    call.targets.push_back({Key(), std::nullopt});
    api::ListKeyRotationsRequest request;
    request.include_key_material = model::IncludeKeyMaterial::kAllKeyMaterial;
    const auto listed = Handle<api::op::ListKeyRotations>(call, request);
    EXPECT_TRUE(listed);
    return *listed->rotations;
  }

  KeyName name_;
  std::vector<Bytes> blobs_;
};

TEST_F(RotationFault, EveryStepFailsOnceAndNothingIsLost) {
  MakeKey();
  Remember();
  bool every_step_failed = false;
  for (int step = 1; !every_step_failed; ++step) {
    SCOPED_TRACE(step);
    ASSERT_LT(step, 20);
    const std::uint32_t before = Key()->key.generation;
    faulty_->FailAt(step);
    const Status rotated = Rotate();
    every_step_failed = !faulty_->failed();
    EXPECT_EQ(rotated.has_value(), every_step_failed);
    EXPECT_EQ(Key()->key.generation, before + (rotated ? 1 : 0));
    Remember();
    ExpectAllDecrypt();
    Open();
    EXPECT_EQ(Key()->key.generation, before + (rotated ? 1 : 0));
    Remember();
    ExpectAllDecrypt();
    ASSERT_TRUE(Rotate()) << "the next rotation finishes what the failed one began";
    Remember();
    ExpectAllDecrypt();
  }
}

TEST_F(RotationFault, AnEventWaitsForTheWebhookIfAndOnlyIfTheRotationIsDurable) {
  MakeKey();
  environment_->notifies = true;
  std::size_t rotations = 0;
  bool every_step_failed = false;
  for (int step = 1; !every_step_failed; ++step) {
    SCOPED_TRACE(step);
    ASSERT_LT(step, 20);
    faulty_->FailAt(step);
    rotations += Rotate() ? 1 : 0;
    every_step_failed = !faulty_->failed();
    Open();
    environment_->notifies = true;
    const auto waiting = service_->environment().store.ReadNotifications(100);
    ASSERT_TRUE(waiting);
    EXPECT_EQ(waiting->size(), rotations);
    EXPECT_EQ(rotations, Key()->key.generation);
  }
  EXPECT_GT(rotations, 0U);
}

TEST_F(RotationFault, ARotationAfterAFailureInTheSameProcessSucceeds) {
  MakeKey();
  Remember();
  for (int step = 1; step <= 3; ++step) {
    SCOPED_TRACE(step);
    faulty_->FailAt(step);
    ASSERT_FALSE(Rotate());
    Remember();
    ASSERT_TRUE(Rotate());
    Remember();
    ExpectAllDecrypt();
  }
}

TEST_F(RotationFault, MaterialThatStorageSpoiledIsNeverUsed) {
  MakeKey();
  Remember();
  faulty_->CorruptNextMaterial();
  ASSERT_FALSE(Rotate());
  EXPECT_EQ(Key()->key.generation, 0U);
  EXPECT_EQ(Key()->materials->size(), 1U);
  ASSERT_TRUE(Rotate());
  Remember();
  Open();
  ExpectAllDecrypt();
  EXPECT_EQ(Key()->materials->size(), 2U);
}

TEST_F(RotationFault, ARotationThatFailedIsNotListed) {
  MakeImportedKey();
  faulty_->FailAt(3);  // T1's commit, reading back, T2's commit
  ASSERT_FALSE(Rotate());
  auto listed = ListMaterials();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[1].key_material_state, model::KeyMaterialState::kPendingRotation);
  EXPECT_FALSE(listed[1].rotation_date);
  EXPECT_FALSE(listed[1].rotation_type);
  ASSERT_TRUE(Rotate());
  listed = ListMaterials();
  EXPECT_EQ(listed[1].key_material_state, model::KeyMaterialState::kCurrent);
  EXPECT_EQ(listed[1].rotation_date, clock_.Now());
}

TEST_F(RotationFault, TheClockworkCatchesUpOnceAndDestroysWhatIsDue) {
  MakeKey();
  Remember();
  writer_.reset();  // the service's own writer from here on
  clock_.Advance(std::chrono::hours(24 * 1000));
  EXPECT_EQ(service_->Tick().rotated, 1U);
  EXPECT_EQ(service_->Tick().rotated, 0U);
  EXPECT_EQ(Key()->key.generation, 1U);
  EXPECT_EQ(Key()->key.rotation->next, kStart + Days{365} * 3);
  ExpectAllDecrypt();
  ASSERT_TRUE(service_->writer().Run([&](Txn& txn) -> Status {
    KeyEntry entry = *txn.FindKey(name_.region, name_.id);
    KT_ASSIGN(entry.key, keys::ScheduleKeyDeletion(entry.key, Days{7}, clock_.Now()));
    txn.PutKey(std::move(entry));
    return {};
  }));
  EXPECT_EQ(service_->Tick().destroyed, 0U);
  clock_.Advance(std::chrono::hours(24 * 7));
  EXPECT_EQ(service_->Tick().destroyed, 1U);
  EXPECT_FALSE(Key());
}

TEST_F(RotationFault, EveryGenerationIsFoundById) {
  MakeKey();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Rotate());
    Remember();
  }
  ExpectAllDecrypt();
  Open();
  ExpectAllDecrypt();
  EXPECT_EQ(Key()->materials->size(), 201U);
}

}  // namespace
}  // namespace keyturn::service
