#include "api/ops/list_key_policies.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ListKeyPoliciesResponse> Handle<api::op::ListKeyPolicies>(
    Call& call, const api::ListKeyPoliciesRequest& request) {
  KT_TRY(keys::CheckState(call.key().key, keys::KeyOperation::kListKeyPolicies));
  KT_TRY(ReadPage(call, "ListKeyPolicies", request.marker, request.limit, 1));
  return api::ListKeyPoliciesResponse{.policy_names = std::vector<std::string>{"default"},
                                      .next_marker = std::nullopt,
                                      .truncated = false};
}

}  // namespace keyturn::service
