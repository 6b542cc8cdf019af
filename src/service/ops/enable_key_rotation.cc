#include "api/ops/enable_key_rotation.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::EnableKeyRotationResponse> Handle<api::op::EnableKeyRotation>(
    Call& call, const api::EnableKeyRotationRequest& request) {
  std::optional<Days> period;
  if (request.rotation_period_in_days) period = Days{*request.rotation_period_in_days};
  KT_ASSIGN(keys::Key changed, keys::EnableKeyRotation(call.key().key, period, call.now));
  ReplaceKey(call, call.key(), std::move(changed));
  return api::EnableKeyRotationResponse{};
}

}  // namespace keyturn::service
