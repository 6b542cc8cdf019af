// Outside: what the service reaches beyond this process and its data directory: the operator's
// PKCS#11 tokens, and external key store proxies. Filled when the server starts.
//
// Thread-safety: its parts are; the map does not change. Calls block: never on an event loop or in
// the writer's transaction.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "hsm/cluster.h"
#include "model/external_keys.h"

namespace keyturn::service {

// ProxyAddress: where a proxy is and how it knows us. Views belong to the caller of a call.
struct ProxyAddress {
  std::string_view endpoint;
  std::string_view path;
  std::string_view region;
  std::string_view access_key_id;
  const SecretBytes* secret_access_key = nullptr;
};

// ProxyOrigin: the call behind a call to a proxy. Empty members are not told.
struct ProxyOrigin {
  std::string_view principal_arn;
  std::string_view key_arn;
  std::string_view operation;
  std::string_view request_id;
};

// ExternalKeys: the API of external key store proxies.
class ExternalKeys {
 public:
  virtual ~ExternalKeys() = default;
  virtual model::ProxyAnswer<void> Health(const ProxyAddress& proxy, const ProxyOrigin& origin) = 0;
  virtual model::ProxyAnswer<model::ExternalKeyFacts> Metadata(const ProxyAddress& proxy,
                                                               const ProxyOrigin& origin,
                                                               std::string_view key) = 0;
  virtual model::ProxyAnswer<model::ExternalCiphertext> Encrypt(const ProxyAddress& proxy,
                                                                const ProxyOrigin& origin,
                                                                std::string_view key,
                                                                ByteView plaintext,
                                                                ByteView aad) = 0;
  virtual model::ProxyAnswer<Bytes> Decrypt(const ProxyAddress& proxy, const ProxyOrigin& origin,
                                            std::string_view key,
                                            const model::ExternalCiphertext& parts,
                                            ByteView aad) = 0;
};

struct TokenCluster {
  std::unique_ptr<hsm::Cluster> cluster;
  Bytes trust_anchor;  // DER; empty: the operator has named none
};

struct Outside {
  std::map<std::string, TokenCluster, std::less<>> clusters;  // by cluster id
  std::unique_ptr<ExternalKeys> external_keys;

  // FindCluster: null when the operator has not named it.
  TokenCluster* FindCluster(std::string_view id) {
    const auto found = clusters.find(id);
    return found == clusters.end() ? nullptr : &found->second;
  }
};

}  // namespace keyturn::service
