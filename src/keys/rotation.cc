#include "keys/rotation.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "keys/wrong_origin.h"
#include "model/enums.h"

namespace keyturn::keys {
namespace {

bool IsSymmetricEncryption(const Key& key) { return key.spec == model::KeySpec::kSymmetricDefault; }

// CheckNotReplica: a replica's rotation is its primary's.
Status CheckNotReplica(const Key& key, std::string_view operation) {
  if (!key.is_replica()) {
    return {};
  }
  return Fail(ErrorCode::kUnsupportedOperationException,
              fmt::format("{} is a multi-region replica key which is not valid for {}.", key.arn(),
                          operation));
}

Status CheckPendingMaterial(const Key& key, PendingMaterial pending) {
  switch (pending) {
    case PendingMaterial::kReady:
      return {};
    case PendingMaterial::kMissingInReplica:
      return Fail(ErrorCode::kKMSInvalidStateException,
                  "Cannot perform key material rotation: Key material has not been imported for "
                  "replicas of the Multi-Region key.");
    case PendingMaterial::kNone:
      break;
  }
  return Fail(
      ErrorCode::kKMSInvalidStateException,
      fmt::format("No available key material pending rotation for the key: {}.", key.arn()));
}

Status CheckPeriod(Days period) {
  const bool low = period < kRotationPeriodMin;
  if (!low && period <= kRotationPeriodMax) {
    return {};
  }
  return Fail(
      ErrorCode::kValidationException,
      fmt::format("1 validation error detected: Value '{}' at 'rotationPeriodInDays' failed to "
                  "satisfy constraint: Member must have value {} than or equal to {}",
                  period.count(), low ? "greater" : "less",
                  (low ? kRotationPeriodMin : kRotationPeriodMax).count()));
}

}  // namespace

Result<Key> EnableKeyRotation(Key key, std::optional<Days> period, TimePoint now) {
  if (period) {
    KT_TRY(CheckPeriod(*period));
  }
  KT_TRY(CheckState(key, KeyOperation::kEnableKeyRotation));
  if (!IsSymmetricEncryption(key)) {
    return Fail(ErrorCode::kUnsupportedOperationException);
  }
  if (key.origin != model::Origin::kAwsKms) {
    return WrongOrigin(key);
  }
  KT_TRY(CheckNotReplica(key, "EnableKeyRotation"));
  if (key.manager == model::KeyManager::kAws) {
    period = kRotationPeriodDefault;
  }
  if (!key.rotation) {
    const Days length = period.value_or(kRotationPeriodDefault);
    key.rotation = RotationSchedule{length, now + length};
  } else if (period && *period != key.rotation->period) {
    key.rotation = RotationSchedule{*period, now + *period};
  }
  return key;
}

Result<Key> DisableKeyRotation(Key key) {
  KT_TRY(CheckState(key, KeyOperation::kDisableKeyRotation));
  if (key.origin != model::Origin::kAwsKms) {
    return WrongOrigin(key);
  }
  KT_TRY(CheckNotReplica(key, "DisableKeyRotation"));
  key.rotation.reset();
  return key;
}

std::optional<RotationSchedule> RotationStatus(const Key& key) {
  // In PendingReplicaDeletion the schedule is still shown, because the window has not begun.
  if (key.state == model::KeyState::kPendingDeletion) {
    return std::nullopt;
  }
  return key.rotation;
}

Status CheckRotateOnDemand(const Key& key, TimePoint now, PendingMaterial pending) {
  KT_TRY(CheckState(key, KeyOperation::kRotateKeyOnDemand));
  if (!IsSymmetricEncryption(key)) {
    return Fail(ErrorCode::kUnsupportedOperationException);
  }
  KT_TRY(CheckNotReplica(key, "RotateKeyOnDemand"));
  if (key.origin == model::Origin::kExternal) {
    KT_TRY(CheckPendingMaterial(key, pending));
  } else if (key.origin != model::Origin::kAwsKms) {
    return WrongOrigin(key);
  }
  if (key.on_demand_rotations >= kOnDemandRotationsMax) {
    return Fail(
        ErrorCode::kLimitExceededException,
        fmt::format("The on-demand rotations limit has been reached for the given keyId. No more "
                    "on-demand rotations can be performed for this key: {}",
                    key.arn()));
  }
  if (key.rotation && key.rotation->next <= now + kRotationConflictWindow) {
    return Fail(
        ErrorCode::kConflictException,
        fmt::format("{} is being rotated automatically, or will be within 20 minutes.", key.arn()));
  }
  return {};
}

bool IsRotationDue(const Key& key, TimePoint now) {
  return key.state == model::KeyState::kEnabled && key.rotation && key.rotation->next <= now;
}

bool IsOnDemandDue(const Key& key, TimePoint now, Millis delay) {
  return key.on_demand_started && *key.on_demand_started + delay <= now;
}

Key AfterRotation(Key key, model::RotationType type, const model::MaterialId& new_material,
                  TimePoint now) {
  key.current_material = new_material;
  ++key.generation;
  if (type == model::RotationType::kOnDemand) {
    ++key.on_demand_rotations;
    key.on_demand_started.reset();
    return key;
  }
  if (key.rotation) {
    if (key.manager == model::KeyManager::kAws) {
      key.rotation->period = kRotationPeriodDefault;
    }
    const Millis period = key.rotation->period;
    const Millis late = now - key.rotation->next;
    const std::int64_t steps = late < Millis::zero() ? 1 : late / period + 1;
    key.rotation->next += steps * period;
  }
  return key;
}

}  // namespace keyturn::keys
