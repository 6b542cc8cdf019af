// HTTP client: many requests at once over kept-alive connections. Its own connections
// (pooled_client.h), or libcurl's where the environment names a proxy that needs it; docs/adr/0012.
//
// A request may reach the server twice: one on a kept connection that ends before anything of its
// answer has come is sent once more on a new one, as HTTP clients do whose connections are closed
// by servers at any moment. Such a server may have carried it out. Submit only what may be carried
// out twice: what reads, what sets a state, what the server knows again by an id. The first request
// of a client is never repeated.
//
// Single-threaded: the owner submits and pumps.
// TLS: peer and host name are always verified; CA bundle from options, else the system's. Proxies
// by the usual environment variables. HTTP/1.1; redirects are not followed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace keyturn::http {

struct ClientRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  // sent as they are, nothing added
                                                             // but Host and Content-Length
  std::string body;
  // Instead of ClientOptions's, for endpoints that other authorities vouch for.
  std::string ca_bundle_file{};
  // From the moment a connection of its host is free for it (connections_per_host_max), to the
  // whole answer.
  std::chrono::milliseconds timeout{30000};
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // Header returns the first of that lower-case name, or empty.
  std::string_view Header(std::string_view lower_name) const;
};

struct ClientOptions {
  std::string ca_bundle_file;  // empty: the system's
  std::size_t connections_per_host_max = 64;
  // connections_max: so many are kept open, of all hosts; those in use may be more.
  std::size_t connections_max = 256;
  std::size_t response_bytes_max = 16 << 20;
  bool direct = false;  // never through a proxy
};

class Client {
 public:
  using Done = std::function<void(Result<ClientResponse>)>;

  // Create reads the environment's proxies. kUsage when the CA bundle cannot be read.
  static Result<std::unique_ptr<Client>> Create(const ClientOptions& options);
  virtual ~Client() = default;

  // Submit starts a request; done runs inside Pump or CancelAll, exactly once: an answer of any
  // status, or kNetwork (also for an answer above response_bytes_max), kTimeout, kCancelled; kUsage
  // for a URL that is not http or https and for a line break in a header. done may Submit, but
  // neither Pump nor end the client. Requests under way when the client ends are dropped: their
  // done is destroyed without being run.
  virtual void Submit(ClientRequest request, Done done) = 0;
  // Pump moves data and runs callbacks; waits at most max_wait when nothing is ready. Returns the
  // number of requests still under way.
  virtual std::size_t Pump(std::chrono::milliseconds max_wait) = 0;
  // CancelAll finishes every request under way with kCancelled.
  virtual void CancelAll() = 0;
};

}  // namespace keyturn::http
