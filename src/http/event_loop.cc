// The event loops and the connections, on Boost.Asio.
//
// Speed, as measured against nginx on one core: executors are typed, no timer belongs to a
// connection (one sweep a loop), a connection keeps its buffers, and a reply leaves in one write
// which is tried at once before the reactor is asked.
#include "http/event_loop.h"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "http/session.h"

namespace keyturn::http {
namespace {

namespace asio = boost::asio;
using Code = boost::system::error_code;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using SteadyTime = std::chrono::steady_clock::time_point;
using SweepTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, Executor>;

// After this many requests without a pause a connection lets the others have their turn.
constexpr int kRequestsPerTurn = 16;
// How long a client may take to read a reply after which the server closes.
constexpr std::chrono::seconds kLingerTime{2};
// Connections taken from the kernel's queue when the server stops.
constexpr int kLastConnectionsMax = 4096;

class Connection;

class LoopImpl final : public EventLoop, public std::enable_shared_from_this<LoopImpl> {
 public:
  LoopImpl(std::shared_ptr<SharedState> shared, std::size_t index)
      : shared_(std::move(shared)),
        index_(index),
        context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
        acceptor_(context_),
        timer_(context_),
        now_(Now()) {}

  void Post(std::function<void()> fn) override;
  std::size_t index() const override { return index_; }

  void Listen(int descriptor, bool is_ipv6) override;
  void Run() override;
  void StartDrain() override;
  void CloseAll() override;

  // The rest on the loop's thread only.
  static LoopImpl*& Current() {
    thread_local LoopImpl* current = nullptr;
    return current;
  }
  bool RunsHere() const override { return Current() == this; }
  SharedState& shared() { return *shared_; }
  // Stamp is not before the present, so that no timeout comes early: now_ is of the last sweep.
  SteadyTime Stamp() const { return now_ + shared_->options.sweep_interval; }
  bool draining() const { return draining_; }
  asio::io_context& context() { return context_; }
  void Remove(Connection& connection);

 private:
  SteadyTime Now() const {
    const auto& given = shared_->options.steady_now;
    return given ? given() : std::chrono::steady_clock::now();
  }
  void Accept();
  void OnAccept(Code ec, Socket socket, const Tcp::endpoint& peer);
  void Admit(Socket socket, const Tcp::endpoint& peer);
  void ScheduleSweep();
  void Sweep();
  void RunContext();

  const std::shared_ptr<SharedState> shared_;
  const std::size_t index_;
  asio::io_context context_;
  Acceptor acceptor_;
  SweepTimer timer_;
  Tcp::endpoint peer_;
  SteadyTime now_;
  std::vector<std::shared_ptr<Connection>> connections_;
  bool draining_ = false;
  bool accept_paused_ = false;
  std::mutex finish_mutex_;
  bool finished_ = false;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<LoopImpl> loop, Socket socket, std::string remote_address);

  void Start();
  void Close();
  void SweepAt(SteadyTime now);
  void CloseIfIdle();

  const RequestView& request() const { return session_.request(); }
  LoopImpl& loop() { return *loop_; }
  void Reply(std::string_view head, std::string_view body);
  void OnDropped();

  std::size_t place = 0;  // among the loop's connections

 private:
  enum class State { kReading, kHandling, kReplying, kLingering, kClosed };

  void Read();
  void OnRead(Code ec, std::size_t count);
  void Advance();
  void Handle();
  void Resume();
  void SendReply();
  bool Flush();
  void WriteLater();
  void OnWritten(Code ec, std::size_t count);
  void FinishReply();
  void CloseGently();

  // First, so that it outlives the socket: the loop owns the io_context.
  const std::shared_ptr<LoopImpl> loop_;
  Socket socket_;
  Session session_;
  State state_ = State::kReading;
  bool in_advance_ = false;
  bool reading_ = false;
  bool request_begun_ = false;
  bool keep_ = true;
  bool linger_ = false;
  SteadyTime since_;  // of the state, or of the last progress in it
};

// OneExchange: a request's handle; its end tells the connection when nobody has replied.
class OneExchange final : public Exchange {
 public:
  explicit OneExchange(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~OneExchange() override {
    if (!replied_) {
      connection_->OnDropped();
    }
  }
  OneExchange(const OneExchange&) = delete;
  OneExchange& operator=(const OneExchange&) = delete;

  const RequestView& request() const override { return connection_->request(); }
  Loop& loop() override { return connection_->loop(); }
  void Reply(std::string_view head, std::string_view body) override {
    KT_CHECK(!replied_);
    replied_ = true;
    connection_->Reply(head, body);
  }

 private:
  const std::shared_ptr<Connection> connection_;
  bool replied_ = false;
};

// --- Connection ---------------------------------------------------------------------------------

Connection::Connection(std::shared_ptr<LoopImpl> loop, Socket socket, std::string remote_address)
    : loop_(std::move(loop)),
      socket_(std::move(socket)),
      session_(loop_->shared().options.body_bytes_max, loop_->shared().tls.get(),
               std::move(remote_address)),
      since_(loop_->Stamp()) {}

void Connection::Start() {
  Code ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  if (!session_.valid()) {
    Close();
    return;
  }
  request_begun_ = session_.handshaking();  // which has as long as a request
  Read();
}

void Connection::Close() {
  if (state_ != State::kClosed) {
    state_ = State::kClosed;
    Code ignored;
    socket_.close(ignored);
    loop_->Remove(*this);
  }
}

void Connection::SweepAt(SteadyTime now) {
  const ServerOptions& options = loop_->shared().options;
  const auto waited = now - since_;
  switch (state_) {
    case State::kReading:
      if (request_begun_ && waited >= std::chrono::seconds(options.request_timeout_seconds)) {
        if (session_.handshaking()) {
          Close();
        } else {
          session_.Refuse(408, "the request did not arrive in time");
          keep_ = false;
          linger_ = true;
          SendReply();
        }
      } else if (!request_begun_ && waited >= std::chrono::seconds(options.idle_timeout_seconds)) {
        Close();
      }
      break;
    case State::kReplying:
      if (waited >= std::chrono::seconds(options.idle_timeout_seconds)) {
        Close();
      }
      break;
    case State::kLingering:
      if (waited >= kLingerTime) {
        Close();
      }
      break;
    case State::kHandling:
    case State::kClosed:
      break;
  }
}

void Connection::CloseIfIdle() {
  Code ignored;
  if (state_ == State::kReading && !request_begun_ && socket_.available(ignored) == 0) {
    Close();
  }
}

void Connection::Read() {
  if (reading_) {
    return;
  }
  reading_ = true;
  const auto space = session_.receive_space();
  socket_.async_read_some(
      asio::buffer(space.data(), space.size()),
      [self = shared_from_this()](Code ec, std::size_t count) { self->OnRead(ec, count); });
}

void Connection::OnRead(Code ec, std::size_t count) {
  reading_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (ec || count == 0) {
    Close();
    return;
  }
  if (state_ == State::kLingering) {
    Read();  // what comes is dropped; the sweep ends it
    return;
  }
  if (!request_begun_) {
    request_begun_ = true;
    since_ = loop_->Stamp();
  }
  session_.Received(count);
  Advance();
}

// Advance serves every request that is there, until one is late with its reply or bytes are
// missing.
void Connection::Advance() {
  for (int served = 0; state_ == State::kReading; ++served) {
    if (served == kRequestsPerTurn) {
      loop_->Post([self = shared_from_this()] { self->Advance(); });
      return;
    }
    const bool was_handshaking = session_.handshaking();
    const Session::Step step = session_.Next();
    if (was_handshaking && !session_.handshaking()) {
      request_begun_ = session_.has_unread();
      since_ = loop_->Stamp();
    }
    switch (step) {
      case Session::Step::kRequest:
        Handle();
        break;
      case Session::Step::kNeedMore:
        Flush();  // of a handshake, or a 100 Continue
        if (state_ == State::kReading) {
          Read();
        }
        return;
      case Session::Step::kRefused:
        keep_ = false;
        linger_ = true;
        SendReply();
        return;
      case Session::Step::kEnded:
        Flush();  // the alert, if it gets through
        Close();
        return;
    }
  }
}

void Connection::Handle() {
  state_ = State::kHandling;
  in_advance_ = true;
  try {
    loop_->shared().handler->OnRequest(std::make_shared<OneExchange>(shared_from_this()));
  } catch (const std::exception& e) {
    LogError("a request ended by an exception: {}", e.what());
    Close();
  }
  in_advance_ = false;
}

// Resume goes on after a late reply, but never inside the handler's call of Reply.
void Connection::Resume() {
  if (in_advance_) {
    return;
  }
  if (session_.has_unread()) {
    loop_->Post([self = shared_from_this()] { self->Advance(); });
  } else {
    Read();
  }
}

void Connection::Reply(std::string_view head, std::string_view body) {
  KT_CHECK(loop_->RunsHere());
  if (state_ == State::kClosed) {
    return;
  }
  KT_CHECK(state_ == State::kHandling);
  keep_ = session_.Reply(head, body, !loop_->draining());
  SendReply();
}

void Connection::OnDropped() {
  if (!loop_->RunsHere()) {
    loop_->Post([self = shared_from_this()] { self->OnDropped(); });
  } else if (state_ == State::kHandling) {
    Close();
  }
}

void Connection::SendReply() {
  state_ = State::kReplying;
  since_ = loop_->Stamp();
  if (Flush()) {
    FinishReply();
  }
}

// Flush is true when everything has been sent; otherwise the rest follows by itself, then
// OnWritten, or the connection has been closed.
bool Connection::Flush() {
  OutputBuffer& output = session_.output();
  if (output.sending() || state_ == State::kClosed) {
    return false;
  }
  while (!output.pending().empty()) {
    Code ec;
    const auto text = output.pending();
    const std::size_t count = socket_.send(asio::buffer(text.data(), text.size()), 0, ec);
    if (ec == asio::error::would_block) {
      WriteLater();
      return false;
    }
    if (ec) {
      Close();
      return false;
    }
    output.Sent(count);
  }
  return true;
}

void Connection::WriteLater() {
  OutputBuffer& output = session_.output();
  output.BeginSending();
  const auto text = output.pending();
  socket_.async_write_some(
      asio::buffer(text.data(), text.size()),
      [self = shared_from_this()](Code ec, std::size_t count) { self->OnWritten(ec, count); });
}

void Connection::OnWritten(Code ec, std::size_t count) {
  OutputBuffer& output = session_.output();
  output.Sent(count);
  output.EndSending();
  if (state_ == State::kClosed) {
    return;
  }
  if (ec) {
    Close();
    return;
  }
  if (state_ == State::kReplying) {
    since_ = loop_->Stamp();
  }
  if (Flush() && state_ == State::kReplying) {
    FinishReply();
  }
}

void Connection::FinishReply() {
  if (!keep_) {
    CloseGently();
    return;
  }
  session_.Finish();
  state_ = State::kReading;
  request_begun_ = session_.has_unread();
  since_ = loop_->Stamp();
  Resume();
}

// CloseGently lets the client read the reply first: closing a socket that has unread bytes resets
// the connection, which can take the reply with it.
void Connection::CloseGently() {
  session_.EndOutput();
  if (!Flush()) {
    Close();
    return;
  }
  Code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  if (!linger_ && socket_.available(ignored) == 0) {
    Close();
    return;
  }
  state_ = State::kLingering;
  since_ = loop_->Stamp();
  if (!reading_) {
    session_.DropInput();
    Read();
  }
}

// --- LoopImpl -----------------------------------------------------------------------------------

void LoopImpl::Post(std::function<void()> fn) {
  if (RunsHere()) {
    asio::post(context_, std::move(fn));
    return;
  }
  const std::lock_guard lock(finish_mutex_);
  if (!finished_) {
    asio::post(context_, std::move(fn));
  }
}

void LoopImpl::Listen(int descriptor, bool is_ipv6) {
  acceptor_.assign(is_ipv6 ? Tcp::v6() : Tcp::v4(), descriptor);
  Accept();
  ScheduleSweep();
}

void LoopImpl::Accept() {
  acceptor_.async_accept(context_.get_executor(), peer_, [this](Code ec, Socket socket) {
    OnAccept(ec, std::move(socket), peer_);
  });
}

void LoopImpl::OnAccept(Code ec, Socket socket, const Tcp::endpoint& peer) {
  if (ec == asio::error::operation_aborted || !acceptor_.is_open()) {
    return;
  }
  if (ec && ec != asio::error::connection_aborted) {
    // Out of descriptors or memory: trying again at once would only spin.
    LogWarning("cannot accept a connection: {}", ec.message());
    accept_paused_ = true;
    return;
  }
  if (!ec) {
    Admit(std::move(socket), peer);
  }
  Accept();
}

void LoopImpl::Admit(Socket socket, const Tcp::endpoint& peer) {
  if (shared_->connections.fetch_add(1) >= shared_->options.connections_max) {
    shared_->connections.fetch_sub(1);
    return;  // the socket closes
  }
  auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket),
                                                 peer.address().to_string());
  connection->place = connections_.size();
  connections_.push_back(connection);
  connection->Start();
}

void LoopImpl::Remove(Connection& connection) {
  const std::size_t place = connection.place;
  KT_CHECK(place < connections_.size() && connections_[place].get() == &connection);
  const auto keep_alive = std::move(connections_[place]);
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place = place;
  }
  connections_.pop_back();
  shared_->connections.fetch_sub(1);
  if (draining_ && connections_.empty()) {
    timer_.cancel();
  }
}

void LoopImpl::ScheduleSweep() {
  timer_.expires_after(shared_->options.sweep_interval);
  timer_.async_wait([this](Code ec) {
    if (!ec) {
      Sweep();
    }
  });
}

void LoopImpl::Sweep() {
  now_ = Now();
  for (std::size_t i = connections_.size(); i-- > 0;) {  // a closed one is replaced by the last
    const auto connection = connections_[i];
    connection->SweepAt(now_);
  }
  if (accept_paused_ && acceptor_.is_open()) {
    accept_paused_ = false;
    Accept();
  }
  if (!draining_ || !connections_.empty()) {
    ScheduleSweep();
  }
}

void LoopImpl::StartDrain() {
  draining_ = true;
  // Connections that the kernel has accepted for us have perhaps sent a request already.
  Code ec;
  acceptor_.non_blocking(true, ec);
  for (int i = 0; i < kLastConnectionsMax && !ec; ++i) {
    Socket socket(context_);
    acceptor_.accept(socket, peer_, ec);
    if (!ec) {
      Admit(std::move(socket), peer_);
    }
  }
  acceptor_.close(ec);
  for (std::size_t i = connections_.size(); i-- > 0;) {
    const auto connection = connections_[i];
    connection->CloseIfIdle();
  }
  if (connections_.empty()) {
    timer_.cancel();
  }
}

void LoopImpl::CloseAll() {
  while (!connections_.empty()) {
    const auto connection = connections_.back();
    connection->Close();
  }
}

void LoopImpl::RunContext() {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& e) {
      // Its exchange has been dropped on the way here, so that the client sees a closed connection.
      LogError("a request ended by an exception: {}", e.what());
    }
  }
}

void LoopImpl::Run() {
  Current() = this;
  RunContext();
  {
    const std::lock_guard lock(finish_mutex_);
    finished_ = true;
  }
  context_.restart();  // what was posted between the end of the run and the mark
  RunContext();
  Current() = nullptr;
}

}  // namespace

std::shared_ptr<EventLoop> EventLoop::Create(std::shared_ptr<SharedState> shared,
                                             std::size_t index) {
  return std::make_shared<LoopImpl>(std::move(shared), index);
}

}  // namespace keyturn::http
