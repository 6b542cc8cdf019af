// PutKeyPolicy: replaces the key policy.
// Source: KMS API model 2014-11-01, PutKeyPolicy.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/operation.h"
#include "api/patterns.h"
#include "api/shape.h"
#include "api/structures.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"
#include "model/enums.h"

namespace keyturn::api {

struct PutKeyPolicyRequest {
  std::string key_id;
  std::optional<std::string> policy_name;
  std::string policy;
  std::optional<bool> bypass_policy_lockout_safety_check;
};

template <>
inline constexpr auto kShape<PutKeyPolicyRequest> = std::tuple{
    Member{"KeyId", &PutKeyPolicyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"PolicyName", &PutKeyPolicyRequest::policy_name, Length{1, 128}, &pattern::kPolicyName},
    Member{"Policy", &PutKeyPolicyRequest::policy, kRequired, Length{1, 131072}, &pattern::kPolicy},
    Member{"BypassPolicyLockoutSafetyCheck",
           &PutKeyPolicyRequest::bypass_policy_lockout_safety_check},
};

struct PutKeyPolicyResponse {};

template <>
inline constexpr auto kShape<PutKeyPolicyResponse> = std::tuple<>{};

namespace op {
struct PutKeyPolicy {
  using Request = PutKeyPolicyRequest;
  using Response = PutKeyPolicyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kPutKeyPolicy,
                                       .name = "PutKeyPolicy",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
