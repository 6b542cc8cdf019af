#include "api/ops/connect_custom_key_store.h"

#include "service/custom_key_stores.h"
#include "service/outside_errors.h"
#include "service/outside_work.h"

namespace keyturn::service {
namespace {

using State = model::ConnectionStateType;

// StoreToConnect: a connected one is connected already, and one on its way there is on its way.
Result<CustomKeyStorePtr> StoreToConnect(const Call& call, const std::string& id) {
  KT_ASSIGN(CustomKeyStorePtr store, OwnCustomKeyStore(call, id));
  const State state = store->state();
  if (state == State::kFailed || state == State::kDisconnecting) return Fail(WrongState(*store));
  return store;
}

}  // namespace

template <>
OutsideWork GoOutside<api::op::ConnectCustomKeyStore>(
    Call& call, const api::ConnectCustomKeyStoreRequest& request) {
  OutsideWork work;
  const auto store = StoreToConnect(call, request.custom_key_store_id);
  if (!store || (*store)->state() != State::kDisconnected) return work;
  work.done = true;
  work.store = *store;
  if (!(*store)->is_token()) {
    if (const auto health = CheckHealth(call, **store); !health) work.proxy = health.error();
    return work;
  }
  hsm::Cluster* const cluster = ClusterOf(call.environment, **store);
  if (cluster == nullptr) {
    work.token = hsm::Outcome::kNotNamed;
    work.logged_in = true;  // the operator does not name it any more: a failed connection
    return work;
  }
  work.token = cluster->Probe().outcome;
  if (work.token != hsm::Outcome::kOk) return work;
  work.token = cluster->Login((*store)->secret.reveal()).outcome;
  work.logged_in = true;
  return work;
}

template <>
void ComeBack<api::op::ConnectCustomKeyStore>(const Environment& environment,
                                              const OutsideWork& work, bool committed) {
  if (committed || !work.store || !work.store->is_token()) return;
  if (hsm::Cluster* const cluster = ClusterOf(environment, *work.store)) cluster->Logout();
}

template <>
Result<api::ConnectCustomKeyStoreResponse> Handle<api::op::ConnectCustomKeyStore>(
    Call& call, const api::ConnectCustomKeyStoreRequest& request) {
  KT_ASSIGN(const CustomKeyStorePtr before, StoreToConnect(call, request.custom_key_store_id));
  if (before->state() != State::kDisconnected) return api::ConnectCustomKeyStoreResponse{};
  KT_TRY(CheckUnchanged(call, before));
  const OutsideWork& work = *call.outside_work;
  if (work.token != hsm::Outcome::kOk && !work.logged_in) return Fail(ManageError(work.token));
  auto after = std::make_shared<CustomKeyStore>(CopyOf(*before));
  after->row.state = State::kConnected;
  if (work.proxy) {
    after->row.error = ConnectionError(*work.proxy);
  } else if (work.token != hsm::Outcome::kOk) {
    after->row.error = ConnectionError(work.token);
  }
  if (after->row.error) after->row.state = State::kFailed;
  if (call.environment.settle_delay.count() > 0) {
    after->row.settles = call.now + call.environment.settle_delay;
  }
  call.txn->PutCustomKeyStore(std::move(after));
  return api::ConnectCustomKeyStoreResponse{};
}

}  // namespace keyturn::service
