#include "keys/key.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "keys/wrong_origin.h"
#include "model/arn.h"

namespace keyturn::keys {
namespace {

using model::KeyState;

// What a state does to an operation.
enum class Outcome : std::uint8_t {
  kOk,
  kDisabled,
  kPendingDeletion,  // "is pending deletion", or "is pending replica deletion"
  kNotPendingDeletion,
  kPendingImport,
  kUnavailable,
  kCreating,
  kUpdating,
  kOrigin,  // the state tells that the origin is not AWS_KMS, and that is what AWS reports
};

struct Rule {
  KeyOperation operation;
  // In the order of the states Enabled, Disabled, PendingDeletion (and PendingReplicaDeletion),
  // PendingImport, Unavailable, Creating, Updating.
  std::array<Outcome, 7> outcomes;
};

constexpr Outcome kOk = Outcome::kOk;
constexpr Outcome kD = Outcome::kDisabled;
constexpr Outcome kP = Outcome::kPendingDeletion;
constexpr Outcome kNP = Outcome::kNotPendingDeletion;
constexpr Outcome kI = Outcome::kPendingImport;
constexpr Outcome kU = Outcome::kUnavailable;
constexpr Outcome kCr = Outcome::kCreating;
constexpr Outcome kUp = Outcome::kUpdating;
constexpr Outcome kX = Outcome::kOrigin;

// Source: KMS Developer Guide, "Key states of AWS KMS keys", corrected by recorded responses of
// 2026: management of a disabled key is allowed, PutKeyPolicy works while a deletion is pending.
// In the order of KeyOperation, so that a row is found by its number.
constexpr Rule kRules[] = {
    {KeyOperation::kCancelKeyDeletion, {kNP, kNP, kOk, kNP, kNP, kNP, kNP}},
    {KeyOperation::kCreateAlias, {kOk, kOk, kP, kOk, kOk, kOk, kOk}},
    {KeyOperation::kCreateGrant, {kOk, kD, kP, kI, kOk, kCr, kOk}},
    {KeyOperation::kDecrypt, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kDeleteAlias, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kDeleteImportedKeyMaterial, {kOk, kOk, kOk, kOk, kX, kCr, kUp}},
    {KeyOperation::kDeriveSharedSecret, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kDescribeKey, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kDisableKey, {kOk, kOk, kP, kI, kOk, kCr, kUp}},
    {KeyOperation::kDisableKeyRotation, {kOk, kD, kP, kX, kX, kCr, kOk}},
    {KeyOperation::kEnableKey, {kOk, kOk, kP, kI, kOk, kCr, kUp}},
    {KeyOperation::kEnableKeyRotation, {kOk, kD, kP, kX, kX, kCr, kOk}},
    {KeyOperation::kEncrypt, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kGenerateDataKey, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kGenerateMac, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kGetKeyPolicy, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    // The guide of 2023 refuses this one for keys of custom key stores; the API text of today says
    // that their status is always false.
    {KeyOperation::kGetKeyRotationStatus, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kGetParametersForImport, {kOk, kOk, kP, kOk, kX, kCr, kUp}},
    {KeyOperation::kGetPublicKey, {kOk, kOk, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kImportKeyMaterial, {kOk, kOk, kP, kOk, kX, kCr, kOk}},
    {KeyOperation::kListAliases, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kListKeyPolicies, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kListKeyRotations, {kOk, kOk, kOk, kOk, kX, kOk, kOk}},
    {KeyOperation::kListResourceTags, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kPutKeyPolicy, {kOk, kOk, kOk, kOk, kOk, kOk, kOk}},
    {KeyOperation::kReEncrypt, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kReplicateKey, {kOk, kD, kP, kI, kU, kCr, kUp}},
    {KeyOperation::kRotateKeyOnDemand, {kOk, kD, kP, kI, kX, kCr, kOk}},
    {KeyOperation::kScheduleKeyDeletion, {kOk, kOk, kP, kOk, kOk, kOk, kUp}},
    {KeyOperation::kSign, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kTagResource, {kOk, kOk, kP, kOk, kOk, kOk, kOk}},
    {KeyOperation::kUntagResource, {kOk, kOk, kP, kOk, kOk, kOk, kOk}},
    {KeyOperation::kUpdateAliasNewTarget, {kOk, kOk, kP, kOk, kOk, kOk, kOk}},
    {KeyOperation::kUpdateKeyDescription, {kOk, kOk, kP, kOk, kOk, kOk, kOk}},
    {KeyOperation::kUpdatePrimaryRegion, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kVerify, {kOk, kD, kP, kI, kU, kCr, kOk}},
    {KeyOperation::kVerifyMac, {kOk, kD, kP, kI, kU, kCr, kOk}},
};

constexpr bool RulesAreInOrder() {
  std::size_t number = 0;
  for (const Rule& rule : kRules) {
    if (static_cast<std::size_t>(rule.operation) != number++) {
      return false;
    }
  }
  return number == static_cast<std::size_t>(KeyOperation::kVerifyMac) + 1;
}
static_assert(RulesAreInOrder());

std::size_t Column(KeyState state) {
  switch (state) {
    case KeyState::kEnabled:
      return 0;
    case KeyState::kDisabled:
      return 1;
    case KeyState::kPendingDeletion:
    case KeyState::kPendingReplicaDeletion:
      return 2;
    case KeyState::kPendingImport:
      return 3;
    case KeyState::kUnavailable:
      return 4;
    case KeyState::kCreating:
      return 5;
    case KeyState::kUpdating:
      return 6;
  }
  KT_CHECK(false);
}

tl::unexpected<Error> InvalidState(const Key& key, std::string_view what) {
  return Fail(ErrorCode::kKMSInvalidStateException, fmt::format("{} is {}.", key.arn(), what));
}

}  // namespace

std::string Key::arn() const { return model::KeyArn(region, account, id); }

Status CheckState(const Key& key, KeyOperation operation) {
  switch (kRules[static_cast<std::size_t>(operation)].outcomes[Column(key.state)]) {
    case Outcome::kOk:
      return {};
    case Outcome::kDisabled:
      return Fail(ErrorCode::kDisabledException, key.arn() + " is disabled.");
    case Outcome::kPendingDeletion:
      return InvalidState(key, key.state == KeyState::kPendingReplicaDeletion
                                   ? "pending replica deletion"
                                   : "pending deletion");
    case Outcome::kNotPendingDeletion:
      return InvalidState(key, "not pending deletion");
    case Outcome::kPendingImport:
      return InvalidState(key, "pending import");
    case Outcome::kUnavailable:
      return InvalidState(key, "unavailable");
    case Outcome::kCreating:
      return InvalidState(key, "creating");
    case Outcome::kUpdating:
      return InvalidState(key, "updating");
    case Outcome::kOrigin:
      return WrongOrigin(key);
  }
  KT_CHECK(false);
}

Result<Key> EnableKey(Key key) {
  KT_TRY(CheckState(key, KeyOperation::kEnableKey));
  if (key.state == KeyState::kDisabled) {
    key.state = KeyState::kEnabled;
  } else if (key.state == KeyState::kUnavailable) {
    key.resumes = KeyState::kEnabled;
  }
  return key;
}

Result<Key> DisableKey(Key key) {
  KT_TRY(CheckState(key, KeyOperation::kDisableKey));
  if (key.state == KeyState::kEnabled) {
    key.state = KeyState::kDisabled;
  } else if (key.state == KeyState::kUnavailable) {
    key.resumes = KeyState::kDisabled;
  }
  return key;
}

Result<Key> ScheduleKeyDeletion(Key key, Days window, TimePoint now, bool has_replicas) {
  if (window < kDeletionWindowMin || window > kDeletionWindowMax) {
    const bool low = window < kDeletionWindowMin;
    return Fail(
        ErrorCode::kValidationException,
        fmt::format("1 validation error detected: Value '{}' at 'pendingWindowInDays' failed to "
                    "satisfy constraint: Member must have value {} than or equal to {}",
                    window.count(), low ? "greater" : "less",
                    (low ? kDeletionWindowMin : kDeletionWindowMax).count()));
  }
  KT_TRY(CheckState(key, KeyOperation::kScheduleKeyDeletion));
  key.settles.reset();
  key.resumes.reset();
  if (has_replicas) {
    key.state = KeyState::kPendingReplicaDeletion;
    key.deletion_window = window;
  } else {
    key.state = KeyState::kPendingDeletion;
    key.deletion_date = now + window;
  }
  return key;
}

Result<Key> CancelKeyDeletion(Key key, bool lacks_material) {
  KT_TRY(CheckState(key, KeyOperation::kCancelKeyDeletion));
  const bool never_imported = key.origin == model::Origin::kExternal && !key.has_material();
  key.state = never_imported || lacks_material ? KeyState::kPendingImport : KeyState::kDisabled;
  key.deletion_date.reset();
  key.deletion_window.reset();
  return key;
}

Key WhileDisconnected(Key key) {
  if (key.state == KeyState::kEnabled || key.state == KeyState::kDisabled) {
    key.resumes = key.state;
    key.state = KeyState::kUnavailable;
  }
  return key;
}

Key Stored(Key key) {
  if (key.state == KeyState::kUnavailable && key.resumes) key.state = *key.resumes;
  key.resumes.reset();
  return key;
}

Status CheckHere(const Key& key) {
  if (key.custody == nullptr) return {};
  return WrongOrigin(key);
}

bool IsDeletionDue(const Key& key, TimePoint now) {
  return key.state == KeyState::kPendingDeletion && key.deletion_date && *key.deletion_date <= now;
}

}  // namespace keyturn::keys
