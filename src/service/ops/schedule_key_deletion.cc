#include "api/ops/schedule_key_deletion.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ScheduleKeyDeletionResponse> Handle<api::op::ScheduleKeyDeletion>(
    Call& call, const api::ScheduleKeyDeletionRequest& request) {
  constexpr std::int32_t kWindowDefaultDays = 30;
  const KeyEntry& entry = call.key();
  const Days window{request.pending_window_in_days.value_or(kWindowDefaultDays)};
  KT_ASSIGN(keys::Key changed,
            keys::ScheduleKeyDeletion(entry.key, window, call.now,
                                      !ReplicasOf(call.view, entry.key).empty()));
  api::ScheduleKeyDeletionResponse response{.key_id = changed.arn(),
                                            .deletion_date = changed.deletion_date,
                                            .key_state = changed.state,
                                            .pending_window_in_days = window.count()};
  ReplaceKey(call, entry, std::move(changed));
  return response;
}

}  // namespace keyturn::service
