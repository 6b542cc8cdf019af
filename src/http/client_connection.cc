#include "http/client_connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace keyturn::http {
namespace {

constexpr std::size_t kTunnelAnswerMax = 64 << 10;

std::string PlaceOf(const std::string& host, std::uint16_t port) {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port);
}

std::string TunnelRequest(const Authority& authority, const Proxy& proxy) {
  const std::string place = PlaceOf(authority.host, authority.port);
  std::string text = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n";
  if (!proxy.authorization.empty()) {
    text += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  }
  return text + "Proxy-Connection: Keep-Alive\r\n\r\n";
}

// StepOf a transfer without TLS; later is what to wait for.
TlsStep StepOf(const Transfer& transfer, TlsStep later) {
  switch (transfer.state) {
    case TransferState::kDone:
      return TlsStep::kDone;
    case TransferState::kWouldBlock:
      return later;
    case TransferState::kEnded:
      return TlsStep::kClosed;
    case TransferState::kFailed:
      break;
  }
  return TlsStep::kFailed;
}

}  // namespace

void ClientConnection::Close() {
  if (tls_ && state_ == State::kIdle) tls_->Shutdown();
  tls_.reset();
  socket_.Close();  // which takes it out of epoll, too
  watched_ = 0;
}

ClientConnection::Progress ClientConnection::Fails(std::string message) {
  error_ = {ErrorCode::kNetwork, std::move(message), {}};
  return Progress::kFailed;
}

ClientConnection::Progress ClientConnection::FailsOf(const Error& error) {
  error_ = error;
  return Progress::kFailed;
}

ClientConnection::Progress ClientConnection::Waits(std::uint32_t events) {
  if (events == watched_) return Progress::kBusy;
  epoll_event event{};
  event.events = events;
  event.data.ptr = owner_;
  const int how = watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  watched_ = events;
  if (epoll_ctl(epoll_, how, socket_.descriptor(), &event) == 0) return Progress::kBusy;
  return Fails(std::string("cannot wait for the connection: ") + std::strerror(errno));
}

// --- Getting there ------------------------------------------------------------------------------

ClientConnection::Progress ClientConnection::Connect(std::vector<SocketAddress> addresses,
                                                     const ClientRequest& request,
                                                     std::size_t bytes_max) {
  addresses_ = std::move(addresses);
  std::reverse(addresses_.begin(), addresses_.end());
  request_ = &request;
  bytes_max_ = bytes_max;
  error_ = {ErrorCode::kNetwork, "there is no address", {}};
  return TryAddresses();
}

ClientConnection::Progress ClientConnection::TryAddresses() {
  state_ = State::kConnecting;
  while (!addresses_.empty()) {
    Close();
    auto socket = Socket::Connect(addresses_.back());
    addresses_.pop_back();
    if (socket) {
      socket_ = *std::move(socket);
      socket_.SetNoDelay();
      return Waits(EPOLLOUT);
    }
    error_.message = socket.error().message;
  }
  const bool by_proxy = route_.proxy != nullptr;
  const std::string place = by_proxy ? PlaceOf(route_.proxy->host, route_.proxy->port)
                                     : PlaceOf(route_.authority->host, route_.authority->port);
  return Fails((by_proxy ? "cannot connect to the proxy " : "cannot connect to ") + place + ": " +
               error_.message);
}

ClientConnection::Ended ClientConnection::FinishConnect() {
  if (const Status connected = socket_.Connected(); !connected) {
    error_.message = connected.error().message;
    return TryAddresses();
  }
  return Prepare();
}

// Prepare goes from what is reached to what comes next: the tunnel, TLS, the request.
ClientConnection::Ended ClientConnection::Prepare() {
  const bool tunnels = route_.proxy != nullptr && route_.tls != nullptr;
  output_.clear();
  sent_ = 0;
  send_error_ = {};
  if (tunnels && !tunnel_open_) {
    tunnel_asked_ = true;
    output_ = TunnelRequest(*route_.authority, *route_.proxy);
    reader_.Begin(kTunnelAnswerMax, true);
    state_ = State::kSending;
  } else if (route_.tls != nullptr && !tls_) {
    tls_ = ClientTlsSession::Create(*route_.tls, socket_, route_.authority->host, *route_.ticket);
    if (!tls_) return Fails("there is no memory for a TLS session");
    state_ = State::kHandshake;
  } else {
    const bool absolute = route_.proxy != nullptr && !tunnels;
    std::string more;
    if (absolute && !route_.proxy->authorization.empty()) {
      more = "Proxy-Authorization: " + route_.proxy->authorization + "\r\n";
    }
    AppendRequest(*request_, *route_.authority, absolute, more, output_);
    reader_.Begin(bytes_max_, request_->method == "HEAD");
    state_ = State::kSending;
  }
  return std::nullopt;
}

ClientConnection::Ended ClientConnection::Handshake() {
  switch (tls_->Handshake()) {
    case TlsStep::kDone:
      return Prepare();
    case TlsStep::kWantRead:
      return Waits(EPOLLIN);
    case TlsStep::kWantWrite:
      return Waits(EPOLLOUT);
    case TlsStep::kClosed:
      return Fails("the connection was closed during the TLS handshake");
    case TlsStep::kFailed:
      break;
  }
  return FailsOf(tls_->error());
}

// --- Request and answer -------------------------------------------------------------------------

ClientConnection::Progress ClientConnection::Reuse(const ClientRequest& request,
                                                   std::size_t bytes_max) {
  request_ = &request;
  bytes_max_ = bytes_max;
  reused_ = true;
  const Ended ended = Prepare();
  return ended ? *ended : Advance();
}

TlsStep ClientConnection::Write(std::string_view text, std::size_t& count) {
  if (tls_) return tls_->Write(text, count);
  const Transfer sent = socket_.Send(text);
  count = sent.count;
  return StepOf(sent, TlsStep::kWantWrite);
}

TlsStep ClientConnection::Read(std::size_t& count) {
  if (tls_) return tls_->Read(scratch_, count);
  const Transfer received = socket_.Receive(scratch_);
  count = received.count;
  return StepOf(received, TlsStep::kWantRead);
}

ClientConnection::Ended ClientConnection::Send() {
  while (sent_ < output_.size()) {
    std::size_t count = 0;
    const TlsStep step = Write(std::string_view(output_).substr(sent_), count);
    if (step == TlsStep::kWantWrite) return Waits(EPOLLOUT);
    if (step == TlsStep::kWantRead) return Waits(EPOLLIN);
    if (step != TlsStep::kDone) {
      // Who refuses a request before it is whole may have said why.
      const int number = errno;
      send_error_ = tls_ ? tls_->error() : Error{ErrorCode::kNetwork, std::strerror(number), {}};
      if (send_error_.message.empty()) send_error_.message = "the connection was closed";
      state_ = State::kReceiving;
      return std::nullopt;
    }
    sent_ += count;
  }
  state_ = State::kReceiving;
  return Waits(EPOLLIN);
}

ClientConnection::Ended ClientConnection::Receive() {
  for (;;) {
    std::size_t count = 0;
    switch (Read(count)) {
      case TlsStep::kDone:
        break;
      case TlsStep::kWantRead:
        if (!send_error_.message.empty()) return FailsOf(send_error_);
        return Waits(EPOLLIN);
      case TlsStep::kWantWrite:
        return Waits(EPOLLOUT);
      case TlsStep::kClosed:
        if (reader_.End() == ResponseReader::State::kDone) return Answered(true);
        return Fails(reader_.has_begun() ? "the connection was closed within the answer"
                                         : "the connection was closed without an answer");
      case TlsStep::kFailed:
        return tls_ ? FailsOf(tls_->error()) : Fails(std::strerror(errno));
    }
    switch (reader_.Put({scratch_.data(), count})) {
      case ResponseReader::State::kMore:
        continue;
      case ResponseReader::State::kDone:
        return Answered(false);
      case ResponseReader::State::kMalformed:
        return Fails("the answer is not HTTP");
      case ResponseReader::State::kTooLarge:
        return Fails("the answer is larger than " + std::to_string(bytes_max_) + " bytes");
    }
  }
}

ClientConnection::Ended ClientConnection::Answered(bool ended) {
  if (tunnel_asked_ && !tunnel_open_) {
    const ClientResponse response = reader_.Take();
    if (response.status / 100 != 2) {
      return Fails("the proxy " + PlaceOf(route_.proxy->host, route_.proxy->port) +
                   " refuses to connect to " + route_.authority->host + ": HTTP " +
                   std::to_string(response.status));
    }
    if (ended) return Fails("the proxy closed the connection");
    tunnel_open_ = true;
    return Prepare();
  }
  reusable_ =
      !ended && send_error_.message.empty() && sent_ == output_.size() && reader_.keep_alive();
  state_ = State::kIdle;
  return Progress::kAnswered;
}

ClientConnection::Progress ClientConnection::Advance() {
  for (;;) {
    Ended ended;
    switch (state_) {
      case State::kConnecting:
        ended = FinishConnect();
        break;
      case State::kHandshake:
        ended = Handshake();
        break;
      case State::kSending:
        ended = Send();
        break;
      case State::kReceiving:
        ended = Receive();
        break;
      case State::kIdle:
        return Progress::kBusy;
    }
    if (ended) return *ended;
  }
}

// StillOpen: reading, not peeking, since a TLS server may send tickets at any time, and since a
// record may have come with the last answer's and wait in OpenSSL, where no event speaks of it.
bool ClientConnection::StillOpen() {
  std::size_t count = 0;
  return Read(count) == TlsStep::kWantRead;
}

}  // namespace keyturn::http
