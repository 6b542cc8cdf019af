// Limits: AWS's quotas, so that a client's pacing can be tested here. Off unless the operator asks:
// then a request passes one comparison with null.
//
// Quotas are numbers; RequestLimiter counts requests of each account, region and group of
// operations against them, and for custom key stores of each store. The quotas that AWS cannot
// raise hold always (aliases of a key, grants of a key, bytes of a policy).
//
// Thread-safety: Quotas is a value; RequestLimiter is thread-safe. Units: requests a second.
// Errors: ThrottlingException, LimitExceededException.
// Source: KMS Developer Guide, "Resource quotas" and "Request quotas" (2026).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/operation.h"
#include "base/error.h"
#include "base/time.h"
#include "model/enums.h"
#include "model/ids.h"

namespace keyturn::service {

// RequestGroup: what shares one quota: an operation, a kind of key in cryptographic operations, the
// keys of one custom key store, or the data key pairs of one spec.
class RequestGroup {
 public:
  static constexpr RequestGroup Of(api::Operation operation) {
    return RequestGroup(static_cast<std::size_t>(operation));
  }
  static constexpr RequestGroup Symmetric() { return RequestGroup(api::kOperationCount); }
  static constexpr RequestGroup Rsa() { return RequestGroup(api::kOperationCount + 1); }
  static constexpr RequestGroup Ecc() { return RequestGroup(api::kOperationCount + 2); }
  static constexpr RequestGroup MlDsa() { return RequestGroup(api::kOperationCount + 3); }
  static constexpr RequestGroup CustomKeyStore() { return RequestGroup(api::kOperationCount + 4); }
  static constexpr RequestGroup Pair(model::DataKeyPairSpec spec) {
    return RequestGroup(api::kOperationCount + 5 + static_cast<std::size_t>(spec));
  }
  // OfKey: the group of a cryptographic operation with a key of this spec.
  static RequestGroup OfKey(model::KeySpec spec);
  // Parse: "CreateKey", "symmetric", "rsa", "ecc", "ml-dsa", "custom-key-store",
  // "GenerateDataKeyPair:RSA_2048".
  static std::optional<RequestGroup> Parse(std::string_view name);

  constexpr std::size_t index() const { return index_; }
  auto operator<=>(const RequestGroup&) const = default;

 private:
  constexpr explicit RequestGroup(std::size_t index) : index_(index) {}
  std::size_t index_;
};

struct Quotas {
  // keys: customer managed keys of an account in a region, in any state; nullopt: no quota.
  std::optional<std::uint64_t> keys;
  std::uint64_t aliases_per_key = 50;
  std::uint64_t grants_per_key = 50'000;
  std::uint64_t policy_bytes = 32'768;
  // aws_requests: AWS's request quotas hold where requests has no other number.
  bool aws_requests = false;
  std::map<RequestGroup, double> requests = {};

  static Quotas Aws();
  bool limits_requests() const { return aws_requests || !requests.empty(); }
  // RateOf: requests a second; nullopt: no quota.
  std::optional<double> RateOf(RequestGroup group, std::string_view region) const;
};

// Throttled: the ThrottlingException with AWS's text.
Error Throttled();

class RequestLimiter {
 public:
  explicit RequestLimiter(Quotas quotas) : quotas_(std::move(quotas)) {}

  // Take counts a request that weighs cost, or refuses it. A second's worth may come at once. part
  // names what has a count of its own within the group: the custom key store.
  Status Take(const model::AccountId& account, std::string_view region, RequestGroup group,
              double cost, TimePoint now, std::string_view part = {});

 private:
  struct Bucket {
    double tokens;
    TimePoint at;
  };
  const Quotas quotas_;
  std::mutex mutex_;
  std::map<std::tuple<model::AccountId, std::string, RequestGroup, std::string>, Bucket> buckets_;
};

}  // namespace keyturn::service
