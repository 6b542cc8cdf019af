#include "api/ops/get_key_policy.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::GetKeyPolicyResponse> Handle<api::op::GetKeyPolicy>(
    Call& call, const api::GetKeyPolicyRequest& request) {
  if (request.policy_name && *request.policy_name != "default") {
    return Fail(ErrorCode::kNotFoundException, "No such policy exists");
  }
  return api::GetKeyPolicyResponse{.policy = *call.key().policy->text, .policy_name = "default"};
}

}  // namespace keyturn::service
