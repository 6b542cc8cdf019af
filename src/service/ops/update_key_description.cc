#include "api/ops/update_key_description.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::UpdateKeyDescriptionResponse> Handle<api::op::UpdateKeyDescription>(
    Call& call, const api::UpdateKeyDescriptionRequest& request) {
  keys::Key changed = call.key().key;
  KT_TRY(keys::CheckState(changed, keys::KeyOperation::kUpdateKeyDescription));
  changed.description = request.description;
  ReplaceKey(call, call.key(), std::move(changed));
  return api::UpdateKeyDescriptionResponse{};
}

}  // namespace keyturn::service
