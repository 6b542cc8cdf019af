// HTTP/1.1 server: accepts, parses, limits, and hands whole requests to a Handler; replies may come
// later. Boost.Asio and Beast stay in the .cc files.
//
// Threads: one event loop a thread, each with its own SO_REUSEPORT listener; a connection lives on
// one loop. Handler::OnRequest runs on the connection's loop. Exchange::Reply must run on that same
// loop; other threads go through Loop::Post.
// Limits: headers 16 KiB, body by Options, idle and slow connections closed by a coarse sweep.
// Refused by the server itself, with the connection closed after it: 400 malformed, 408 slow, 413
// body too large, 417 unknown expectation, 431 head too large, 501 transfer coding other than
// chunked, 505 version other than 1.0 and 1.1.
// Pipelined requests of a connection are handed out one at a time, the next after the reply.
// Source: RFC 9110, RFC 9112.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace keyturn::http {

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

struct TlsDetails {
  std::string_view version;       // "TLSv1.3"
  std::string_view cipher_suite;  // "TLS_AES_128_GCM_SHA256"
};

// RequestView: valid until the exchange is replied to or dropped.
struct RequestView {
  std::string_view method;
  std::string_view target;  // path and query as received
  std::string_view path;
  std::string_view query;
  std::vector<HeaderView> headers;  // in the order received
  std::string_view body;
  std::string_view remote_address;  // "127.0.0.1"
  std::optional<TlsDetails> tls;

  // Header returns the first header of that name (case-insensitive), or empty.
  std::string_view Header(std::string_view name) const;
};

class Loop {
 public:
  virtual ~Loop() = default;
  // Post runs fn on the loop's thread, after the work that is ready now. Thread-safe. After the
  // server has stopped fn is destroyed without being run.
  virtual void Post(std::function<void()> fn) = 0;
  // index of the loop, 0 .. threads - 1, for per-loop state.
  virtual std::size_t index() const = 0;
};

// Exchange: one request and its one reply.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const RequestView& request() const = 0;
  virtual Loop& loop() = 0;
  // Reply sends a complete HTTP reply: head is everything from the status line up to and including
  // the blank line, without the Connection header, which the server knows best and adds. Exactly
  // once; an exchange dropped without a reply closes the connection. Nothing happens when the
  // client has gone. For HEAD the body is not sent. Never calls OnRequest before it returns. Both
  // texts are copied.
  virtual void Reply(std::string_view head, std::string_view body) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // OnRequest takes the exchange; it may reply now or keep it and reply later on the same loop.
  // Called by several loops at once when there are several threads.
  virtual void OnRequest(std::shared_ptr<Exchange> exchange) = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the kernel chooses
  unsigned threads = 1;
  std::size_t body_bytes_max = 1 << 20;
  std::string tls_certificate_file;  // PEM chain; empty: plain HTTP, loopback addresses only
  std::string tls_key_file;
  unsigned idle_timeout_seconds = 60;
  unsigned request_timeout_seconds = 20;  // from first byte to whole request
  std::size_t connections_max = 10000;    // over all threads; more are accepted and closed
  // How often each loop looks for idle and slow connections: timeouts are late by up to this much.
  std::chrono::milliseconds sweep_interval{1000};
  // One system call for what many connections receive or send, where the kernel offers io_uring.
  bool shares_calls = true;
  // What the timeouts are measured with; empty: the steady clock. Called by every loop.
  std::function<std::chrono::steady_clock::time_point()> steady_now;
};

class Server {
 public:
  // Start listens; kUsage when a non-loopback address is asked for without TLS or files cannot be
  // read, kIo when the port is taken. handler must outlive the server.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler& handler);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // loop: index below ServerOptions::threads. Valid until the server is destroyed.
  virtual Loop& loop(std::size_t index) = 0;
  // Stop: no new connections, idle ones closed, requests under way get their reply, for at most
  // drain_seconds; then joins the threads. Not on a loop's thread. Further calls do nothing.
  // Exchanges that are still held may be dropped or replied to afterwards, to no effect.
  virtual void Stop(unsigned drain_seconds) = 0;
};

// IsLoopbackAddress: 127.0.0.0/8 and ::1, as literals only.
bool IsLoopbackAddress(std::string_view address);

// SplitListen splits "127.0.0.1:8080" or "[::1]:8080"; kUsage with the reason otherwise.
Result<std::pair<std::string, std::uint16_t>> SplitListen(std::string_view text);

}  // namespace keyturn::http
