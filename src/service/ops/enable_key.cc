#include "api/ops/enable_key.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::EnableKeyResponse> Handle<api::op::EnableKey>(
    Call& call, const api::EnableKeyRequest& /*request*/) {
  KT_ASSIGN(keys::Key changed, keys::EnableKey(call.key().key));
  ReplaceKey(call, call.key(), std::move(changed));
  return api::EnableKeyResponse{};
}

}  // namespace keyturn::service
