// OutsideWork: changing operations that need what is outside do that part first, on a thread that
// may wait, and decide in their transaction with the result in hand.
//
// GoOutside runs after Prepare has authorised the call, from the tables as they are then; when the
// request cannot succeed anyway it does nothing. The transaction checks everything again. ComeBack
// runs after it, on such a thread too: it undoes what a refused transaction left outside, and does
// what must follow a commit. All three are parts of one operation, in service/ops.
#pragma once

#include <optional>

#include "api/operations.h"
#include "service/call.h"

namespace keyturn::service {

struct OutsideWork {
  bool done = false;        // false: nothing was asked
  CustomKeyStorePtr store;  // as it was then; null: none yet
  hsm::Outcome token = hsm::Outcome::kOk;
  bool logged_in = false;                    // ConnectCustomKeyStore: token is of the login
  bool related = true;                       // UpdateCustomKeyStore: the other token has all keys
  std::optional<model::ProxyFailure> proxy;  // null: the proxy has answered
  std::optional<model::ExternalKeyFacts> facts;  // CreateKey
  std::optional<model::KeyId> key_id;            // CreateKey: of the key made in the token
};

template <typename Operation>
inline constexpr bool kGoesOutside = false;
template <>
inline constexpr bool kGoesOutside<api::op::ConnectCustomKeyStore> = true;
template <>
inline constexpr bool kGoesOutside<api::op::CreateCustomKeyStore> = true;
template <>
inline constexpr bool kGoesOutside<api::op::CreateKey> = true;
template <>
inline constexpr bool kGoesOutside<api::op::DisconnectCustomKeyStore> = true;
template <>
inline constexpr bool kGoesOutside<api::op::UpdateCustomKeyStore> = true;

// NeedsOutside: whether this request does.
template <typename Request>
bool NeedsOutside(const Request& /*request*/) {
  return true;
}
inline bool NeedsOutside(const api::CreateKeyRequest& request) {
  return request.custom_key_store_id.has_value();
}

template <typename Operation>
OutsideWork GoOutside(Call& call, const typename Operation::Request& request);
template <typename Operation>
void ComeBack(const Environment& environment, const OutsideWork& work, bool committed);

// CheckUnchanged: kKMSInternalException, which clients try again, when the store is not the one
// that the outside part was done for.
Status CheckUnchanged(const Call& call, const CustomKeyStorePtr& store);

}  // namespace keyturn::service
