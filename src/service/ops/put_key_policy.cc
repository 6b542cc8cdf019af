#include "api/ops/put_key_policy.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::PutKeyPolicyResponse> Handle<api::op::PutKeyPolicy>(
    Call& call, const api::PutKeyPolicyRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckState(entry.key, keys::KeyOperation::kPutKeyPolicy));
  if (request.policy_name && *request.policy_name != "default") {
    return Fail(ErrorCode::kNotFoundException, "No such policy exists");
  }
  const bool bypass = request.bypass_policy_lockout_safety_check.value_or(false);
  KeyEntry next = entry;
  KT_ASSIGN(next.policy, StorablePolicy(call, request.policy, entry, bypass));
  call.txn->PutKey(std::move(next));
  return api::PutKeyPolicyResponse{};
}

}  // namespace keyturn::service
