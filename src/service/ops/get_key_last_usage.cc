#include "api/ops/get_key_last_usage.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::GetKeyLastUsageResponse> Handle<api::op::GetKeyLastUsage>(
    Call& call, const api::GetKeyLastUsageRequest& /*request*/) {
  const KeyEntry& entry = call.key();
  api::KeyLastUsageData data;  // empty: no use since tracking began
  if (const auto usage = entry.materials->usage().Read()) {
    data.operation = usage->operation;
    data.timestamp = usage->date;
    data.cloud_trail_event_id.emplace(usage->event_id.begin(), usage->event_id.end());
    data.kms_request_id.emplace(usage->request_id.begin(), usage->request_id.end());
  }
  return api::GetKeyLastUsageResponse{
      .key_id = std::string(entry.key.id.text()),
      .key_last_usage = std::move(data),
      .tracking_start_date = std::max(entry.key.creation_date, call.environment.usage_since),
      .key_creation_date = entry.key.creation_date};
}

}  // namespace keyturn::service
