// GetKeyPolicy: returns the key policy.
// Source: KMS API model 2014-11-01, GetKeyPolicy.
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

struct GetKeyPolicyRequest {
  std::string key_id;
  std::optional<std::string> policy_name;
};

template <>
inline constexpr auto kShape<GetKeyPolicyRequest> = std::tuple{
    Member{"KeyId", &GetKeyPolicyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"PolicyName", &GetKeyPolicyRequest::policy_name, Length{1, 128}, &pattern::kPolicyName},
};

struct GetKeyPolicyResponse {
  std::optional<std::string> policy;
  std::optional<std::string> policy_name;
};

template <>
inline constexpr auto kShape<GetKeyPolicyResponse> = std::tuple{
    Member{"Policy", &GetKeyPolicyResponse::policy, Length{1, 131072}, &pattern::kPolicy},
    Member{"PolicyName", &GetKeyPolicyResponse::policy_name, Length{1, 128}, &pattern::kPolicyName},
};

namespace op {
struct GetKeyPolicy {
  using Request = GetKeyPolicyRequest;
  using Response = GetKeyPolicyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGetKeyPolicy,
                                       .name = "GetKeyPolicy",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
