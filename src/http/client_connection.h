// ClientConnection: one connection of the pooled client, from the first attempt to reach an address
// to the last answer: proxy, TLS, request, answer, and idle in between. Private to this room.
//
// One thread. It never waits: each step does what the socket allows and asks the epoll that it was
// made with for the next event, with itself as the event's pointer to what was given as `owner`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "http/client_request.h"
#include "http/client_tls.h"
#include "http/proxy_rules.h"
#include "http/resolver.h"
#include "http/response_reader.h"
#include "http/socket.h"

namespace keyturn::http {

// Route: where a connection leads. What it points to outlives the connection.
struct Route {
  const Authority* authority = nullptr;
  const Proxy* proxy = nullptr;           // null: directly
  const ClientTlsContext* tls = nullptr;  // null: plain
  TlsTicket* ticket = nullptr;
};

class ClientConnection {
 public:
  enum class Progress { kBusy, kAnswered, kFailed };

  // scratch is where bytes are received, for the length of a call.
  ClientConnection(const Route& route, int epoll, void* owner, std::span<char> scratch)
      : route_(route), epoll_(epoll), owner_(owner), scratch_(scratch) {}
  ~ClientConnection() { Close(); }
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Connect begins with the first address that can be reached, and sends the request, which must
  // live until it is answered.
  Progress Connect(std::vector<SocketAddress> addresses, const ClientRequest& request,
                   std::size_t bytes_max);
  // Reuse sends the next request on a connection that is idle and StillOpen.
  Progress Reuse(const ClientRequest& request, std::size_t bytes_max);
  // OnReady goes on after an event.
  Progress OnReady() { return Advance(); }
  // NextAddress gives up the address that does not answer.
  Progress NextAddress() { return TryAddresses(); }
  bool has_more_addresses() const { return state_ == State::kConnecting && !addresses_.empty(); }

  // StillOpen looks at a connection that is idle: false when the server has ended it, or has sent
  // what nobody asked for and the next request would take for its answer.
  bool StillOpen();

  // After kAnswered.
  ClientResponse TakeResponse() { return reader_.Take(); }
  bool reusable() const { return reusable_; }
  // After kFailed. may_retry: a kept connection ended before anything of the answer came. Most
  // likely the server had closed it already; that it carried the request out first cannot be told
  // from that, which is why client.h says what may be submitted.
  const Error& error() const { return error_; }
  bool may_retry() const { return reused_ && !reader_.has_begun(); }

 private:
  enum class State { kConnecting, kHandshake, kSending, kReceiving, kIdle };
  using Ended = std::optional<Progress>;  // nullopt: the next state follows at once

  Progress Advance();
  Progress TryAddresses();
  Ended FinishConnect();
  Ended Prepare();
  Ended Handshake();
  Ended Send();
  Ended Receive();
  Ended Answered(bool ended);
  Progress Fails(std::string message);
  Progress FailsOf(const Error& error);
  Progress Waits(std::uint32_t events);
  void Close();

  TlsStep Read(std::size_t& count);
  TlsStep Write(std::string_view text, std::size_t& count);

  const Route route_;
  const int epoll_;
  void* const owner_;
  const std::span<char> scratch_;
  Socket socket_;
  std::uint32_t watched_ = 0;
  State state_ = State::kConnecting;
  std::vector<SocketAddress> addresses_;  // not tried yet, the next one last
  std::unique_ptr<ClientTlsSession> tls_;
  const ClientRequest* request_ = nullptr;
  std::size_t bytes_max_ = 0;
  std::string output_;
  std::size_t sent_ = 0;
  ResponseReader reader_;
  bool tunnel_asked_ = false;
  bool tunnel_open_ = false;
  bool reused_ = false;
  bool reusable_ = false;
  Error error_;
  Error send_error_;  // of a request that could not be sent whole; an answer may have come before
};

}  // namespace keyturn::http
