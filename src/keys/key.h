// Key: the domain record of one KMS key, and what may be done with it in which state. Pure: no I/O,
// no clock; the instant is passed in.
//
// Thread-safety: values.
// Source: KMS Developer Guide "Key states of AWS KMS keys" and "Rotate AWS KMS keys"; API model
// 2014-11-01; recorded AWS responses where guide and service differ.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "model/enums.h"
#include "model/ids.h"

namespace keyturn::keys {

struct RotationSchedule {
  Days period{365};
  TimePoint next;  // NextRotationDate: earliest instant of the next automatic rotation
  bool operator==(const RotationSchedule&) const = default;
};

// Custody: where the key of a custom key store is.
struct Custody {
  std::string store;         // CustomKeyStoreId
  std::string external_key;  // XksKeyId; empty in a token, where the KMS key's own id is its label
  bool operator==(const Custody&) const = default;
};

struct Key {
  model::KeyId id;
  model::AccountId account;
  model::Region region;
  model::KeyManager manager = model::KeyManager::kCustomer;
  model::KeySpec spec = model::KeySpec::kSymmetricDefault;
  model::KeyUsage usage = model::KeyUsage::kEncryptDecrypt;
  model::Origin origin = model::Origin::kAwsKms;
  bool multi_region = false;
  model::KeyState state = model::KeyState::kEnabled;
  TimePoint creation_date;
  std::optional<TimePoint> deletion_date;  // only in PendingDeletion
  std::optional<Days> deletion_window;     // only in PendingReplicaDeletion
  // primary_region is where the primary of a multi-Region key is; empty for a single-Region key.
  model::Region primary_region;
  // settles: when the transient state Creating or Updating ends; only in these.
  std::optional<TimePoint> settles;
  // on_demand_started: when an on-demand rotation was accepted that is still under way.
  std::optional<TimePoint> on_demand_started;
  // custody: null for a key whose material is here alone.
  std::shared_ptr<const Custody> custody;
  // resumes: the state that an Unavailable key has again when its store is connected. Only in
  // Unavailable, which is how a view shows a key and is never stored.
  std::optional<model::KeyState> resumes;
  // rotation is kept while a key is Disabled or PendingDeletion: it comes back on cancel. A replica
  // has none: its primary's counts.
  std::optional<RotationSchedule> rotation;
  std::uint32_t on_demand_rotations = 0;  // completed over the key's life; at most 25
  std::uint32_t generation = 0;           // of the current material, from 0
  model::MaterialId current_material;
  std::string description;
  std::uint64_t version = 0;  // compare-and-set: counts stored changes, 0 = not stored yet

  std::string arn() const;
  bool is_replica() const { return multi_region && primary_region != region; }
  bool is_primary() const { return multi_region && primary_region == region; }
  // has_material: there is or was a material; false before the first import.
  bool has_material() const { return current_material != model::MaterialId(); }
};

// KeyOperation: the operations that depend on a key's state.
enum class KeyOperation : std::uint8_t {
  kCancelKeyDeletion,
  kCreateAlias,
  kCreateGrant,
  kDecrypt,
  kDeleteAlias,
  kDeleteImportedKeyMaterial,
  kDeriveSharedSecret,
  kDescribeKey,
  kDisableKey,
  kDisableKeyRotation,
  kEnableKey,
  kEnableKeyRotation,
  kEncrypt,
  kGenerateDataKey,  // and WithoutPlaintext, and pairs
  kGenerateMac,
  kGetKeyPolicy,
  kGetKeyRotationStatus,
  kGetParametersForImport,
  kGetPublicKey,
  kImportKeyMaterial,
  kListAliases,
  kListKeyPolicies,
  kListKeyRotations,
  kListResourceTags,
  kPutKeyPolicy,
  kReEncrypt,
  kReplicateKey,
  kRotateKeyOnDemand,
  kScheduleKeyDeletion,
  kSign,
  kTagResource,
  kUntagResource,
  kUpdateAliasNewTarget,
  kUpdateKeyDescription,
  kUpdatePrimaryRegion,
  kVerify,
  kVerifyMac,
};

// CheckState says whether the state allows the operation: DisabledException,
// KMSInvalidStateException with AWS's texts, or nothing. It says nothing about type and usage, with
// one exception that AWS makes too: in states which only an imported or externally stored key can
// have (PendingImport, Unavailable), EnableKeyRotation and DisableKeyRotation are refused for the
// key's origin (UnsupportedOperationException), not for its state.
Status CheckState(const Key& key, KeyOperation operation);

inline constexpr Days kDeletionWindowMin{7};
inline constexpr Days kDeletionWindowMax{30};

// Transitions. Each returns the changed key; none checks authorization. They include CheckState.
// EnableKey, DisableKey: succeed without effect on a key that is in that state already. They leave
// Unavailable as it is, since only a connected key store ends that state, and set what it resumes.
Result<Key> EnableKey(Key key);
Result<Key> DisableKey(Key key);
// ScheduleKeyDeletion: window 7..30 days, else kValidationException. A primary with replicas waits
// in PendingReplicaDeletion; its window begins when the last of them is gone.
Result<Key> ScheduleKeyDeletion(Key key, Days window, TimePoint now, bool has_replicas = false);
// CancelKeyDeletion: the key becomes Disabled, or PendingImport if a material is missing; its
// rotation schedule is as it was.
Result<Key> CancelKeyDeletion(Key key, bool lacks_material = false);

// WhileDisconnected is how a key of a custom key store is seen while that is not connected:
// Unavailable, unless its deletion is pending. Stored is the way back.
Key WhileDisconnected(Key key);
Key Stored(Key key);

// CheckHere refuses what no key of a custom key store does (UnsupportedOperationException, the
// origin's text).
Status CheckHere(const Key& key);

// IsDeletionDue: PendingDeletion and the date has come.
bool IsDeletionDue(const Key& key, TimePoint now);

}  // namespace keyturn::keys
