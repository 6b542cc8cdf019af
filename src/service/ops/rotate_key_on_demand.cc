#include "api/ops/rotate_key_on_demand.h"

#include "service/ops/common.h"

namespace keyturn::service {
namespace {

// PendingMaterial: whether imported material waits for the rotation, in every region of the key.
keys::PendingMaterial PendingMaterialOf(const Call& call, const KeyEntry& entry) {
  const auto imports = ImportsOf(entry);
  const auto pending = keys::PendingOf(entry.key, imports);
  if (!pending || !imports[*pending].present) return keys::PendingMaterial::kNone;
  for (const KeyPtr& replica : ReplicasOf(call.view, entry.key)) {
    const MaterialPtr copy = replica->materials->At(*pending);
    if (!copy || !copy->present()) return keys::PendingMaterial::kMissingInReplica;
  }
  return keys::PendingMaterial::kReady;
}

}  // namespace

template <>
Result<api::RotateKeyOnDemandResponse> Handle<api::op::RotateKeyOnDemand>(
    Call& call, const api::RotateKeyOnDemandRequest& /*request*/) {
  const KeyEntry& entry = call.key();
  if (entry.key.on_demand_started) {
    // One rotation results, however often it is asked for.
    KT_TRY(keys::CheckState(entry.key, keys::KeyOperation::kRotateKeyOnDemand));
    return api::RotateKeyOnDemandResponse{.key_id = entry.key.arn()};
  }
  KT_TRY(keys::CheckRotateOnDemand(entry.key, call.now, PendingMaterialOf(call, entry)));
  if (call.environment.settle_delay > Millis::zero()) {
    keys::Key started = entry.key;
    started.on_demand_started = call.now;
    ReplaceKey(call, entry, std::move(started));  // the clockwork does the rest
    return api::RotateKeyOnDemandResponse{.key_id = entry.key.arn()};
  }
  KT_ASSIGN(const auto failures, RotateKeys(*call.txn, call.environment, {call.targets.front().key},
                                            model::RotationType::kOnDemand, call.now));
  if (!failures.empty()) {
    return Fail(ErrorCode::kKMSInternalException, {}, failures.front().error.message);
  }
  return api::RotateKeyOnDemandResponse{.key_id = entry.key.arn()};
}

}  // namespace keyturn::service
