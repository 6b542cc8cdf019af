#include "server/outside_keys.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/patterns.h"
#include "crypto/certificate.h"

namespace keyturn::server {
namespace {

namespace fs = std::filesystem;

// Proxies gives the service the client of proxies.
class Proxies final : public service::ExternalKeys {
 public:
  explicit Proxies(std::unique_ptr<xks::ProxyClient> client) : client_(std::move(client)) {}

  model::ProxyAnswer<void> Health(const service::ProxyAddress& proxy,
                                  const service::ProxyOrigin& origin) override {
    return client_->Health(To(proxy), To(origin));
  }
  model::ProxyAnswer<model::ExternalKeyFacts> Metadata(const service::ProxyAddress& proxy,
                                                       const service::ProxyOrigin& origin,
                                                       std::string_view key) override {
    return client_->Metadata(To(proxy), To(origin), key);
  }
  model::ProxyAnswer<model::ExternalCiphertext> Encrypt(const service::ProxyAddress& proxy,
                                                        const service::ProxyOrigin& origin,
                                                        std::string_view key, ByteView plaintext,
                                                        ByteView aad) override {
    return client_->Encrypt(To(proxy), To(origin), key, plaintext, aad);
  }
  model::ProxyAnswer<Bytes> Decrypt(const service::ProxyAddress& proxy,
                                    const service::ProxyOrigin& origin, std::string_view key,
                                    const model::ExternalCiphertext& parts, ByteView aad) override {
    return client_->Decrypt(To(proxy), To(origin), key, parts, aad);
  }

 private:
  static xks::Proxy To(const service::ProxyAddress& proxy) {
    return {proxy.endpoint, proxy.path, proxy.region, proxy.access_key_id, proxy.secret_access_key};
  }
  static xks::Origin To(const service::ProxyOrigin& origin) {
    return {origin.principal_arn, origin.key_arn, origin.operation, origin.request_id};
  }
  std::unique_ptr<xks::ProxyClient> client_;
};

Result<Bytes> ReadTrustAnchor(const std::string& file) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto der = crypto::CertificateDer(text);
  if (!in || !der) {
    return Fail(ErrorCode::kUsage, fmt::format("trust anchor {}: not a file with one certificate "
                                               "in PEM",
                                               file));
  }
  return der;
}

Error BadSpec(const std::string& text, std::string_view what) {
  return {ErrorCode::kUsage,
          fmt::format("--hsm-cluster {}: {}; it is cluster-...,module=PATH,token=LABEL"
                      "[,trust-anchor=FILE]",
                      text, what),
          {}};
}

}  // namespace

Result<ClusterSpec> ParseClusterSpec(const std::string& text) {
  ClusterSpec spec;
  const std::size_t comma = text.find(',');
  spec.id = text.substr(0, comma);
  if (spec.id.size() < 19 || spec.id.size() > 24 ||
      !api::pattern::kCloudHsmClusterId.matches(spec.id)) {
    return Fail(BadSpec(text, "the id is cluster- and 11 to 16 of 2-7, a-z, A-Z"));
  }
  std::string rest = comma == std::string::npos ? std::string() : text.substr(comma + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find(',');
    const std::string part = rest.substr(0, end);
    rest.erase(0, end == std::string::npos ? rest.size() : end + 1);
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    std::string* const member = name == "module"         ? &spec.module
                                : name == "token"        ? &spec.token
                                : name == "trust-anchor" ? &spec.trust_anchor_file
                                                         : nullptr;
    if (member == nullptr || equals == std::string::npos || !member->empty()) {
      return Fail(BadSpec(text, fmt::format("'{}' is unknown, incomplete or there twice", part)));
    }
    *member = part.substr(equals + 1);
  }
  if (!spec.module.starts_with('/')) return Fail(BadSpec(text, "module is an absolute path"));
  if (spec.token.empty() || spec.token.size() > 32) {
    return Fail(BadSpec(text, "token is a label of 1 to 32 characters"));
  }
  return spec;
}

Result<std::pair<std::string, std::string>> ParseRoute(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string host = text.substr(0, equals);
  if (equals == std::string::npos || host.empty() ||
      host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") !=
          std::string::npos) {
    return Fail(ErrorCode::kUsage, fmt::format("--xks-route {}: it is HOST=URL, as in "
                                               "xks.example.com=https://10.0.0.7:8443",
                                               text));
  }
  const std::string url = text.substr(equals + 1);
  if (const Status good = xks::CheckRoute(url); !good) {
    return Fail(ErrorCode::kUsage, fmt::format("--xks-route {}: {}", text, good.error().message));
  }
  return std::pair(host, url);
}

Result<std::shared_ptr<service::Outside>> MakeOutside(const OutsideOptions& options,
                                                      const Clock& clock) {
  auto outside = std::make_shared<service::Outside>();
  for (const ClusterSpec& spec : options.clusters) {
    std::error_code error;
    if (!fs::is_regular_file(spec.module, error)) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("--hsm-cluster {}: module {} is not a file", spec.id, spec.module));
    }
    service::TokenCluster entry;
    if (!spec.trust_anchor_file.empty()) {
      KT_ASSIGN(entry.trust_anchor, ReadTrustAnchor(spec.trust_anchor_file));
    }
    hsm::ClusterOptions cluster;
    cluster.id = spec.id;
    cluster.module = spec.module;
    cluster.token = spec.token;
    cluster.timeout = options.hsm_timeout;
    entry.cluster = std::make_unique<hsm::Cluster>(std::move(cluster));
    if (!outside->clusters.emplace(spec.id, std::move(entry)).second) {
      return Fail(ErrorCode::kUsage, fmt::format("--hsm-cluster {} is there twice", spec.id));
    }
  }
  KT_ASSIGN(auto client, xks::ProxyClient::Create(options.proxy, clock));
  outside->external_keys = std::make_unique<Proxies>(std::move(client));
  return outside;
}

}  // namespace keyturn::server
