#include "server/server.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "server/pipeline.h"

namespace keyturn::server {
namespace {

class RunningServer final : public Server {
 public:
  RunningServer(std::unique_ptr<service::Service> service, const Options& options)
      : service_(std::move(service)),
        pipeline_(*service_, options.http.threads),
        scheme_(options.http.tls_certificate_file.empty() ? "http" : "https"),
        address_(options.http.address) {
    if (options.make_pages) pages_ = options.make_pages(pipeline_);
    pipeline_.SetPages(pages_.get());
  }

  ~RunningServer() override { Stop(0); }

  Status Listen(const Options& options) {
    KT_ASSIGN(http_, http::Server::Start(options.http, pipeline_));
    if (pages_) pages_->Start(*http_);
    if (options.webhook) {
      KT_ASSIGN(auto webhook, http::Webhook::Open(*options.webhook));
      events_ = std::make_unique<EventDelivery>(*service_, pipeline_.metrics(), std::move(webhook));
    }
    (void)pipeline_.outside_workers().Submit([this] { service_->Reconnect(); });
    clockwork_ = std::thread([this, interval = options.tick_interval] { Clockwork(interval); });
    return {};
  }

  std::string url() const override {
    const bool ipv6 = address_.find(':') != std::string::npos;
    return scheme_ + "://" + (ipv6 ? "[" + address_ + "]" : address_) + ":" +
           std::to_string(http_->port());
  }

  void Stop(unsigned drain_seconds) override {
    if (!http_) return;
    if (pages_) pages_->Stop();
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    clockwork_.join();
    events_.reset();
    http_->Stop(drain_seconds);
    http_.reset();
    service_->SaveUsage();
    // Changes that were submitted refer to the pipeline: they end before it does.
    (void)service_->writer().Run([](service::Txn&) { return Status(); });
    if (const Status synced = service_->trail().Sync(); !synced) {
      LogError("the trail could not be synced: {}", synced.error().message);
    }
  }

 private:
  void Clockwork(std::chrono::milliseconds interval) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      const service::TickResult done = service_->Tick();
      pipeline_.metrics().CountTick(done);
      lock.lock();
      const bool more = done.changed() > 0;
      if (!more) wake_.wait_for(lock, interval, [this] { return stopping_; });
    }
  }

  std::unique_ptr<service::Service> service_;
  Pipeline pipeline_;
  std::unique_ptr<Pages> pages_;
  std::string scheme_;
  std::string address_;
  std::unique_ptr<http::Server> http_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread clockwork_;
  std::unique_ptr<EventDelivery> events_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const Options& options, const Clock& clock,
                                              RandomSource& random) {
  KT_ASSIGN(auto service, service::Service::Open(options.data, clock, random));
  auto server = std::make_unique<RunningServer>(std::move(service), options);
  KT_TRY(server->Listen(options));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace keyturn::server
