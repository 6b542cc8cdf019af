#include "api/ops/delete_custom_key_store.h"

#include <fmt/format.h>

#include "service/custom_key_stores.h"

namespace keyturn::service {

template <>
Result<api::DeleteCustomKeyStoreResponse> Handle<api::op::DeleteCustomKeyStore>(
    Call& call, const api::DeleteCustomKeyStoreRequest& request) {
  KT_ASSIGN(const CustomKeyStorePtr store, OwnCustomKeyStore(call, request.custom_key_store_id));
  const auto state = store->state();
  if (state != model::ConnectionStateType::kDisconnected &&
      state != model::ConnectionStateType::kFailed) {
    return Fail(WrongState(*store));
  }
  // Keys whose deletion is pending count: they can be had back.
  if (!call.txn->KeysInCustody(store->row.id, 1).empty()) {
    return Fail(ErrorCode::kCustomKeyStoreHasCMKsException,
                fmt::format("The custom key store {} has KMS keys.", store->row.id));
  }
  call.txn->DeleteCustomKeyStore(store);
  return api::DeleteCustomKeyStoreResponse{};
}

}  // namespace keyturn::service
