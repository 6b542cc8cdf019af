#include "api/ops/disconnect_custom_key_store.h"

#include "service/custom_key_stores.h"
#include "service/outside_work.h"

namespace keyturn::service {
namespace {

using State = model::ConnectionStateType;

Result<CustomKeyStorePtr> StoreToDisconnect(const Call& call, const std::string& id) {
  KT_ASSIGN(CustomKeyStorePtr store, OwnCustomKeyStore(call, id));
  const State state = store->state();
  if (state == State::kDisconnected || state == State::kDisconnecting) {
    return Fail(WrongState(*store));
  }
  return store;
}

}  // namespace

template <>
OutsideWork GoOutside<api::op::DisconnectCustomKeyStore>(
    Call& call, const api::DisconnectCustomKeyStoreRequest& request) {
  OutsideWork work;
  if (auto store = StoreToDisconnect(call, request.custom_key_store_id)) {
    work.done = true;
    work.store = std::move(*store);
  }
  return work;
}

// The token is left only when nothing is sent to it any more.
template <>
void ComeBack<api::op::DisconnectCustomKeyStore>(const Environment& environment,
                                                 const OutsideWork& work, bool committed) {
  if (!committed || !work.store || !work.store->is_token()) return;
  if (hsm::Cluster* const cluster = ClusterOf(environment, *work.store)) cluster->Logout();
}

template <>
Result<api::DisconnectCustomKeyStoreResponse> Handle<api::op::DisconnectCustomKeyStore>(
    Call& call, const api::DisconnectCustomKeyStoreRequest& request) {
  KT_ASSIGN(const CustomKeyStorePtr before, StoreToDisconnect(call, request.custom_key_store_id));
  auto after = std::make_shared<CustomKeyStore>(CopyOf(*before));
  after->row.state = State::kDisconnected;
  after->row.error.reset();
  after->row.settles.reset();
  if (call.environment.settle_delay.count() > 0) {
    after->row.settles = call.now + call.environment.settle_delay;
  }
  call.txn->PutCustomKeyStore(std::move(after));
  return api::DisconnectCustomKeyStoreResponse{};
}

}  // namespace keyturn::service
