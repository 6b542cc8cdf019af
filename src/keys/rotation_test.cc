// Rotation: when a key rotates, and what the schedule says before and after.
#include "keys/rotation.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace keyturn::keys {
namespace {

using model::KeySpec;
using model::KeyState;
using model::MaterialId;
using model::Origin;
using model::RotationType;

constexpr TimePoint kNow{Millis{1'800'000'000'123}};
constexpr const char* kArn =
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

Key NewKey() {
  Key key;
  key.id = *model::KeyId::Parse("1234abcd-12ab-34cd-56ef-1234567890ab");
  key.account = *model::AccountId::Parse("111122223333");
  key.region = *model::Region::Intern("us-east-1");
  key.creation_date = kNow;
  key.current_material = *MaterialId::ParseHex(std::string(64, '0'));
  return key;
}

Key KeyOf(KeySpec spec, Origin origin = Origin::kAwsKms) {
  Key key = NewKey();
  key.spec = spec;
  key.origin = origin;
  return key;
}

MaterialId Material(char digit) { return *MaterialId::ParseHex(std::string(64, digit)); }

constexpr KeySpec kNotRotatable[] = {
    KeySpec::kRsa2048, KeySpec::kEccNistP256, KeySpec::kEccSecgP256k1,
    KeySpec::kHmac256, KeySpec::kMlDsa65,     KeySpec::kEccNistEdwards25519,
    KeySpec::kSm2};

TEST(EnableKeyRotation, WithoutAPeriodIsYearlyFromNow) {
  const auto key = EnableKeyRotation(NewKey(), std::nullopt, kNow);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->rotation, (RotationSchedule{Days{365}, kNow + Days{365}}));
}

TEST(EnableKeyRotation, PeriodBounds) {
  for (const std::int32_t days : {90, 91, 365, 2559, 2560}) {
    const auto key = EnableKeyRotation(NewKey(), Days{days}, kNow);
    ASSERT_TRUE(key) << days;
    EXPECT_EQ(key->rotation, (RotationSchedule{Days{days}, kNow + Days{days}}));
  }
  for (const std::int32_t days : {-2147483647, -90, 0, 1, 89}) {
    const auto key = EnableKeyRotation(NewKey(), Days{days}, kNow);
    ASSERT_FALSE(key) << days;
    EXPECT_EQ(key.error().code, ErrorCode::kValidationException);
    EXPECT_EQ(key.error().message,
              "1 validation error detected: Value '" + std::to_string(days) +
                  "' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have "
                  "value greater than or equal to 90");
  }
  for (const std::int32_t days : {2561, 2147483647}) {
    const auto key = EnableKeyRotation(NewKey(), Days{days}, kNow);
    ASSERT_FALSE(key) << days;
    EXPECT_EQ(key.error().message,
              "1 validation error detected: Value '" + std::to_string(days) +
                  "' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have "
                  "value less than or equal to 2560");
  }
}

TEST(EnableKeyRotation, AgainWithTheSameOrNoPeriodChangesNothing) {
  const Key on = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  EXPECT_EQ(EnableKeyRotation(on, Days{90}, kNow + Days{30})->rotation, on.rotation);
  EXPECT_EQ(EnableKeyRotation(on, std::nullopt, kNow + Days{30})->rotation, on.rotation);
}

TEST(EnableKeyRotation, AnotherPeriodRestartsTheClock) {
  const Key on = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const TimePoint later = kNow + Days{30};
  EXPECT_EQ(EnableKeyRotation(on, Days{180}, later)->rotation,
            (RotationSchedule{Days{180}, later + Days{180}}));
}

TEST(EnableKeyRotation, StateIsReportedBeforeType) {
  Key key = KeyOf(KeySpec::kRsa2048);
  key.state = KeyState::kDisabled;
  const auto result = EnableKeyRotation(key, std::nullopt, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kDisabledException);
  EXPECT_EQ(result.error().message, std::string(kArn) + " is disabled.");
}

TEST(EnableKeyRotation, OriginIsReportedBeforePendingImport) {
  Key key = KeyOf(KeySpec::kSymmetricDefault, Origin::kExternal);
  for (const KeyState state : {KeyState::kPendingImport, KeyState::kEnabled}) {
    key.state = state;
    for (const auto& result :
         {EnableKeyRotation(key, std::nullopt, kNow), DisableKeyRotation(key)}) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::kUnsupportedOperationException);
      EXPECT_EQ(result.error().message,
                std::string(kArn) + " origin is EXTERNAL which is not valid for this operation.");
    }
  }
}

TEST(EnableKeyRotation, AsymmetricAndHmacKeysAreRefusedWithoutAMessage) {
  for (const KeySpec spec : kNotRotatable) {
    const auto result = EnableKeyRotation(KeyOf(spec), std::nullopt, kNow);
    ASSERT_FALSE(result) << model::ToWire(spec);
    EXPECT_EQ(result.error().code, ErrorCode::kUnsupportedOperationException);
    EXPECT_EQ(result.error().message, "");
  }
}

TEST(EnableKeyRotation, CustomKeyStoreKeysAreRefused) {
  for (const Origin origin : {Origin::kAwsCloudhsm, Origin::kExternalKeyStore}) {
    const auto result =
        EnableKeyRotation(KeyOf(KeySpec::kSymmetricDefault, origin), std::nullopt, kNow);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, std::string(kArn) + " origin is " +
                                          std::string(model::ToWire(origin)) +
                                          " which is not valid for this operation.");
  }
}

TEST(EnableKeyRotation, AwsManagedKeysAreYearlyWhateverIsAsked) {
  Key key = NewKey();
  key.manager = model::KeyManager::kAws;
  key = *EnableKeyRotation(key, Days{90}, kNow);
  EXPECT_EQ(key.rotation, (RotationSchedule{Days{365}, kNow + Days{365}}));
  EXPECT_EQ(EnableKeyRotation(key, Days{2560}, kNow + Days{9})->rotation, key.rotation);
}

TEST(DisableKeyRotation, ForgetsThePeriod) {
  Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  key = *DisableKeyRotation(key);
  EXPECT_FALSE(key.rotation);
  EXPECT_FALSE(DisableKeyRotation(key)->rotation) << "off already: succeeds";
  EXPECT_EQ(EnableKeyRotation(key, std::nullopt, kNow + Days{1})->rotation,
            (RotationSchedule{Days{365}, kNow + Days{366}}));
}

TEST(DisableKeyRotation, SucceedsOnKeysThatCannotRotate) {
  for (const KeySpec spec : kNotRotatable) {
    EXPECT_TRUE(DisableKeyRotation(KeyOf(spec))) << model::ToWire(spec);
  }
}

TEST(RotationStatus, HiddenWhilePendingDeletionAndBackAfterCancel) {
  const Key on = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const Key pending = *ScheduleKeyDeletion(on, Days{7}, kNow + Days{1});
  EXPECT_FALSE(RotationStatus(pending));
  EXPECT_FALSE(IsRotationDue(pending, kNow + Days{90}));
  const Key cancelled = *CancelKeyDeletion(pending);
  EXPECT_EQ(RotationStatus(cancelled), on.rotation);
  EXPECT_FALSE(IsRotationDue(cancelled, kNow + Days{90})) << "still disabled";
}

TEST(RotationStatus, ShownWhileDisabledAndWhileWaitingForReplicas) {
  Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  EXPECT_EQ(RotationStatus(*DisableKey(key)), key.rotation);
  key.state = KeyState::kPendingReplicaDeletion;
  EXPECT_EQ(RotationStatus(key), key.rotation);
  EXPECT_FALSE(RotationStatus(NewKey()));
}

TEST(CheckRotateOnDemand, AllowedUpToTheLimit) {
  Key key = NewKey();
  key.on_demand_rotations = kOnDemandRotationsMax - 1;
  EXPECT_TRUE(CheckRotateOnDemand(key, kNow));
  key.on_demand_rotations = kOnDemandRotationsMax;
  const auto result = CheckRotateOnDemand(key, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceededException);
  EXPECT_EQ(result.error().message,
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand "
            "rotations can be performed for this key: " +
                std::string(kArn));
}

TEST(CheckRotateOnDemand, StateThenType) {
  Key key = KeyOf(KeySpec::kRsa2048);
  key.state = KeyState::kDisabled;
  EXPECT_EQ(CheckRotateOnDemand(key, kNow).error().code, ErrorCode::kDisabledException);
  for (const KeySpec spec : kNotRotatable) {
    const auto result = CheckRotateOnDemand(KeyOf(spec), kNow);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kUnsupportedOperationException);
    EXPECT_EQ(result.error().message, "");
  }
}

TEST(CheckRotateOnDemand, ImportedKeysNeedMaterialThatWaits) {
  Key key = KeyOf(KeySpec::kSymmetricDefault, Origin::kExternal);
  auto result = CheckRotateOnDemand(key, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kKMSInvalidStateException);
  EXPECT_EQ(result.error().message,
            "No available key material pending rotation for the key: " + std::string(kArn) + ".");
  key.state = KeyState::kPendingImport;
  result = CheckRotateOnDemand(key, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, std::string(kArn) + " is pending import.");
}

TEST(CheckRotateOnDemand, ConflictsWithAnAutomaticRotationWithinTwentyMinutes) {
  const Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const TimePoint due = kNow + Days{90};
  const auto minutes = [](int n) { return Millis{n * 60'000}; };
  EXPECT_TRUE(CheckRotateOnDemand(key, due - minutes(20) - Millis{1}));
  for (const TimePoint at : {due - minutes(20), due, due + minutes(1)}) {
    const auto result = CheckRotateOnDemand(key, at);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kConflictException);
  }
  EXPECT_TRUE(CheckRotateOnDemand(*DisableKeyRotation(key), due));
}

TEST(IsRotationDue, FromTheDateOn) {
  const Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  EXPECT_FALSE(IsRotationDue(key, kNow + Days{90} - Millis{1}));
  EXPECT_TRUE(IsRotationDue(key, kNow + Days{90}));
  EXPECT_FALSE(IsRotationDue(NewKey(), kNow + Days{90}));
}

TEST(IsRotationDue, AKeyDisabledWhenDueRotatesOnceEnabled) {
  const Key disabled = *DisableKey(*EnableKeyRotation(NewKey(), Days{90}, kNow));
  const TimePoint later = kNow + Days{100};
  EXPECT_FALSE(IsRotationDue(disabled, later));
  EXPECT_TRUE(IsRotationDue(*EnableKey(disabled), later));
}

TEST(AfterRotation, AutomaticMovesTheDateByOnePeriodFromTheOldDate) {
  const Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const TimePoint due = kNow + Days{90};
  const Key rotated = AfterRotation(key, RotationType::kAutomatic, Material('1'), due + Millis{7});
  EXPECT_EQ(rotated.rotation, (RotationSchedule{Days{90}, due + Days{90}}));
  EXPECT_EQ(rotated.generation, 1U);
  EXPECT_EQ(rotated.current_material, Material('1'));
  EXPECT_EQ(rotated.on_demand_rotations, 0U);
}

TEST(AfterRotation, AfterALongPauseOneRotationCatchesUp) {
  const Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const TimePoint due = kNow + Days{90};
  const TimePoint much_later = due + Days{90} * 10;
  const Key rotated = AfterRotation(key, RotationType::kAutomatic, Material('1'), much_later);
  EXPECT_EQ(rotated.rotation->next, much_later + Days{90}) << "on the step itself: the next one";
  EXPECT_FALSE(IsRotationDue(rotated, much_later));
  const Key earlier =
      AfterRotation(key, RotationType::kAutomatic, Material('1'), much_later - Millis{1});
  EXPECT_EQ(earlier.rotation->next, much_later);
}

TEST(AfterRotation, AClockThatWentBackDoesNotRotateTwice) {
  const Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const TimePoint due = kNow + Days{90};
  const Key rotated = AfterRotation(key, RotationType::kAutomatic, Material('1'), due - Millis{5});
  EXPECT_EQ(rotated.rotation->next, due + Days{90});
}

TEST(AfterRotation, OnDemandCountsAndKeepsTheSchedule) {
  const Key key = *EnableKeyRotation(NewKey(), Days{90}, kNow);
  const Key rotated = AfterRotation(key, RotationType::kOnDemand, Material('1'), kNow + Days{45});
  EXPECT_EQ(rotated.rotation, key.rotation);
  EXPECT_EQ(rotated.on_demand_rotations, 1U);
  EXPECT_EQ(rotated.generation, 1U);
}

TEST(AfterRotation, ARotationThatWasBegunCompletesInAnyState) {
  const Key pending =
      *ScheduleKeyDeletion(*EnableKeyRotation(NewKey(), Days{90}, kNow), Days{7}, kNow);
  const Key rotated = AfterRotation(pending, RotationType::kOnDemand, Material('1'), kNow);
  EXPECT_EQ(rotated.current_material, Material('1'));
  EXPECT_EQ(rotated.state, KeyState::kPendingDeletion);
  const Key off = AfterRotation(NewKey(), RotationType::kAutomatic, Material('1'), kNow);
  EXPECT_FALSE(off.rotation) << "rotation was switched off meanwhile and stays off";
}

TEST(AfterRotation, AwsManagedKeysGoOnYearly) {
  Key key = NewKey();
  key.manager = model::KeyManager::kAws;
  key.rotation = RotationSchedule{Days{1095}, kNow};  // of the years before yearly rotation
  const Key rotated = AfterRotation(key, RotationType::kAutomatic, Material('1'), kNow);
  EXPECT_EQ(rotated.rotation, (RotationSchedule{Days{365}, kNow + Days{365}}));
}

// Model is the same protocol told the naive way: plain numbers, whole days, one period at a time.
struct Model {
  enum { kOn, kOff, kPending } state = kOn;
  bool rotating = false;
  std::int64_t period = 0;
  std::int64_t next = 0;
  std::uint32_t rotations = 0;
  std::uint32_t on_demand = 0;

  // Each call returns whether it is allowed. A wanted period of 0 means that none was given.
  bool EnableRotation(std::int64_t wanted, std::int64_t today) {
    if (state != kOn) {
      return false;
    }
    if (!rotating) {
      period = wanted == 0 ? 365 : wanted;
      next = today + period;
    } else if (wanted != 0 && wanted != period) {
      period = wanted;
      next = today + period;
    }
    rotating = true;
    return true;
  }
  bool DisableRotation() {
    if (state != kOn) {
      return false;
    }
    rotating = false;
    return true;
  }
  bool Switch(bool on) {
    if (state == kPending) {
      return false;
    }
    state = on ? kOn : kOff;
    return true;
  }
  bool Schedule() {
    if (state == kPending) {
      return false;
    }
    state = kPending;
    return true;
  }
  bool Cancel() {
    if (state != kPending) {
      return false;
    }
    state = kOff;
    return true;
  }
  bool RotateOnDemand(std::int64_t today) {
    if (state != kOn || on_demand == 25 || (rotating && next <= today)) {
      return false;
    }
    ++rotations;
    ++on_demand;
    return true;
  }
  void CatchUp(std::int64_t today) {
    if (state == kOn && rotating && next <= today) {
      ++rotations;
      while (next <= today) {
        next += period;
      }
    }
  }
};

// Walk makes random calls on a key and on its model, with days passing in between.
class Walk {
 public:
  explicit Walk(std::uint32_t seed) : random_(seed) {}

  void Step() {
    bool expected = true;
    const Result<Key> after = Call(expected);
    ASSERT_EQ(after.has_value(), expected);
    key_ = after ? *after : key_;
    if (IsRotationDue(key_, At(day_))) {
      key_ = AfterRotation(key_, RotationType::kAutomatic, Material('e'), At(day_));
      ASSERT_FALSE(IsRotationDue(key_, At(day_))) << "at most one rotation catches up";
    }
    model_.CatchUp(day_);
    Compare();
  }

 private:
  std::int32_t Below(std::int32_t n) {
    return static_cast<std::int32_t>(random_() % static_cast<std::uint32_t>(n));
  }
  static TimePoint At(std::int64_t day) { return kNow + Millis{day * 86'400'000}; }

  Result<Key> Call(bool& expected) {
    switch (Below(10)) {
      case 0: {
        const std::int32_t period = Below(3) == 0 ? 0 : 90 + Below(400);
        expected = model_.EnableRotation(period, day_);
        return EnableKeyRotation(
            key_, period == 0 ? std::nullopt : std::optional<Days>(Days{period}), At(day_));
      }
      case 1:
        expected = model_.DisableRotation();
        return DisableKeyRotation(key_);
      case 2:
        expected = model_.Switch(false);
        return DisableKey(key_);
      case 3:
      case 4:
        expected = model_.Switch(true);
        return EnableKey(key_);
      case 5:
        expected = model_.Schedule();
        return ScheduleKeyDeletion(key_, Days{30}, At(day_));
      case 6:
        expected = model_.Cancel();
        return CancelKeyDeletion(key_);
      case 7: {
        expected = model_.RotateOnDemand(day_);
        KT_TRY(CheckRotateOnDemand(key_, At(day_)));
        return AfterRotation(key_, RotationType::kOnDemand, Material('f'), At(day_));
      }
      default:
        day_ += Below(Below(10) == 0 ? 2000 : 40);
        return key_;
    }
  }

  void Compare() {
    ASSERT_EQ(key_.generation, model_.rotations);
    ASSERT_EQ(key_.on_demand_rotations, model_.on_demand);
    const auto shown = RotationStatus(key_);
    ASSERT_EQ(shown.has_value(), model_.rotating && model_.state != Model::kPending);
    if (shown) {
      ASSERT_EQ(shown->period.count(), model_.period);
      ASSERT_EQ(shown->next, At(model_.next));
    }
  }

  std::mt19937 random_;
  Key key_ = NewKey();
  Model model_;
  std::int64_t day_ = 0;
};

TEST(RotationProperties, RandomWalkAgreesWithTheNaiveModel) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    Walk walk(seed);
    for (int step = 0; step < 600; ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step));
      walk.Step();
      if (testing::Test::HasFatalFailure()) {
        return;
      }
    }
  }
}

}  // namespace
}  // namespace keyturn::keys
