#include "service/custom_key_stores.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "base/uuid.h"
#include "service/outside_errors.h"
#include "service/outside_work.h"

namespace keyturn::service {

Result<CustomKeyStorePtr> MakeCustomKeyStore(const Keyring& keyring, store::CustomKeyStoreRow row) {
  auto made = std::make_shared<CustomKeyStore>();
  KT_ASSIGN(const SecretBytes opened, keyring.OpenStoreSecret(row.id, row.sealed_secret));
  if (row.type == model::CustomKeyStoreType::kAwsCloudhsm) {
    made->secret = SecretBytes::CopyOf(opened.reveal());
  } else {
    const std::string_view text = AsText(opened.reveal());
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) {
      return Fail(ErrorCode::kCorrupt, "custom key store " + row.id + ": no credential");
    }
    made->access_key_id = text.substr(0, line);
    made->secret = SecretBytes::CopyOf(AsBytes(text.substr(line + 1)));
  }
  made->row = std::move(row);
  return made;
}

CustomKeyStore CopyOf(const CustomKeyStore& store) {
  return {store.row, store.access_key_id, SecretBytes::CopyOf(store.secret.reveal())};
}

void SetSecret(const Environment& environment, CustomKeyStore& store, std::string access_key_id,
               ByteView secret) {
  KT_CHECK(!store.row.id.empty());
  SecretBytes sealed(secret.size() + (store.is_token() ? 0 : access_key_id.size() + 1));
  auto out = sealed.reveal_mutable().begin();
  if (!store.is_token()) {
    out = std::copy(access_key_id.begin(), access_key_id.end(), out);
    *out++ = '\n';
  }
  std::copy(secret.begin(), secret.end(), out);
  store.row.sealed_secret =
      environment.keyring.SealStoreSecret(store.row.id, sealed.reveal(), environment.random);
  store.access_key_id = std::move(access_key_id);
  store.secret = SecretBytes::CopyOf(secret);
}

Result<CustomKeyStorePtr> OwnCustomKeyStore(const Call& call, const std::string& id) {
  CustomKeyStorePtr store = call.view.FindCustomKeyStore(id);
  if (!store || store->row.account != call.account() || store->row.region != call.region) {
    return Fail(ErrorCode::kCustomKeyStoreNotFoundException,
                fmt::format("The custom key store {} does not exist.", id));
  }
  return store;
}

Error WrongState(const CustomKeyStore& store) {
  return {ErrorCode::kCustomKeyStoreInvalidStateException,
          fmt::format("The custom key store {} is in state {}, which is not valid for this "
                      "operation.",
                      store.row.id, model::ToWire(store.state())),
          {}};
}

Status CheckUnchanged(const Call& call, const CustomKeyStorePtr& store) {
  const OutsideWork* work = call.outside_work;
  if (work == nullptr || !work->done || work->store != store) {
    return Fail(ErrorCode::kKMSInternalException, {},
                "a custom key store changed while its token or proxy was asked");
  }
  return {};
}

hsm::Cluster* ClusterOf(const Environment& environment, const CustomKeyStore& store) {
  if (environment.outside == nullptr) return nullptr;
  TokenCluster* const named = environment.outside->FindCluster(store.row.cluster);
  return named == nullptr ? nullptr : named->cluster.get();
}

ProxyAddress AddressOf(const CustomKeyStore& store) {
  return {store.row.uri_endpoint, store.row.uri_path, store.row.region.name(), store.access_key_id,
          &store.secret};
}

ProxyOrigin OriginOf(const Call& call, std::string_view key_arn) {
  return {call.caller.principal_arn(), key_arn, call.operation, call.request_id};
}

model::ProxyAnswer<void> CheckHealth(const Call& call, const CustomKeyStore& store) {
  if (call.environment.outside == nullptr) {
    return tl::unexpected(model::ProxyFailure::kUnreachable);
  }
  // The specification leaves the principal out of this one.
  ProxyOrigin origin = OriginOf(call, {});
  origin.principal_arn = {};
  return call.environment.outside->external_keys->Health(AddressOf(store), origin);
}

hsm::Reply CallToken(const Environment& environment, const CustomKeyStore& store,
                     const hsm::Request& request) {
  hsm::Cluster* const cluster = ClusterOf(environment, store);
  if (cluster == nullptr) {
    hsm::Reply reply;
    reply.outcome = hsm::Outcome::kNotNamed;
    return reply;
  }
  return cluster->Call(request, store.secret.reveal());
}

bool DestroyInToken(const Environment& environment, const CustomKeyStore& store,
                    const model::KeyId& key) {
  hsm::Request request;
  request.action = hsm::Action::kDestroyKey;
  request.key = key.text();
  return CallToken(environment, store, request).ok();
}

void Reconnect(const Environment& environment) {
  for (const CustomKeyStorePtr& store : environment.tables.CustomKeyStores()) {
    if (store->row.state != model::ConnectionStateType::kConnected) continue;
    if (environment.outside == nullptr) return;
    std::string failure;
    if (store->is_token()) {
      hsm::Cluster* const cluster = ClusterOf(environment, *store);
      if (cluster == nullptr) {
        failure = store->row.cluster + " is not named by --hsm-cluster";
      } else if (const auto login = cluster->Login(store->secret.reveal()); !login.ok()) {
        failure = hsm::OutcomeName(login.outcome);
      }
    } else {
      const std::string request_id = NewUuid(environment.random);
      const ProxyOrigin origin{{}, {}, "KmsHealthCheck", request_id};
      const auto health = environment.outside->external_keys->Health(AddressOf(*store), origin);
      if (!health) failure = UseError(health.error()).message;
    }
    if (failure.empty()) {
      LogInfo("custom key store {} is connected again", store->row.id);
    } else {
      LogWarning("custom key store {} cannot be reached yet: {}", store->row.id, failure);
    }
  }
}

}  // namespace keyturn::service
