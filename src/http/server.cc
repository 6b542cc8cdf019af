#include "http/server.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "http/event_loop.h"
#include "http/listen_socket.h"
#include "http/tls.h"

namespace keyturn::http {
namespace {

class ServerImpl final : public Server {
 public:
  ServerImpl(const std::shared_ptr<SharedState>& shared, const ListenSockets& sockets);
  ~ServerImpl() override { Stop(0); }
  std::uint16_t port() const override { return port_; }
  Loop& loop(std::size_t index) override { return *loops_.at(index); }
  void Stop(unsigned drain_seconds) override;

 private:
  const std::uint16_t port_;
  std::vector<std::shared_ptr<EventLoop>> loops_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
};

ServerImpl::ServerImpl(const std::shared_ptr<SharedState>& shared, const ListenSockets& sockets)
    : port_(sockets.port), running_(sockets.descriptors.size()) {
  for (const int descriptor : sockets.descriptors) {
    loops_.push_back(EventLoop::Create(shared, loops_.size()));
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
  auto shared = std::make_shared<SharedState>();
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
