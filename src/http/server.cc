// The event loops, the connections and the server, on Boost.Asio.
//
// Speed, as measured against nginx on one core: executors are typed, no timer belongs to a
// connection (one sweep a loop), a connection keeps its buffers, and a reply leaves in one write
// which is tried at once before the reactor is asked.
#include "http/server.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "base/log.h"
#include "http/input_buffer.h"
#include "http/listen_socket.h"
#include "http/reply.h"
#include "http/request_parser.h"
#include "http/tls.h"

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
constexpr std::size_t kOutputBytesKept = 65536;
// How long a client may take to read a reply after which the server closes.
constexpr std::chrono::seconds kLingerTime{2};

class Connection;

// What all loops of a server share; read-only but for the count.
struct Shared {
  ServerOptions options;
  Handler* handler = nullptr;
  std::shared_ptr<const TlsContext> tls;
  std::atomic<std::size_t> connections{0};

  SteadyTime Now() const {
    return options.steady_now ? options.steady_now() : std::chrono::steady_clock::now();
  }
};

class LoopImpl final : public Loop, public std::enable_shared_from_this<LoopImpl> {
 public:
  LoopImpl(std::shared_ptr<Shared> shared, std::size_t index)
      : shared_(std::move(shared)),
        index_(index),
        context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
        acceptor_(context_),
        timer_(context_),
        now_(shared_->Now()) {}

  void Post(std::function<void()> fn) override;
  std::size_t index() const override { return index_; }

  void Listen(int descriptor, bool is_ipv6);
  void Run();  // until drained
  void StartDrain();
  void CloseAll();

  // The rest on the loop's thread only.
  static LoopImpl*& Current() {
    thread_local LoopImpl* current = nullptr;
    return current;
  }
  bool RunsHere() const { return Current() == this; }
  Shared& shared() { return *shared_; }
  // Stamp is not before the present, so that no timeout comes early: now_ is of the last sweep.
  SteadyTime Stamp() const { return now_ + shared_->options.sweep_interval; }
  bool draining() const { return draining_; }
  asio::io_context& context() { return context_; }
  void Remove(Connection& connection);

 private:
  void Accept();
  void OnAccept(Code ec, Socket socket, const Tcp::endpoint& peer);
  void Admit(Socket socket, const Tcp::endpoint& peer);
  void ScheduleSweep();
  void Sweep();
  void RunContext();

  const std::shared_ptr<Shared> shared_;
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

  const RequestView& view() const { return view_; }
  LoopImpl& loop() { return *loop_; }
  void Reply(std::string_view head, std::string_view body);
  void OnDropped();

  std::size_t place = 0;  // among the loop's connections

 private:
  enum class State { kReading, kHandling, kReplying, kLingering, kClosed };

  void Read();
  void OnRead(Code ec, std::size_t count);
  bool Decrypt();
  void Advance();
  void Handle();
  void Resume();
  void Refuse(int status, std::string_view reason);
  void SendReply();
  void Output(std::string_view text);
  bool Flush();
  void WriteLater();
  void OnWritten();
  void FinishReply();
  void CloseGently();

  // First, so that it outlives the socket: the loop owns the io_context.
  const std::shared_ptr<LoopImpl> loop_;
  Socket socket_;
  const std::string remote_address_;
  InputBuffer input_{kHeadBytesMax};
  RequestParser parser_;
  RequestView view_;
  State state_ = State::kReading;
  bool in_advance_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool request_begun_ = false;
  bool keep_ = true;
  bool linger_ = false;
  SteadyTime since_;    // of the state, or of the last progress in it
  std::string output_;  // being sent
  std::size_t sent_ = 0;
  std::string waiting_;  // to be sent after it
  std::string plain_;    // a reply before encryption

  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<char[]> wire_;  // encrypted bytes as they come
  bool tls_drained_ = true;
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

  const RequestView& request() const override { return connection_->view(); }
  Loop& loop() override { return connection_->loop(); }
  void Reply(std::string head, std::string body) override {
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
      remote_address_(std::move(remote_address)),
      parser_(loop_->shared().options.body_bytes_max),
      since_(loop_->Stamp()) {
  view_.remote_address = remote_address_;
}

void Connection::Start() {
  Code ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  if (loop_->shared().tls) {
    tls_ = TlsSession::Create(*loop_->shared().tls);
    wire_ = std::make_unique<char[]>(kHeadBytesMax);
    request_begun_ = true;  // the handshake has as long as a request
    if (!tls_) {
      Close();
      return;
    }
  }
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
        if (tls_ && !tls_->handshake_done()) {
          Close();
        } else {
          Refuse(408, "the request did not arrive in time");
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
  const auto space = input_.free_space();
  const auto target =
      tls_ ? asio::buffer(wire_.get(), kHeadBytesMax) : asio::buffer(space.data(), space.size());
  socket_.async_read_some(
      target, [self = shared_from_this()](Code ec, std::size_t count) { self->OnRead(ec, count); });
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
  if (tls_) {
    tls_->Feed({wire_.get(), count});
    tls_drained_ = false;
  } else {
    input_.Commit(count);
  }
  if (!request_begun_) {
    request_begun_ = true;
    since_ = loop_->Stamp();
  }
  Advance();
}

// Decrypt moves what fits from the TLS session to the input; false when the connection has ended.
bool Connection::Decrypt() {
  while (!tls_drained_ && !input_.free_space().empty()) {
    std::size_t count = 0;
    const TlsRead read = tls_->Read(input_.free_space(), count);
    if (read == TlsRead::kData) {
      input_.Commit(count);
      continue;
    }
    const bool half_closed = read == TlsRead::kClosed && !input_.empty();  // its requests count
    if (!half_closed && read != TlsRead::kWantMore) {
      tls_->TakeOutput(writing_ ? waiting_ : output_);  // the alert, if it gets through
      Flush();
      Close();
      return false;
    }
    tls_drained_ = true;
  }
  if (!view_.tls && tls_->handshake_done()) {
    view_.tls = tls_->details();
    request_begun_ = !input_.empty();
    since_ = loop_->Stamp();
  }
  tls_->TakeOutput(writing_ ? waiting_ : output_);
  Flush();
  return state_ != State::kClosed;
}

// Advance serves every request that is there, until one is late with its reply or bytes are
// missing.
void Connection::Advance() {
  for (int served = 0; state_ == State::kReading; ++served) {
    if (tls_ && !Decrypt()) {
      return;
    }
    if (served == kRequestsPerTurn) {
      loop_->Post([self = shared_from_this()] { self->Advance(); });
      return;
    }
    switch (parser_.Parse(input_, view_)) {
      case ParseState::kNeedMore:
        if (parser_.TakeContinue()) {
          Output("HTTP/1.1 100 Continue\r\n\r\n");
          Flush();
        }
        if (state_ != State::kReading) {
          return;
        }
        if (tls_ && !tls_drained_) {
          break;  // the input has grown: there is more in the session
        }
        Read();
        return;
      case ParseState::kFailed:
        Refuse(parser_.failure_status(), parser_.failure_reason());
        return;
      case ParseState::kComplete:
        Handle();
        break;
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
  if (input_.empty() && (!tls_ || tls_drained_)) {
    Read();
  } else {
    loop_->Post([self = shared_from_this()] { self->Advance(); });
  }
}

void Connection::Reply(std::string_view head, std::string_view body) {
  KT_CHECK(loop_->RunsHere());
  if (state_ == State::kClosed) {
    return;
  }
  KT_CHECK(state_ == State::kHandling);
  keep_ = parser_.keep_alive() && !loop_->draining();
  const ReplyRules rules{keep_, parser_.is_http_1_0(), view_.method == "HEAD"};
  if (!tls_ && !writing_) {
    AppendReply(head, body, rules, output_);
  } else {
    plain_.clear();
    AppendReply(head, body, rules, plain_);
    Output(plain_);
  }
  SendReply();
}

void Connection::SendReply() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kReplying;
  since_ = loop_->Stamp();
  if (Flush()) {
    FinishReply();
  }
}

void Connection::OnDropped() {
  if (!loop_->RunsHere()) {
    loop_->Post([self = shared_from_this()] { self->OnDropped(); });
  } else if (state_ == State::kHandling) {
    Close();
  }
}

void Connection::Refuse(int status, std::string_view reason) {
  std::string text;
  AppendRefusal(status, reason, text);
  keep_ = false;
  linger_ = true;
  Output(text);
  SendReply();
}

void Connection::Output(std::string_view text) {
  std::string& out = writing_ ? waiting_ : output_;
  if (!tls_) {
    out.append(text);
    return;
  }
  if (!tls_->Write(text)) {
    Close();
    return;
  }
  tls_->TakeOutput(out);
}

// Flush is true when everything has been sent; otherwise the rest follows by itself, then
// OnWritten, or the connection has been closed.
bool Connection::Flush() {
  if (writing_ || state_ == State::kClosed) {
    return false;
  }
  while (sent_ < output_.size()) {
    Code ec;
    const std::size_t count =
        socket_.send(asio::buffer(output_.data() + sent_, output_.size() - sent_), 0, ec);
    if (ec == asio::error::would_block) {
      WriteLater();
      return false;
    }
    if (ec) {
      Close();
      return false;
    }
    sent_ += count;
  }
  sent_ = 0;
  output_.clear();
  if (output_.capacity() > kOutputBytesKept) {
    output_ = {};
  }
  return true;
}

void Connection::WriteLater() {
  writing_ = true;
  socket_.async_write_some(asio::buffer(output_.data() + sent_, output_.size() - sent_),
                           [self = shared_from_this()](Code ec, std::size_t count) {
                             self->writing_ = false;
                             if (self->state_ == State::kClosed) {
                               return;
                             }
                             if (ec) {
                               self->Close();
                               return;
                             }
                             self->sent_ += count;
                             self->OnWritten();
                           });
}

void Connection::OnWritten() {
  if (state_ == State::kReplying) {
    since_ = loop_->Stamp();
  }
  output_.append(waiting_);
  waiting_.clear();
  if (Flush() && state_ == State::kReplying) {
    FinishReply();
  }
}

void Connection::FinishReply() {
  if (!keep_) {
    CloseGently();
    return;
  }
  parser_.Finish(input_);
  state_ = State::kReading;
  request_begun_ = !input_.empty();
  since_ = loop_->Stamp();
  Resume();
}

// CloseGently lets the client read the reply first: closing a socket that has unread bytes resets
// the connection, which can take the reply with it.
void Connection::CloseGently() {
  Code ignored;
  if (tls_) {
    tls_->Shutdown();
    tls_->TakeOutput(output_);
    if (!Flush()) {
      Close();
      return;
    }
  }
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  if (!linger_ && socket_.available(ignored) == 0) {
    Close();
    return;
  }
  state_ = State::kLingering;
  since_ = loop_->Stamp();
  if (input_.free_space().empty()) {
    input_.Consume(input_.size());
  }
  Read();
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
  now_ = shared_->Now();
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
  while (!ec) {
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

// --- Server -------------------------------------------------------------------------------------

class ServerImpl final : public Server {
 public:
  ServerImpl(std::shared_ptr<Shared> shared, const ListenSockets& sockets);
  ~ServerImpl() override { Stop(0); }
  std::uint16_t port() const override { return port_; }
  void Stop(unsigned drain_seconds) override;

 private:
  const std::uint16_t port_;
  std::vector<std::shared_ptr<LoopImpl>> loops_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
};

ServerImpl::ServerImpl(std::shared_ptr<Shared> shared, const ListenSockets& sockets)
    : port_(sockets.port), running_(sockets.descriptors.size()) {
  for (const int descriptor : sockets.descriptors) {
    loops_.push_back(std::make_shared<LoopImpl>(shared, loops_.size()));
    loops_.back()->Listen(descriptor, sockets.is_ipv6);
  }
  // Signals are for the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (const auto& loop : loops_) {
    threads_.emplace_back([this, loop] {
      loop->Run();
      const std::lock_guard lock(mutex_);
      --running_;
      ended_.notify_all();
    });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void ServerImpl::Stop(unsigned drain_seconds) {
  if (threads_.empty()) {
    return;
  }
  for (const auto& loop : loops_) {
    KT_CHECK(!loop->RunsHere());
    loop->Post([target = loop.get()] { target->StartDrain(); });
  }
  {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, std::chrono::seconds(drain_seconds), [this] { return running_ == 0; });
  }
  for (const auto& loop : loops_) {
    loop->Post([target = loop.get()] { target->CloseAll(); });
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

Status CheckOptions(const ServerOptions& options) {
  if (options.threads == 0 || options.sweep_interval.count() <= 0) {
    return Fail(ErrorCode::kUsage, "the server needs at least one thread and a sweep interval");
  }
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return Fail(ErrorCode::kUsage, "TLS needs a certificate file and a key file, not one of them");
  }
  if (options.tls_certificate_file.empty() && !IsLoopbackAddress(options.address)) {
    return Fail(ErrorCode::kUsage, "refusing to listen on " + options.address +
                                       " without TLS: give a TLS certificate and key, or listen "
                                       "on a loopback address such as 127.0.0.1");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler& handler) {
  KT_TRY(CheckOptions(options));
  auto shared = std::make_shared<Shared>();
  shared->options = options;
  shared->handler = &handler;
  if (!options.tls_certificate_file.empty()) {
    KT_ASSIGN(shared->tls, TlsContext::Load(options.tls_certificate_file, options.tls_key_file));
  }
  KT_ASSIGN(const ListenSockets sockets,
            OpenListenSockets(options.address, options.port, options.threads));
  try {
    return std::make_unique<ServerImpl>(std::move(shared), sockets);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kIo, std::string("cannot start the server: ") + e.what());
  }
}

}  // namespace keyturn::http
