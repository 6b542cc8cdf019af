#include "api/ops/get_key_rotation_status.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::GetKeyRotationStatusResponse> Handle<api::op::GetKeyRotationStatus>(
    Call& call, const api::GetKeyRotationStatusRequest& /*request*/) {
  const keys::Key& key = call.key().key;
  KT_TRY(keys::CheckState(key, keys::KeyOperation::kGetKeyRotationStatus));
  api::GetKeyRotationStatusResponse response;
  response.key_id = key.arn();
  // A replica shows its primary's setting, by its own state.
  keys::Key shown = key;
  if (const KeyPtr primary = PrimaryOf(call.view, key)) {
    shown.rotation = primary->key.rotation;
    shown.on_demand_started = primary->key.on_demand_started;
  }
  const auto schedule = keys::RotationStatus(shown);
  response.key_rotation_enabled = schedule.has_value();
  if (schedule) {
    response.rotation_period_in_days = schedule->period.count();
    response.next_rotation_date = schedule->next;
  }
  response.on_demand_rotation_start_date = shown.on_demand_started;
  return response;
}

}  // namespace keyturn::service
