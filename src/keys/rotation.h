// Rotation: when key material changes. Pure.
//
// docs/rotation.md tells the whole protocol; here is only the decision. NextRotationDate is the
// instant of enabling plus the period, then one period after each automatic rotation; after a pause
// at most one rotation catches up; a key that was disabled when due rotates when enabled; an
// on-demand rotation does not move the schedule.
// Source: as keys/key.h.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/time.h"
#include "keys/key.h"

namespace keyturn::keys {

inline constexpr Days kRotationPeriodDefault{365};
inline constexpr Days kRotationPeriodMin{90};
inline constexpr Days kRotationPeriodMax{2560};
inline constexpr std::uint32_t kOnDemandRotationsMax = 25;
// An on-demand rotation is refused when the automatic one begins within this time.
inline constexpr Millis kRotationConflictWindow = std::chrono::minutes(20);

// EnableKeyRotation: the period's range (kValidationException), state, then type
// (UnsupportedOperationException, empty for asymmetric and HMAC; with the origin's text otherwise),
// then the schedule: off -> now + period (365 if omitted); on with the same or no period ->
// unchanged; on with another -> now + that period. A key with manager AWS always gets 365 days,
// whatever is asked for.
Result<Key> EnableKeyRotation(Key key, std::optional<Days> period, TimePoint now);
// DisableKeyRotation: forgets the period; succeeds when already off, and on HMAC and asymmetric
// keys as AWS does; UnsupportedOperationException with the origin's text if the origin is not
// AWS_KMS.
Result<Key> DisableKeyRotation(Key key);

// RotationStatus: what GetKeyRotationStatus shows: nothing while PendingDeletion or never enabled.
std::optional<RotationSchedule> RotationStatus(const Key& key);

// PendingMaterial: what an EXTERNAL key could rotate to.
enum class PendingMaterial : std::uint8_t {
  kNone,
  kReady,
  kMissingInReplica,  // imported into the primary, not into every replica
};

// CheckRotateOnDemand: state, type, material pending rotation (EXTERNAL keys only:
// KMSInvalidStateException without it), limit of 25 (LimitExceededException with AWS's text), and
// ConflictException when the automatic rotation is due within 20 minutes.
Status CheckRotateOnDemand(const Key& key, TimePoint now,
                           PendingMaterial pending = PendingMaterial::kNone);

// IsRotationDue: enabled key, schedule on, date reached.
bool IsRotationDue(const Key& key, TimePoint now);

// IsOnDemandDue: an on-demand rotation was accepted delay ago. The state does not matter.
bool IsOnDemandDue(const Key& key, TimePoint now, Millis delay);

// AfterRotation: the key once new_material (generation + 1) is current. For kAutomatic, next is the
// first instant after now in steps of the period from the old date, at least one step: a clock that
// went back meanwhile does not cause a second rotation. For kOnDemand the schedule stays and the
// rotation is counted. The state does not matter: a rotation that was begun is completed.
Key AfterRotation(Key key, model::RotationType type, const model::MaterialId& new_material,
                  TimePoint now);

}  // namespace keyturn::keys
