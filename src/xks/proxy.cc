#include "xks/proxy.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/log.h"
#include "http/tls_cause.h"
#include "json/json.h"
#include "sigv4/sigv4.h"

namespace keyturn::xks {
namespace {

constexpr std::string_view kService = "kms-xks-proxy";
constexpr std::string_view kSecure = "https://";
constexpr std::string_view kPlain = "http://";

std::string_view HostOf(std::string_view endpoint) {
  return endpoint.starts_with(kSecure) ? endpoint.substr(kSecure.size()) : endpoint;
}

void WriteOrigin(json::Writer& writer, const Origin& origin) {
  writer.Key("requestMetadata").BeginObject();
  const std::pair<const char*, std::string_view> members[] = {
      {"awsPrincipalArn", origin.principal_arn},
      {"kmsKeyArn", origin.key_arn},
      {"kmsOperation", origin.operation},
      {"kmsRequestId", origin.request_id},
  };
  for (const auto& [name, value] : members) {
    if (!value.empty()) writer.Key(name).String(value);
  }
  writer.EndObject();
}

std::string OriginBody(const Origin& origin) {
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  WriteOrigin(writer, origin);
  writer.EndObject();
  return body;
}

std::string KeyPath(std::string_view key, std::string_view call) {
  return fmt::format("/keys/{}/{}", key, call);
}

Failure FailureOf(const Error& error) {
  if (error.code == ErrorCode::kTimeout) return Failure::kTimeout;
  return error.cause == http::kTlsCause ? Failure::kTls : Failure::kUnreachable;
}

}  // namespace

Status CheckRoute(std::string_view url) {
  const bool secure = url.starts_with(kSecure);
  const std::string_view authority =
      secure ? url.substr(kSecure.size()) : url.substr(std::min(url.size(), kPlain.size()));
  const bool loopback =
      url.starts_with(kPlain) && (authority.starts_with("127.0.0.1:") || authority == "127.0.0.1" ||
                                  authority.starts_with("[::1]"));
  if ((!secure && !loopback) || authority.empty() ||
      authority.find_first_of("/?#@ \t\r\n") != std::string_view::npos) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not https://host[:port], or http://127.0.0.1:port", url));
  }
  return {};
}

// Turn counts a call to an endpoint while it lasts.
class ProxyClient::Turn {
 public:
  Turn(ProxyClient& client, std::string_view endpoint) : client_(client), endpoint_(endpoint) {
    const std::scoped_lock lock(client_.mutex_);
    number_ = ++client_.under_way_[endpoint_];
  }
  ~Turn() {
    const std::scoped_lock lock(client_.mutex_);
    const auto found = client_.under_way_.find(endpoint_);
    if (--found->second == 0) client_.under_way_.erase(found);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool too_many() const { return number_ > kCallsPerEndpointMax; }

 private:
  ProxyClient& client_;
  std::string endpoint_;
  unsigned number_ = 0;
};

Result<std::unique_ptr<ProxyClient>> ProxyClient::Create(ProxyOptions options, const Clock& clock) {
  for (const auto& [host, url] : options.routes) KT_TRY(CheckRoute(url));
  std::unique_ptr<ProxyClient> made(new ProxyClient(std::move(options), clock));
  KT_ASSIGN(auto first, made->TakeClient());  // tells of a CA file that cannot be read
  made->idle_.push_back(std::move(first));
  return made;
}

Result<std::unique_ptr<http::Client>> ProxyClient::TakeClient() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      auto client = std::move(idle_.back());
      idle_.pop_back();
      return client;
    }
  }
  http::ClientOptions options;
  options.ca_bundle_file = options_.ca_file;
  options.response_bytes_max = kAnswerBytesMax;
  return http::Client::Create(options);
}

Answer<std::string> ProxyClient::Send(http::ClientRequest request, std::string_view endpoint) {
  const Turn turn(*this, endpoint);
  if (turn.too_many()) return tl::unexpected(Failure::kThrottled);
  auto client = TakeClient();
  if (!client) {
    LogError("external key store proxy {}: {}", endpoint, client.error().message);
    return tl::unexpected(Failure::kUnreachable);
  }
  std::optional<Result<http::ClientResponse>> answer;
  (*client)->Submit(std::move(request),
                    [&](Result<http::ClientResponse> result) { answer = std::move(result); });
  while (!answer) (*client)->Pump(std::chrono::milliseconds(100));
  {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(*client));
  }
  if (!*answer) {
    const Failure failure = FailureOf(answer->error());
    LogWarning("external key store proxy {}: {}: {}", endpoint, FailureName(failure),
               answer->error().message);
    return tl::unexpected(failure);
  }
  http::ClientResponse& response = **answer;
  if (response.status == 200) return std::move(response.body);
  const Reported reported = ReadError(response.body);
  LogWarning("external key store proxy {}: HTTP {}, {}: {}", endpoint, response.status,
             FailureName(reported.failure), reported.message);
  return tl::unexpected(reported.failure);
}

Answer<std::string> ProxyClient::Post(const Proxy& proxy, std::string_view suffix,
                                      std::string body) {
  const std::string host(HostOf(proxy.endpoint));
  const auto route = options_.routes.find(host);
  const std::string path = fmt::format("{}{}", proxy.path, suffix);

  const sigv4::Header signed_headers[] = {{"host", host}};
  sigv4::Request to_sign;
  to_sign.method = "POST";
  to_sign.path = path;
  to_sign.headers = signed_headers;
  to_sign.body = AsBytes(body);
  const sigv4::Credentials credentials{
      std::string(proxy.access_key_id), SecretBytes::CopyOf(proxy.secret_access_key->reveal()), {}};
  const sigv4::SignedHeaders authorization =
      sigv4::Sign(to_sign, credentials, proxy.region, kService, clock_.Now());

  http::ClientRequest request;
  request.url =
      (route == options_.routes.end() ? std::string(proxy.endpoint) : route->second) + path;
  request.headers = {{"Host", host},
                     {"Content-Type", "application/json"},
                     {"X-Amz-Date", authorization.amz_date},
                     {"Authorization", authorization.authorization}};
  request.body = std::move(body);
  request.timeout = options_.timeout;
  return Send(std::move(request), proxy.endpoint);
}

Answer<void> ProxyClient::Health(const Proxy& proxy, const Origin& origin) {
  return Post(proxy, "/health", OriginBody(origin)).and_then([](const std::string& body) {
    return ReadHealth(body);
  });
}

Answer<KeyFacts> ProxyClient::Metadata(const Proxy& proxy, const Origin& origin,
                                       std::string_view key) {
  return Post(proxy, KeyPath(key, "metadata"), OriginBody(origin))
      .and_then([](const std::string& body) { return ReadMetadata(body); });
}

Answer<Encrypted> ProxyClient::Encrypt(const Proxy& proxy, const Origin& origin,
                                       std::string_view key, ByteView plaintext, ByteView aad) {
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  WriteOrigin(writer, origin);
  writer.Key("additionalAuthenticatedData").Base64(aad);
  writer.Key("plaintext").Base64(plaintext);
  writer.Key("encryptionAlgorithm").String("AES_GCM");
  writer.Key("ciphertextDataIntegrityValueAlgorithm").String("SHA_256");
  writer.EndObject();
  return Post(proxy, KeyPath(key, "encrypt"), std::move(body))
      .and_then(
          [&](const std::string& answer) { return ReadEncrypted(answer, plaintext.size(), aad); });
}

Answer<Bytes> ProxyClient::Decrypt(const Proxy& proxy, const Origin& origin, std::string_view key,
                                   const Encrypted& parts, ByteView aad) {
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  WriteOrigin(writer, origin);
  writer.Key("additionalAuthenticatedData").Base64(aad);
  writer.Key("ciphertext").Base64(parts.ciphertext);
  if (!parts.metadata.empty()) writer.Key("ciphertextMetadata").Base64(parts.metadata);
  writer.Key("encryptionAlgorithm").String("AES_GCM");
  writer.Key("initializationVector").Base64(parts.iv);
  writer.Key("authenticationTag").Base64(parts.tag);
  writer.EndObject();
  return Post(proxy, KeyPath(key, "decrypt"), std::move(body))
      .and_then([&](const std::string& answer) {
        return ReadDecrypted(answer, parts.ciphertext.size());
      });
}

}  // namespace keyturn::xks
