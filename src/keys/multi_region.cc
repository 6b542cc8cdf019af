#include "keys/multi_region.h"

#include <fmt/format.h>

#include <utility>

#include "model/enums.h"

namespace keyturn::keys {

using model::KeyState;

Status CheckReplicate(const Key& primary, const std::string& region, bool exists) {
  KT_TRY(CheckState(primary, KeyOperation::kReplicateKey));
  if (!primary.is_primary()) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                primary.arn() + " is not a multi-region primary key.");
  }
  if (region == primary.region.name()) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("{} cannot have a replica because it contains the primary.", region));
  }
  if (!model::IsKnownRegion(region)) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Region {} is not a valid Region or multi-Region keys are not "
                            "supported in Region {}.",
                            region, region));
  }
  if (model::PartitionOf(region) != primary.region.partition()) {
    return Fail(
        ErrorCode::kValidationException,
        "The replica key Region must be in the same AWS partition as the primary key Region.");
  }
  if (exists) {
    return Fail(ErrorCode::kAlreadyExistsException,
                "You can create only one replica of each primary key in each AWS Region.");
  }
  return {};
}

Key MakeReplica(const Key& primary, model::Region region, std::string description, TimePoint now,
                TimePoint settles) {
  Key replica = primary;
  replica.region = region;
  replica.state = KeyState::kCreating;
  replica.settles = settles;
  replica.creation_date = now;
  replica.deletion_date.reset();
  replica.deletion_window.reset();
  replica.rotation.reset();
  replica.on_demand_rotations = 0;
  replica.on_demand_started.reset();
  replica.description = std::move(description);
  replica.version = 0;
  return replica;
}

Status CheckUpdatePrimary(const Key& primary, const std::string& region, const Key* replica) {
  KT_TRY(CheckState(primary, KeyOperation::kUpdatePrimaryRegion));
  if (!primary.multi_region) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                primary.arn() + " is not a multi-Region primary key.");
  }
  if (primary.is_replica()) {
    return Fail(ErrorCode::kKMSInvalidStateException,
                primary.arn() + " is not a multi-Region primary key.");
  }
  if (region == primary.region.name()) {
    return {};
  }
  if (replica == nullptr) {
    return Fail(
        ErrorCode::kValidationException,
        fmt::format("{} does not have a replica key in the specified Region.", primary.id.text()));
  }
  return CheckState(*replica, KeyOperation::kUpdatePrimaryRegion);
}

Swapped SwapPrimary(Key primary, Key replica, TimePoint settles) {
  primary.primary_region = replica.region;
  replica.primary_region = replica.region;
  replica.rotation = std::exchange(primary.rotation, std::nullopt);
  replica.on_demand_rotations = std::exchange(primary.on_demand_rotations, 0U);
  replica.on_demand_started = std::exchange(primary.on_demand_started, std::nullopt);
  for (Key* key : {&primary, &replica}) {
    key->state = KeyState::kUpdating;
    key->settles = settles;
  }
  return {std::move(primary), std::move(replica)};
}

bool IsSettlingDue(const Key& key, TimePoint now) { return key.settles && *key.settles <= now; }

Key Settle(Key key, bool lacks_material) {
  key.settles.reset();
  if (key.state == KeyState::kCreating || key.state == KeyState::kUpdating) {
    key.state = lacks_material ? KeyState::kPendingImport : KeyState::kEnabled;
  }
  return key;
}

Key AfterLastReplica(Key key, TimePoint now) {
  if (key.state == KeyState::kPendingReplicaDeletion && key.deletion_window) {
    key.state = KeyState::kPendingDeletion;
    key.deletion_date = now + *key.deletion_window;
    key.deletion_window.reset();
  }
  return key;
}

}  // namespace keyturn::keys
