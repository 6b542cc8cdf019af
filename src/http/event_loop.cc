// The event loops, on Boost.Asio: listener, timer, and what other threads post. The connections'
// sockets are in a poller of the loop's own, which Asio watches as one descriptor: asked by Asio, a
// socket costs a receive that finds nothing for each that finds a request. What they receive and
// send is done for many of them at a time.
#include "http/event_loop.h"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "http/poller.h"
#include "http/transfer_batch.h"

namespace keyturn::http {
namespace {

namespace asio = boost::asio;
using Code = boost::system::error_code;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using AcceptedSocket = asio::basic_stream_socket<Tcp, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using SweepTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, Executor>;

// Connections taken from the kernel's queue when the server stops.
constexpr int kLastConnectionsMax = 4096;
// Replies that leave together at most: a larger group would cost less, and leave its clients idle
// until the last of it is ready.
constexpr std::size_t kSendsTogether = 16;

using Connections = std::vector<std::shared_ptr<Connection>>;

// TakeAll leaves an empty list with room for as many.
Connections TakeAll(Connections& list) {
  Connections empty;
  empty.reserve(list.size());
  return std::exchange(list, std::move(empty));
}

// Raised: a flag that is up for as long as this lives.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
  ~Raised() { flag_ = false; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  bool& flag_;
};

class LoopImpl final : public EventLoop, public std::enable_shared_from_this<LoopImpl> {
 public:
  LoopImpl(std::shared_ptr<SharedState> shared, std::size_t index)
      : shared_(std::move(shared)),
        index_(index),
        context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
        acceptor_(context_),
        ready_(context_, poller_.descriptor()),
        timer_(context_),
        now_(Now()) {}
  ~LoopImpl() override { ready_.release(); }  // the poller closes it
  LoopImpl(const LoopImpl&) = delete;
  LoopImpl& operator=(const LoopImpl&) = delete;

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
  SharedState& shared() override { return *shared_; }
  // now_ is of the last sweep.
  LoopTime Stamp() const override { return now_ + shared_->options.sweep_interval; }
  bool draining() const override { return draining_; }
  void Remove(Connection& connection) override;
  void ReceiveSoon(Connection& connection) override;
  void SendSoon(Connection& connection) override;

 private:
  LoopTime Now() const {
    const auto& given = shared_->options.steady_now;
    return given ? given() : std::chrono::steady_clock::now();
  }
  void Accept();
  void OnAccept(Code ec, AcceptedSocket socket, const Tcp::endpoint& peer);
  void Admit(AcceptedSocket socket, const Tcp::endpoint& peer);
  void AwaitReadiness();
  void OnReadiness();
  void RunReceives();
  void RunSends();
  using Add = bool (Connection::*)(TransferBatch&);
  using Tell = void (Connection::*)(const Transfer&);
  void RunBatch(Connections due, TransferBatch& batch, Add add, Tell tell);
  template <typename Step>
  void Guarded(Connection& connection, const Step& step);
  bool ended() const { return draining_ && connections_.empty(); }
  void EndWhenEmpty();
  void ScheduleSweep();
  void Sweep();
  void MakeBatches();
  void RunContext();

  const std::shared_ptr<SharedState> shared_;
  const std::size_t index_;
  asio::io_context context_;
  Acceptor acceptor_;
  Poller poller_;
  Descriptor ready_;  // the poller's
  SweepTimer timer_;
  Tcp::endpoint peer_;
  LoopTime now_;
  Connections connections_;
  // A connection sees to it that it is in each at most once.
  Connections receiving_, sending_;
  std::optional<TransferBatch> receive_batch_, send_batch_;  // while Run does
  bool in_readiness_ = false;
  bool in_sends_ = false;
  bool draining_ = false;
  bool accept_paused_ = false;
  std::mutex finish_mutex_;
  bool finished_ = false;
};

void LoopImpl::Post(std::function<void()> fn) {
  auto run = [this, work = std::move(fn)] {
    work();
    RunSends();
  };
  if (RunsHere()) {
    asio::post(context_, std::move(run));
    return;
  }
  const std::lock_guard lock(finish_mutex_);
  if (!finished_) {
    asio::post(context_, std::move(run));
  }
}

void LoopImpl::Listen(int descriptor, bool is_ipv6) {
  acceptor_.assign(is_ipv6 ? Tcp::v6() : Tcp::v4(), descriptor);
  Accept();
  AwaitReadiness();
  ScheduleSweep();
}

void LoopImpl::Accept() {
  acceptor_.async_accept(context_.get_executor(), peer_, [this](Code ec, AcceptedSocket socket) {
    OnAccept(ec, std::move(socket), peer_);
  });
}

void LoopImpl::OnAccept(Code ec, AcceptedSocket socket, const Tcp::endpoint& peer) {
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

void LoopImpl::Admit(AcceptedSocket accepted, const Tcp::endpoint& peer) {
  if (shared_->connections.fetch_add(1) >= shared_->options.connections_max) {
    shared_->connections.fetch_sub(1);
    return;  // the socket closes
  }
  Socket socket(accepted.release());
  const int descriptor = socket.descriptor();
  auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket),
                                                 peer.address().to_string());
  connection->place = connections_.size();
  connections_.push_back(connection);
  if (poller_.Add(descriptor, connection.get())) {
    connection->Start();
  } else {
    LogWarning("cannot watch a connection: {}", std::generic_category().message(errno));
    connection->Close();
  }
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
  EndWhenEmpty();
}

// EndWhenEmpty leaves Asio nothing to wait for.
void LoopImpl::EndWhenEmpty() {
  if (ended()) {
    timer_.cancel();
    ready_.cancel();
  }
}

void LoopImpl::AwaitReadiness() {
  ready_.async_wait(Descriptor::wait_read, [this](Code ec) {
    if (!ec) {
      OnReadiness();
    }
  });
}

void LoopImpl::OnReadiness() {
  const auto ready = poller_.Poll();
  // One of them may close another.
  Connections told;
  told.reserve(ready.size());
  for (const Readiness& each : ready) {
    told.push_back(static_cast<Connection*>(each.owner)->shared_from_this());
  }
  {
    const Raised raised(in_readiness_);
    for (std::size_t i = 0; i < told.size(); ++i) {
      Guarded(*told[i], [&] { told[i]->OnReady(ready[i]); });
    }
  }
  RunReceives();
  RunSends();
  if (!ended()) {
    AwaitReadiness();
  }
}

// Guarded: an exception ends its connection, and no other.
template <typename Step>
void LoopImpl::Guarded(Connection& connection, const Step& step) {
  try {
    step();
  } catch (const std::exception& e) {
    connection.Close();
    LogError("a request ended by an exception: {}", e.what());
  }
}

void LoopImpl::ReceiveSoon(Connection& connection) {
  receiving_.push_back(connection.shared_from_this());
  if (receiving_.size() == 1 && !in_readiness_) {
    Post([this] { RunReceives(); });
  }
}

// RunBatch adds the transfers of those who have one, and tells them the results.
void LoopImpl::RunBatch(Connections due, TransferBatch& batch, Add add, Tell tell) {
  for (std::size_t next = 0; next != due.size();) {
    const std::size_t first = next;
    for (; next != due.size() && !batch.full(); ++next) {
      if (!((*due[next]).*add)(batch)) {
        due[next].reset();
      }
    }
    auto result = batch.Run().begin();
    for (std::size_t i = first; i != next; ++i) {
      if (due[i] != nullptr) {
        Guarded(*due[i], [&, &made = *result++] { ((*due[i]).*tell)(made); });
      }
    }
  }
}

void LoopImpl::RunReceives() {
  RunBatch(TakeAll(receiving_), *receive_batch_, &Connection::AddReceive, &Connection::OnReceived);
}

// SendSoon: what is less than a group leaves when the loop has done what it is doing.
void LoopImpl::SendSoon(Connection& connection) {
  sending_.push_back(connection.shared_from_this());
  if (sending_.size() >= kSendsTogether) {
    RunSends();
  }
}

void LoopImpl::RunSends() {
  if (in_sends_) {
    return;  // goes on with what has been added
  }
  const Raised raised(in_sends_);
  while (!sending_.empty()) {
    RunBatch(TakeAll(sending_), *send_batch_, &Connection::AddSend, &Connection::OnSent);
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
  RunSends();
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
    AcceptedSocket socket(context_);
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
  EndWhenEmpty();
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
      RunSends();  // of what an exception has ended
      context_.run();
      return;
    } catch (const std::exception& e) {
      // Its exchange has been dropped on the way here, so that the client sees a closed connection.
      LogError("a request ended by an exception: {}", e.what());
    }
  }
}

// MakeBatches is for the loop's thread: when a ring ends, the kernel interrupts the calls of the
// thread that made it.
void LoopImpl::MakeBatches() {
  for (auto* batch : {&receive_batch_, &send_batch_}) {
    batch->emplace(shared_->options.shares_calls);
    const int refusal = (*batch)->refusal();
    if (refusal != 0 && !shared_->refusal_told.exchange(true)) {
      LogInfo("io_uring cannot be used ({}): each receive and send is a system call",
              std::generic_category().message(refusal));
    }
  }
}

void LoopImpl::Run() {
  Current() = this;
  MakeBatches();
  RunContext();
  {
    const std::lock_guard lock(finish_mutex_);
    finished_ = true;
  }
  context_.restart();  // what was posted between the end of the run and the mark
  RunContext();
  receive_batch_.reset();
  send_batch_.reset();
  Current() = nullptr;
}

}  // namespace

std::shared_ptr<EventLoop> EventLoop::Create(std::shared_ptr<SharedState> shared,
                                             std::size_t index) {
  return std::make_shared<LoopImpl>(std::move(shared), index);
}

}  // namespace keyturn::http
