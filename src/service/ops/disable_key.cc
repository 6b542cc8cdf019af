#include "api/ops/disable_key.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DisableKeyResponse> Handle<api::op::DisableKey>(
    Call& call, const api::DisableKeyRequest& /*request*/) {
  KT_ASSIGN(keys::Key changed, keys::DisableKey(call.key().key));
  ReplaceKey(call, call.key(), std::move(changed));
  return api::DisableKeyResponse{};
}

}  // namespace keyturn::service
