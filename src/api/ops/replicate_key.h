// ReplicateKey: makes a replica in another Region.
// Source: KMS API model 2014-11-01, ReplicateKey.
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

struct ReplicateKeyRequest {
  std::string key_id;
  std::string replica_region;
  std::optional<std::string> policy;
  std::optional<bool> bypass_policy_lockout_safety_check;
  std::optional<std::string> description;
  std::optional<std::vector<Tag>> tags;
};

template <>
inline constexpr auto kShape<ReplicateKeyRequest> = std::tuple{
    Member{"KeyId", &ReplicateKeyRequest::key_id, kRequired, Length{1, 2048}},
    Member{"ReplicaRegion", &ReplicateKeyRequest::replica_region, kRequired, Length{1, 32},
           &pattern::kRegion},
    Member{"Policy", &ReplicateKeyRequest::policy, Length{1, 131072}, &pattern::kPolicy},
    Member{"BypassPolicyLockoutSafetyCheck",
           &ReplicateKeyRequest::bypass_policy_lockout_safety_check},
    Member{"Description", &ReplicateKeyRequest::description, Length{0, 8192}},
    Member{"Tags", &ReplicateKeyRequest::tags},
};

struct ReplicateKeyResponse {
  std::optional<KeyMetadata> replica_key_metadata;
  std::optional<std::string> replica_policy;
  std::optional<std::vector<Tag>> replica_tags;
};

template <>
inline constexpr auto kShape<ReplicateKeyResponse> = std::tuple{
    Member{"ReplicaKeyMetadata", &ReplicateKeyResponse::replica_key_metadata},
    Member{"ReplicaPolicy", &ReplicateKeyResponse::replica_policy, Length{1, 131072},
           &pattern::kPolicy},
    Member{"ReplicaTags", &ReplicateKeyResponse::replica_tags},
};

namespace op {
struct ReplicateKey {
  using Request = ReplicateKeyRequest;
  using Response = ReplicateKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kReplicateKey,
                                       .name = "ReplicateKey",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
