#include "api/ops/disable_key_rotation.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DisableKeyRotationResponse> Handle<api::op::DisableKeyRotation>(
    Call& call, const api::DisableKeyRotationRequest& /*request*/) {
  KT_ASSIGN(keys::Key changed, keys::DisableKeyRotation(call.key().key));
  ReplaceKey(call, call.key(), std::move(changed));
  return api::DisableKeyRotationResponse{};
}

}  // namespace keyturn::service
