// CreateKey: creates a key and its first material.
// Source: KMS API model 2014-11-01, CreateKey.
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

struct CreateKeyRequest {
  std::optional<std::string> policy;
  std::optional<std::string> description;
  std::optional<model::KeyUsage> key_usage;
  std::optional<model::KeySpec> customer_master_key_spec;
  std::optional<model::KeySpec> key_spec;
  std::optional<model::Origin> origin;
  std::optional<std::string> custom_key_store_id;
  std::optional<bool> bypass_policy_lockout_safety_check;
  std::optional<std::vector<Tag>> tags;
  std::optional<bool> multi_region;
  std::optional<std::string> xks_key_id;
};

template <>
inline constexpr auto kShape<CreateKeyRequest> = std::tuple{
    Member{"Policy", &CreateKeyRequest::policy, Length{1, 131072}, &pattern::kPolicy},
    Member{"Description", &CreateKeyRequest::description, Length{0, 8192}},
    Member{"KeyUsage", &CreateKeyRequest::key_usage},
    Member{"CustomerMasterKeySpec", &CreateKeyRequest::customer_master_key_spec},
    Member{"KeySpec", &CreateKeyRequest::key_spec},
    Member{"Origin", &CreateKeyRequest::origin},
    Member{"CustomKeyStoreId", &CreateKeyRequest::custom_key_store_id, Length{1, 64}},
    Member{"BypassPolicyLockoutSafetyCheck", &CreateKeyRequest::bypass_policy_lockout_safety_check},
    Member{"Tags", &CreateKeyRequest::tags},
    Member{"MultiRegion", &CreateKeyRequest::multi_region},
    Member{"XksKeyId", &CreateKeyRequest::xks_key_id, Length{1, 128}, &pattern::kXksKeyId},
};

struct CreateKeyResponse {
  std::optional<KeyMetadata> key_metadata;
};

template <>
inline constexpr auto kShape<CreateKeyResponse> = std::tuple{
    Member{"KeyMetadata", &CreateKeyResponse::key_metadata},
};

namespace op {
struct CreateKey {
  using Request = CreateKeyRequest;
  using Response = CreateKeyResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kCreateKey,
                                       .name = "CreateKey",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kNone,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
