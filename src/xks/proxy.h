// ProxyClient: calls to external key store proxies, version 1 of their API: JSON over HTTPS, signed
// with SigV4 for the service kms-xks-proxy. Redirects are not followed.
//
// An endpoint is "https://host": port 443, as the KMS API has it. A route sends a host's calls
// elsewhere (another port, a private address) while Host and signature stay the endpoint's.
// Thread-safe; calls block, at most for the timeout. One proxy that hangs cannot take every caller:
// calls beyond a few at once to one endpoint are kThrottled.
// Source: AWS KMS External Key Store Proxy API Specification, version 1.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"
#include "http/client.h"
#include "xks/answer.h"

namespace keyturn::xks {

// Proxy: where one is and how it knows us. Views and pointers belong to the caller of a call.
struct Proxy {
  std::string_view endpoint;  // https://host
  std::string_view path;      // ends with /kms/xks/v1
  std::string_view region;
  std::string_view access_key_id;
  const SecretBytes* secret_access_key = nullptr;
};

// Origin: what a proxy is told of the KMS call behind its own. Empty members are left out.
struct Origin {
  std::string_view principal_arn;
  std::string_view key_arn;
  std::string_view operation;
  std::string_view request_id;
};

struct ProxyOptions {
  // timeout: of one call, connection and TLS included. The specification's is 250 ms.
  std::chrono::milliseconds timeout{250};
  std::string ca_file;                        // empty: the system's
  std::map<std::string, std::string> routes;  // host to "https://other[:port]"
};

// CheckRoute: kUsage unless url is https, or http to a loopback address, with nothing after the
// authority.
Status CheckRoute(std::string_view url);

class ProxyClient {
 public:
  static constexpr unsigned kCallsPerEndpointMax = 12;

  // Create: kUsage when the CA file cannot be read. clock must outlive the client.
  static Result<std::unique_ptr<ProxyClient>> Create(ProxyOptions options, const Clock& clock);

  Answer<void> Health(const Proxy& proxy, const Origin& origin);
  Answer<KeyFacts> Metadata(const Proxy& proxy, const Origin& origin, std::string_view key);
  Answer<Encrypted> Encrypt(const Proxy& proxy, const Origin& origin, std::string_view key,
                            ByteView plaintext, ByteView aad);
  // Decrypt: parts and aad as Encrypt had them.
  Answer<Bytes> Decrypt(const Proxy& proxy, const Origin& origin, std::string_view key,
                        const Encrypted& parts, ByteView aad);

 private:
  class Turn;
  ProxyClient(ProxyOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  // Post returns the body of an answer with status 200.
  Answer<std::string> Post(const Proxy& proxy, std::string_view suffix, std::string body);
  Answer<std::string> Send(http::ClientRequest request, std::string_view endpoint);
  Result<std::unique_ptr<http::Client>> TakeClient();

  const ProxyOptions options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<http::Client>> idle_;
  std::map<std::string, unsigned, std::less<>> under_way_;
};

}  // namespace keyturn::xks
