// Do the keys of a multi-Region family have the same material, whatever fails in a rotation, and
// wherever the primary is when the rotation is finished? What one encrypts, each decrypts.
#include <gtest/gtest.h>

#include <string>

#include "crypto/ciphertext.h"
#include "keys/multi_region.h"
#include "service/key_material.h"
#include "service/multi_region.h"
#include "service/service_fault_test.h"

namespace keyturn::service {
namespace {

class MultiRegionFault : public ServiceFault {
 protected:
  // SetUp makes a primary in us-east-1.
  void SetUp() override {
    ServiceFault::SetUp();
    Begin();
  }
  void Begin() {
    MakeKey(east_, true);
    west_ = {*model::Region::Intern("eu-west-1"), east_.id};
  }

  Status Replicate() {
    return writer_->Run([&](Txn& txn) -> Status {
      const KeyPtr primary = txn.FindKey(east_.region, east_.id);
      KeyEntry replica;
      replica.key = keys::MakeReplica(primary->key, west_.region, "", kStart, kStart);
      replica.policy = primary->policy;
      return AddReplica(txn, *environment_, *primary, std::move(replica));
    });
  }

  Status MovePrimaryWest() {
    return writer_->Run([&](Txn& txn) -> Status {
      KeyEntry east = *txn.FindKey(east_.region, east_.id);
      KeyEntry west = *txn.FindKey(west_.region, west_.id);
      keys::Swapped swapped = keys::SwapPrimary(east.key, west.key, kStart);
      east.key = std::move(swapped.old_primary);
      west.key = std::move(swapped.new_primary);
      txn.PutKey(std::move(east));
      txn.PutKey(std::move(west));
      return {};
    });
  }

  Status Rotate(const KeyName& name) {
    return writer_->Run([&](Txn& txn) -> Status {
      KT_ASSIGN(const auto failures,
                RotateKeys(txn, *environment_, {txn.FindKey(name.region, name.id)},
                           model::RotationType::kOnDemand, clock_.Now()));
      if (!failures.empty()) return Fail(failures.front().error);
      return {};
    });
  }

  // Interrupt leaves the primary with material that a rotation has only prepared.
  void Interrupt() {
    faulty_->FailAt(3);  // T1's commit, reading back, T2's commit
    ASSERT_FALSE(Rotate(east_));
    ASSERT_EQ(Find(east_)->materials->size(), 2U);
    ASSERT_EQ(Find(east_)->key.generation, 0U);
  }

  // DropPreparedWest leaves the replica as earlier versions did.
  void DropPreparedWest() {
    ASSERT_TRUE(writer_->Run([&](Txn& txn) -> Status {
      const KeyPtr west = txn.FindKey(west_.region, west_.id);
      txn.DropMaterial(west->key, west->materials->At(1)->id);
      KT_TRY(txn.Flush());
      west->materials->DropLast();
      return {};
    }));
  }
  // PrepareOtherWest gives the replica prepared material that its primary does not have.
  void PrepareOtherWest() {
    ASSERT_TRUE(writer_->Run([&](Txn& txn) -> Status {
      const KeyPtr west = txn.FindKey(west_.region, west_.id);
      const MaterialPtr other = NewMaterial(*environment_, west->key, 1, kStart);
      txn.AddMaterial(west->key, *other);
      KT_TRY(txn.Flush());
      west->materials->Add(other);
      return {};
    }));
  }

  void ExpectDecrypts(const KeyName& by, const Bytes& blob) {
    const auto header = crypto::ParseBlobHeader(blob);
    ASSERT_TRUE(header);
    const KeyPtr entry = Find(by);
    const MaterialPtr material = entry->materials->Find(model::MaterialId(header->material_id));
    ASSERT_TRUE(material) << by.region.name() << " lacks the other's material";
    const auto opened = environment_->keyring.Reveal(entry->key, *material);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(crypto::DecryptBlob(**opened, blob, {}));
  }

  // ExpectSame also looks at what is stored.
  void ExpectSame(std::uint32_t generation) {
    for (const bool restarted : {false, true}) {
      SCOPED_TRACE(restarted);
      if (restarted) Open();
      EXPECT_EQ(Find(east_)->materials->size(), Find(west_)->materials->size());
      for (const KeyName& name : {east_, west_}) {
        const KeyPtr entry = Find(name);
        EXPECT_EQ(entry->key.generation, generation);
        const auto material = environment_->keyring.Reveal(entry->key, *entry->current);
        ASSERT_TRUE(material);
        const Bytes blob = crypto::EncryptBlob(
            **material, {AsBytes(entry->key.id.text()), entry->current->id.bytes()}, {},
            AsBytes("x"), environment_->random);
        ExpectDecrypts(east_, blob);
        ExpectDecrypts(west_, blob);
      }
    }
  }

  KeyName east_;
  KeyName west_;
};

TEST_F(MultiRegionFault, AReplicaMadeAfterAnInterruptedRotationRotatesToTheSame) {
  Interrupt();
  Open();
  ASSERT_TRUE(Replicate());
  ExpectSame(0);
  ASSERT_TRUE(MovePrimaryWest());
  ASSERT_TRUE(Rotate(west_));
  ExpectSame(1);
  ASSERT_TRUE(Rotate(west_));
  ExpectSame(2);
}

TEST_F(MultiRegionFault, WithoutMovingThePrimaryToo) {
  Interrupt();
  ASSERT_TRUE(Replicate());
  ASSERT_TRUE(Rotate(east_));
  ExpectSame(1);
  for (const KeyName& name : {east_, west_}) {
    EXPECT_EQ(Find(name)->materials->RotationOf(1)->type, model::RotationType::kOnDemand);
  }
}

// What an earlier version left, and a rotation that fails at each step.
TEST_F(MultiRegionFault, DifferentPreparedMaterialIsDroppedAndEveryStepMayFail) {
  for (const bool has_other : {false, true}) {
    for (const bool moves : {false, true}) {
      bool every_step_failed = false;
      for (int step = 1; !every_step_failed; ++step) {
        SCOPED_TRACE(testing::Message() << has_other << moves << " step " << step);
        ASSERT_LT(step, 20);
        Begin();
        Interrupt();
        ASSERT_TRUE(Replicate());
        DropPreparedWest();
        if (has_other) PrepareOtherWest();
        if (moves) ASSERT_TRUE(MovePrimaryWest());
        const KeyName primary = moves ? west_ : east_;
        faulty_->FailAt(step);
        const Status rotated = Rotate(primary);
        every_step_failed = rotated.has_value();
        if (!rotated && step % 2 == 0) Open();
        if (!rotated) ASSERT_TRUE(Rotate(primary));
        ExpectSame(1);
      }
    }
  }
}

}  // namespace
}  // namespace keyturn::service
