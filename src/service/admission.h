// Admit: which request quotas a call counts against. Called only when requests are limited.
// Source: KMS Developer Guide, "Request quotas": quotas are per account and region of the caller;
// cryptographic operations share one quota for each kind of key; ReplicateKey counts as two
// CreateKey requests in the replica's region too, UpdatePrimaryRegion as two. Cryptographic
// operations in a custom key store count against the store's own quota as well.
#pragma once

#include "api/operations.h"
#include "service/call.h"
#include "service/limits.h"

namespace keyturn::service {

// AdmitToStore counts against a store's quota, whoever calls. An unknown store is refused anyway.
inline Status AdmitToStore(const Call& call, std::string_view id) {
  const CustomKeyStorePtr store = call.view.FindCustomKeyStore(std::string(id));
  if (!store) return {};
  return call.environment.limiter->Take(store->row.account, store->row.region.name(),
                                        RequestGroup::CustomKeyStore(), 1, call.now, id);
}

template <typename Operation>
Status Admit(const Call& call, const typename Operation::Request& request) {
  constexpr api::Operation kOperation = Operation::kInfo.operation;
  RequestLimiter& limiter = *call.environment.limiter;
  const auto take = [&](RequestGroup group, double cost = 1) {
    return limiter.Take(call.account(), call.region.name(), group, cost, call.now);
  };
  if constexpr (requires { request.key_pair_spec; }) {
    return take(RequestGroup::Pair(request.key_pair_spec));
  } else if constexpr (kOperation == api::Operation::kGenerateRandom) {
    KT_TRY(take(RequestGroup::Symmetric()));
    return request.custom_key_store_id ? AdmitToStore(call, *request.custom_key_store_id)
                                       : Status();
  } else if constexpr (Operation::kInfo.access == api::Access::kCryptographic) {
    // A call whose key was not found or not allowed has no kind, and is refused anyway.
    if (call.targets.empty()) return {};
    const auto first = RequestGroup::OfKey(call.targets.front().key->key.spec);
    KT_TRY(take(first));
    const auto last = RequestGroup::OfKey(call.targets.back().key->key.spec);
    if (first != last) KT_TRY(take(last));
    std::string_view counted;  // ReEncrypt within one store is one request
    for (const Target& target : call.targets) {
      const auto& custody = target.key->key.custody;
      if (!custody || custody->store == counted) continue;
      counted = custody->store;
      KT_TRY(AdmitToStore(call, counted));
    }
    return {};
  } else if constexpr (kOperation == api::Operation::kReplicateKey) {
    KT_TRY(take(RequestGroup::Of(kOperation)));
    if (!model::IsKnownRegion(request.replica_region)) return {};  // refused anyway
    return limiter.Take(call.account(), request.replica_region,
                        RequestGroup::Of(api::Operation::kCreateKey), 2, call.now);
  } else if constexpr (kOperation == api::Operation::kUpdatePrimaryRegion) {
    return take(RequestGroup::Of(kOperation), 2);
  } else {
    return take(RequestGroup::Of(kOperation));
  }
}

}  // namespace keyturn::service
