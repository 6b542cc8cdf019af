// FindInRequest: the condition keys that the members of a request answer. One instance for each
// operation; which members there are is decided when it is compiled.
// Source: KMS Developer Guide, "AWS KMS condition keys" (which operation has which key, and what a
// missing member means).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "api/operations.h"
#include "base/time.h"
#include "model/enums.h"
#include "service/conditions.h"

namespace keyturn::service {

namespace condition_values {

inline void Add(const std::string& value, policy::Values& out) { out.push_back(value); }
inline void Add(bool value, policy::Values& out) { out.emplace_back(value ? "true" : "false"); }
inline void Add(std::int32_t value, policy::Values& out) { out.push_back(std::to_string(value)); }
inline void Add(TimePoint value, policy::Values& out) { out.push_back(FormatIso8601Millis(value)); }
template <typename E>
requires std::is_enum_v<E>
void Add(E value, policy::Values& out) { out.emplace_back(model::ToWire(value)); }
template <typename T>
void Add(const std::vector<T>& values, policy::Values& out) {
  for (const T& value : values) Add(value, out);
}
template <typename T>
void Add(const std::optional<T>& value, policy::Values& out) {
  if (value) Add(*value, out);
}

using Pairs = std::map<std::string, std::string>;

// AddContext answers kms:EncryptionContext:<key> and kms:EncryptionContextKeys.
inline void AddContext(const Pairs& pairs, const policy::ConditionKey& key, policy::Values& out) {
  for (const auto& [name, value] : pairs) {
    if (key.key == policy::Key::kKmsEncryptionContextKeys) {
      out.push_back(name);
    } else if (policy::EqualsFolded(name, key.qualifier)) {
      out.push_back(value);
    }
  }
}

// ContextOf: null where the request has none.
template <typename Request>
const Pairs* ContextOf(const void* untyped, std::string_view action) {
  const Request& request = *static_cast<const Request*>(untyped);
  const auto given = [](const std::optional<Pairs>& pairs) { return pairs ? &*pairs : nullptr; };
  if constexpr (requires { request.source_encryption_context; }) {
    return given(action == "kms:ReEncryptFrom" ? request.source_encryption_context
                                               : request.destination_encryption_context);
  } else if constexpr (requires { request.encryption_context; }) {
    return given(request.encryption_context);
  } else {
    return nullptr;
  }
}

template <typename Request>
void FindContext(const Request& request, std::string_view action, const policy::ConditionKey& key,
                 policy::Values& out) {
  if constexpr (requires { request.constraints; }) {
    if (request.constraints) {
      for (const auto* pairs : {&request.constraints->encryption_context_equals,
                                &request.constraints->encryption_context_subset}) {
        if (*pairs) AddContext(**pairs, key, out);
      }
    }
  } else if (const Pairs* const pairs = ContextOf<Request>(&request, action)) {
    AddContext(*pairs, key, out);
  }
}

template <typename Request>
void FindAlgorithm(const Request& request, std::string_view action, policy::Values& out) {
  constexpr auto kDefault = model::EncryptionAlgorithmSpec::kSymmetricDefault;
  if constexpr (requires { request.source_encryption_algorithm; }) {
    Add((action == "kms:ReEncryptFrom" ? request.source_encryption_algorithm
                                       : request.destination_encryption_algorithm)
            .value_or(kDefault),
        out);
  } else if constexpr (requires { request.encryption_algorithm; }) {
    Add(request.encryption_algorithm.value_or(kDefault), out);
  } else if constexpr (requires { request.encryption_context; }) {
    Add(kDefault, out);  // data keys
  }
}

template <typename Request>
void FindTags(const Request& request, const policy::ConditionKey& key, policy::Values& out) {
  const auto add = [&](const std::vector<api::Tag>& tags) {
    for (const api::Tag& tag : tags) {
      if (key.key == policy::Key::kAwsTagKeys) {
        out.push_back(tag.tag_key);
      } else if (policy::EqualsFolded(tag.tag_key, key.qualifier)) {
        out.push_back(tag.tag_value);
      }
    }
  };
  if constexpr (std::is_same_v<Request, api::TagResourceRequest>) {
    add(request.tags);
  } else if constexpr (requires { request.tags; }) {
    if (request.tags) add(*request.tags);
  } else if constexpr (requires { request.tag_keys; }) {
    if (key.key == policy::Key::kAwsTagKeys) Add(request.tag_keys, out);
  }
}

// FindOfNewKey: CreateKey has no key yet; its members are the key's properties.
template <typename Request>
void FindOfNewKey(const Request& request, policy::Key key, policy::Values& out) {
  if constexpr (std::is_same_v<Request, api::CreateKeyRequest>) {
    if (key == policy::Key::kKmsKeyOrigin) {
      Add(request.origin.value_or(model::Origin::kAwsKms), out);
    } else if (key == policy::Key::kKmsKeySpec) {
      Add(request.key_spec.value_or(
              request.customer_master_key_spec.value_or(model::KeySpec::kSymmetricDefault)),
          out);
    } else if (key == policy::Key::kKmsKeyUsage) {
      Add(request.key_usage.value_or(model::KeyUsage::kEncryptDecrypt), out);
    } else if (key == policy::Key::kKmsMultiRegion) {
      Add(request.multi_region.value_or(false), out);
    } else if (key == policy::Key::kKmsMultiRegionKeyType && request.multi_region.value_or(false)) {
      Add(std::string("PRIMARY"), out);
    }
  }
}

template <typename Request>
void FindOfGrant(const Request& request, policy::Key key, policy::Values& out) {
  constexpr bool kCreate = std::is_same_v<Request, api::CreateGrantRequest>;
  if constexpr (kCreate || std::is_same_v<Request, api::ListGrantsRequest> ||
                std::is_same_v<Request, api::RevokeGrantRequest>) {
    // Grants for an AWS service's resource are made by that service only; none calls here.
    if (key == policy::Key::kKmsGrantIsForAwsResource) Add(false, out);
  }
  if constexpr (kCreate) {
    if (key == policy::Key::kKmsGrantOperations) Add(request.operations, out);
    if (key == policy::Key::kKmsGranteePrincipal) Add(request.grantee_principal, out);
    if (key == policy::Key::kKmsRetiringPrincipal) Add(request.retiring_principal, out);
    if (key == policy::Key::kKmsGrantConstraintType && request.constraints) {
      if (request.constraints->encryption_context_equals) {
        out.emplace_back("EncryptionContextEquals");
      }
      if (request.constraints->encryption_context_subset) {
        out.emplace_back("EncryptionContextSubset");
      }
    }
  }
}

}  // namespace condition_values

// KEYTURN_MEMBER_KEY: condition key K is the request's member m, where there is one.
#define KEYTURN_MEMBER_KEY(K, m)             \
  case policy::Key::K:                       \
    if constexpr (requires { request.m; }) { \
      condition_values::Add(request.m, out); \
    }                                        \
    return;
// With a default for an optional member that is missing.
#define KEYTURN_DEFAULT_KEY(K, m, fallback)                     \
  case policy::Key::K:                                          \
    if constexpr (requires { request.m.value_or(fallback); }) { \
      condition_values::Add(request.m.value_or(fallback), out); \
    }                                                           \
    return;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"  // the other keys are not the request's
template <typename Request>
void FindInRequest(const void* untyped, std::string_view action, const policy::ConditionKey& key,
                   policy::Values& out) {
  const Request& request = *static_cast<const Request*>(untyped);
  switch (key.key) {
    case policy::Key::kKmsEncryptionContext:
    case policy::Key::kKmsEncryptionContextKeys:
      return condition_values::FindContext(request, action, key, out);
    case policy::Key::kKmsEncryptionAlgorithm:
      return condition_values::FindAlgorithm(request, action, out);
    case policy::Key::kAwsRequestTag:
    case policy::Key::kAwsTagKeys:
      return condition_values::FindTags(request, key, out);
    case policy::Key::kKmsValidTo:
      if constexpr (requires { request.valid_to; }) condition_values::Add(request.valid_to, out);
      return;
      KEYTURN_DEFAULT_KEY(kKmsBypassPolicyLockoutSafetyCheck, bypass_policy_lockout_safety_check,
                          false)
      KEYTURN_DEFAULT_KEY(kKmsRotationPeriodInDays, rotation_period_in_days, 365)
      KEYTURN_DEFAULT_KEY(kKmsScheduleKeyDeletionPendingWindowInDays, pending_window_in_days, 30)
      KEYTURN_DEFAULT_KEY(kKmsMessageType, message_type, model::MessageType::kRaw)
      KEYTURN_DEFAULT_KEY(kKmsExpirationModel, expiration_model,
                          model::ExpirationModelType::kKeyMaterialExpires)
      KEYTURN_MEMBER_KEY(kKmsDataKeyPairSpec, key_pair_spec)
      KEYTURN_MEMBER_KEY(kKmsKeyAgreementAlgorithm, key_agreement_algorithm)
      KEYTURN_MEMBER_KEY(kKmsMacAlgorithm, mac_algorithm)
      KEYTURN_MEMBER_KEY(kKmsPrimaryRegion, primary_region)
      KEYTURN_MEMBER_KEY(kKmsReplicaRegion, replica_region)
      KEYTURN_MEMBER_KEY(kKmsSigningAlgorithm, signing_algorithm)
      KEYTURN_MEMBER_KEY(kKmsWrappingAlgorithm, wrapping_algorithm)
      KEYTURN_MEMBER_KEY(kKmsWrappingKeySpec, wrapping_key_spec)
    default:
      condition_values::FindOfNewKey(request, key.key, out);
      condition_values::FindOfGrant(request, key.key, out);
  }
}
#pragma GCC diagnostic pop
#undef KEYTURN_MEMBER_KEY
#undef KEYTURN_DEFAULT_KEY

template <typename Request>
Asked AskedBy(const Request& request) {
  Asked asked{&request, &FindInRequest<Request>, &condition_values::ContextOf<Request>};
  if constexpr (std::is_same_v<Request, api::CreateGrantRequest>) asked.create_grant = &request;
  return asked;
}

}  // namespace keyturn::service
