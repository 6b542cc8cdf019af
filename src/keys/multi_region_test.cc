// Multi-Region keys: who may be replicated and promoted, and what each of them keeps.
#include "keys/multi_region.h"

#include <gtest/gtest.h>

#include <string>

#include "keys/rotation.h"

namespace keyturn::keys {
namespace {

using model::KeyState;

constexpr TimePoint kNow{Millis{1'800'000'000'123}};

Key Primary() {
  Key key;
  key.id = *model::KeyId::Parse("mrk-1234abcd12ab34cd56ef1234567890ab");
  key.account = *model::AccountId::Parse("111122223333");
  key.region = *model::Region::Intern("us-east-1");
  key.primary_region = key.region;
  key.multi_region = true;
  key.current_material = *model::MaterialId::ParseHex(std::string(64, 'a'));
  key.generation = 3;
  key.on_demand_rotations = 2;
  key.rotation = RotationSchedule{Days{90}, kNow + Days{5}};
  key.description = "the primary";
  key.version = 7;
  return key;
}

Key Replica(const char* region = "eu-west-1") {
  return Settle(MakeReplica(Primary(), *model::Region::Intern(region), "a replica", kNow, kNow),
                false);
}

std::string Refusal(const Status& status) {
  return status ? "ok"
                : std::string(ErrorCodeName(status.error().code)) + " " + status.error().message;
}

TEST(MultiRegion, AReplicaSharesWhatIsSharedAndStartsCreating) {
  const Key replica =
      MakeReplica(Primary(), *model::Region::Intern("eu-west-1"), "mine", kNow, kNow + Millis{5});
  EXPECT_EQ(replica.id, Primary().id);
  EXPECT_EQ(replica.state, KeyState::kCreating);
  EXPECT_EQ(replica.current_material, Primary().current_material);
  EXPECT_EQ(replica.generation, 3U);
  EXPECT_EQ(replica.description, "mine");
  EXPECT_EQ(replica.creation_date, kNow);
  EXPECT_EQ(replica.version, 0U);
  EXPECT_FALSE(replica.rotation) << "its primary's counts";
  EXPECT_TRUE(replica.is_replica());
  EXPECT_FALSE(replica.is_primary());
  EXPECT_FALSE(IsSettlingDue(replica, kNow));
  EXPECT_TRUE(IsSettlingDue(replica, kNow + Millis{5}));
  EXPECT_EQ(Settle(replica, false).state, KeyState::kEnabled);
  EXPECT_EQ(Settle(replica, true).state, KeyState::kPendingImport);
  EXPECT_FALSE(IsSettlingDue(Settle(replica, false), kNow + Days{9}));
}

TEST(MultiRegion, WhereAReplicaCanBe) {
  const Key primary = Primary();
  EXPECT_EQ(Refusal(CheckReplicate(primary, "eu-west-1", false)), "ok");
  EXPECT_EQ(Refusal(CheckReplicate(primary, "eu-west-1", true)),
            "AlreadyExistsException You can create only one replica of each primary key in each "
            "AWS Region.");
  EXPECT_EQ(Refusal(CheckReplicate(primary, "us-east-1", false)),
            "ValidationException us-east-1 cannot have a replica because it contains the primary.");
  EXPECT_EQ(Refusal(CheckReplicate(primary, "cn-north-1", false)),
            "ValidationException The replica key Region must be in the same AWS partition as the "
            "primary key Region.");
  EXPECT_EQ(Refusal(CheckReplicate(primary, "us-invalid-1", false)),
            "ValidationException Region us-invalid-1 is not a valid Region or multi-Region keys "
            "are not supported in Region us-invalid-1.");
  EXPECT_EQ(
      Refusal(CheckReplicate(Replica(), "us-west-2", false)),
      "UnsupportedOperationException " + Replica().arn() + " is not a multi-region primary key.");
  Key single = primary;
  single.multi_region = false;
  EXPECT_EQ(CheckReplicate(single, "eu-west-1", false).error().code,
            ErrorCode::kUnsupportedOperationException);
  Key disabled = primary;
  disabled.state = KeyState::kDisabled;
  EXPECT_EQ(CheckReplicate(disabled, "us-east-1", true).error().code, ErrorCode::kDisabledException)
      << "the state comes first";
}

TEST(MultiRegion, PromotionSwapsTheRolesAndMovesTheSchedule) {
  const Swapped swapped = SwapPrimary(Primary(), Replica(), kNow);
  EXPECT_TRUE(swapped.old_primary.is_replica());
  EXPECT_TRUE(swapped.new_primary.is_primary());
  for (const Key& key : {swapped.old_primary, swapped.new_primary}) {
    EXPECT_EQ(key.state, KeyState::kUpdating);
    EXPECT_TRUE(CheckState(key, KeyOperation::kDecrypt)) << "cryptography goes on";
    EXPECT_EQ(Settle(key, false).state, KeyState::kEnabled);
  }
  EXPECT_EQ(swapped.new_primary.rotation, Primary().rotation);
  EXPECT_EQ(swapped.new_primary.on_demand_rotations, 2U);
  EXPECT_FALSE(swapped.old_primary.rotation);
  EXPECT_EQ(swapped.new_primary.description, "a replica");
  EXPECT_EQ(swapped.old_primary.description, "the primary");
}

TEST(MultiRegion, WhoCanBePromoted) {
  const Key primary = Primary();
  const Key replica = Replica();
  EXPECT_EQ(Refusal(CheckUpdatePrimary(primary, "eu-west-1", &replica)), "ok");
  EXPECT_EQ(Refusal(CheckUpdatePrimary(primary, "us-east-1", nullptr)), "ok") << "it is already";
  EXPECT_EQ(Refusal(CheckUpdatePrimary(primary, "us-west-2", nullptr)),
            "ValidationException mrk-1234abcd12ab34cd56ef1234567890ab does not have a replica key "
            "in the specified Region.");
  EXPECT_EQ(Refusal(CheckUpdatePrimary(replica, "us-east-1", &primary)),
            "KMSInvalidStateException " + replica.arn() + " is not a multi-Region primary key.");
  Key disabled = replica;
  disabled.state = KeyState::kDisabled;
  EXPECT_EQ(Refusal(CheckUpdatePrimary(primary, "eu-west-1", &disabled)),
            "DisabledException " + replica.arn() + " is disabled.");
  Key pending = *ScheduleKeyDeletion(replica, Days{7}, kNow);
  EXPECT_EQ(Refusal(CheckUpdatePrimary(primary, "eu-west-1", &pending)),
            "KMSInvalidStateException " + replica.arn() + " is pending deletion.");
}

TEST(MultiRegion, APrimaryWaitsForItsReplicas) {
  Key key = *ScheduleKeyDeletion(Primary(), Days{8}, kNow, true);
  EXPECT_EQ(key.state, KeyState::kPendingReplicaDeletion);
  EXPECT_EQ(key.deletion_window, Days{8});
  EXPECT_FALSE(key.deletion_date);
  EXPECT_FALSE(IsDeletionDue(key, kNow + Days{1000}));
  EXPECT_EQ(RotationStatus(key), Primary().rotation) << "shown still";
  EXPECT_EQ(CancelKeyDeletion(key)->state, KeyState::kDisabled);
  EXPECT_FALSE(CancelKeyDeletion(key)->deletion_window);
  key = AfterLastReplica(key, kNow + Days{20});
  EXPECT_EQ(key.state, KeyState::kPendingDeletion);
  EXPECT_EQ(key.deletion_date, kNow + Days{28});
  EXPECT_FALSE(key.deletion_window);
  EXPECT_EQ(AfterLastReplica(Primary(), kNow).state, KeyState::kEnabled);
}

TEST(MultiRegion, AReplicaDoesNotRotateByItself) {
  const Key replica = Replica();
  const std::string text = "UnsupportedOperationException " + replica.arn() +
                           " is a multi-region replica key which is not valid for ";
  const auto enabled = EnableKeyRotation(replica, Days{90}, kNow);
  ASSERT_FALSE(enabled);
  EXPECT_EQ(Refusal(Fail(enabled.error())), text + "EnableKeyRotation.");
  const auto disabled = DisableKeyRotation(replica);
  ASSERT_FALSE(disabled);
  EXPECT_EQ(Refusal(Fail(disabled.error())), text + "DisableKeyRotation.");
  EXPECT_EQ(Refusal(CheckRotateOnDemand(replica, kNow)), text + "RotateKeyOnDemand.");
}

TEST(MultiRegion, AnImportedKeyRotatesWhenAllHaveTheMaterial) {
  Key key = Primary();
  key.origin = model::Origin::kExternal;
  key.rotation.reset();
  EXPECT_EQ(Refusal(CheckRotateOnDemand(key, kNow, PendingMaterial::kNone)),
            "KMSInvalidStateException No available key material pending rotation for the key: " +
                key.arn() + ".");
  EXPECT_EQ(Refusal(CheckRotateOnDemand(key, kNow, PendingMaterial::kMissingInReplica)),
            "KMSInvalidStateException Cannot perform key material rotation: Key material has not "
            "been imported for replicas of the Multi-Region key.");
  EXPECT_EQ(Refusal(CheckRotateOnDemand(key, kNow, PendingMaterial::kReady)), "ok");
}

}  // namespace
}  // namespace keyturn::keys
