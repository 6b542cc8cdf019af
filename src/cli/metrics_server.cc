#include "cli/metrics_server.h"

#include <fmt/format.h>

#include <mutex>
#include <utility>

#include "http/server.h"

namespace keyturn::cli {
namespace {

class Page final : public MetricsServer, private http::Handler {
 public:
  static Result<std::unique_ptr<MetricsServer>> Start(std::string_view listen) {
    KT_ASSIGN(auto place, http::SplitListen(listen));
    if (!http::IsLoopbackAddress(place.first)) {
      return Fail(ErrorCode::kUsage, "--metrics-listen: " + place.first +
                                         " is not a loopback address; let a proxy with TLS and a "
                                         "password stand before it");
    }
    auto page = std::unique_ptr<Page>(new Page);
    http::ServerOptions options;
    options.address = place.first;
    options.port = place.second;
    options.body_bytes_max = 1024;
    options.connections_max = 100;
    options.shares_calls = false;  // few calls
    KT_ASSIGN(page->server_, http::Server::Start(options, *page));
    const bool six = place.first.find(':') != std::string::npos;
    page->url_ = fmt::format("http://{}{}{}:{}/metrics", six ? "[" : "", place.first,
                             six ? "]" : "", page->server_->port());
    return page;
  }
  ~Page() override {
    if (server_) server_->Stop(1);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  void Set(std::string text) override {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }
  std::string url() const override { return url_; }

 private:
  Page() = default;

  void OnRequest(std::shared_ptr<http::Exchange> exchange) override {
    const http::RequestView& request = exchange->request();
    std::string body;
    const char* status = "200 OK";
    const char* type = "text/plain; charset=utf-8";
    if (request.method != "GET" && request.method != "HEAD") {
      status = "405 Method Not Allowed";
    } else if (request.path == "/metrics") {
      const std::lock_guard lock(mutex_);
      type = "text/plain; version=0.0.4; charset=utf-8";
      body = text_;
    } else if (request.path == "/healthz") {
      body = "ok\n";
    } else {
      status = "404 Not Found";
    }
    exchange->Reply(fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                                "Cache-Control: no-store\r\n\r\n",
                                status, type, body.size()),
                    body);
  }

  std::mutex mutex_;
  std::string text_;
  std::string url_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(std::string_view listen) {
  return Page::Start(listen);
}

}  // namespace keyturn::cli
