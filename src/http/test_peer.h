// What the tests of this room share: a client that sends exactly the bytes it is told, and
// handlers. Not part of the library.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "http/server.h"

namespace keyturn::http {

// TestPeer: a blocking connection to 127.0.0.1. Gives up waiting after 20 seconds, so that a server
// that hangs fails the test.
class TestPeer {
 public:
  explicit TestPeer(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~TestPeer() { close(fd_); }
  TestPeer(const TestPeer&) = delete;
  TestPeer& operator=(const TestPeer&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  bool Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void FinishSending() { shutdown(fd_, SHUT_WR); }

  // ReadReply returns one reply with its body by Content-Length; what was received when the
  // connection ended before that.
  std::string ReadReply() {
    for (;;) {
      const auto head_end = pending_.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        const std::size_t size = head_end + 4 + ContentLength(pending_.substr(0, head_end));
        if (pending_.size() >= size) {
          std::string reply = pending_.substr(0, size);
          pending_.erase(0, size);
          return reply;
        }
      }
      if (!Receive()) {
        return std::exchange(pending_, {});
      }
    }
  }

  // ReadToEnd returns everything up to the server's end of the connection; "(timeout)" follows when
  // that does not come.
  std::string ReadToEnd() {
    while (Receive()) {
    }
    return std::exchange(pending_, {}) + (errno == EAGAIN ? "(timeout)" : "");
  }

 private:
  static std::size_t ContentLength(std::string_view head) {
    const auto at = head.find("Content-Length: ");
    return at == std::string_view::npos
               ? 0
               : std::strtoul(std::string(head.substr(at + 16)).c_str(), nullptr, 10);
  }

  bool Receive() {
    char bytes[4096];
    errno = 0;
    const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
    if (count <= 0) {
      return false;
    }
    pending_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  const int fd_;
  bool connected_ = false;
  std::string pending_;
};

inline std::string HeadFor(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
}

inline std::string ReplyText(std::string_view body) { return HeadFor(body) + std::string(body); }

// Describe says what of a request arrived: "POST /p ?q body".
inline std::string Describe(const RequestView& request) {
  std::string text(request.method);
  text.append(" ").append(request.path).append(" ?").append(request.query).append(" ");
  return text.append(request.body);
}

// EchoHandler replies at once with Describe.
class EchoHandler : public Handler {
 public:
  void OnRequest(std::shared_ptr<Exchange> exchange) override {
    std::string body = Describe(exchange->request());
    std::string head = HeadFor(body);
    exchange->Reply(std::move(head), std::move(body));
  }
};

// FunctionHandler does what the test says.
class FunctionHandler : public Handler {
 public:
  using Function = std::function<void(std::shared_ptr<Exchange>)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  void OnRequest(std::shared_ptr<Exchange> exchange) override { function_(std::move(exchange)); }

 private:
  const Function function_;
};

// HoldingHandler keeps exchanges until the test takes them.
class HoldingHandler : public Handler {
 public:
  void OnRequest(std::shared_ptr<Exchange> exchange) override {
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(exchange));
    arrived_.notify_all();
  }
  // Take waits for the next request.
  std::shared_ptr<Exchange> Take() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !held_.empty(); });
    auto exchange = std::move(held_.front());
    held_.erase(held_.begin());
    return exchange;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::shared_ptr<Exchange>> held_;
};

inline std::unique_ptr<Server> StartServer(Handler& handler, const ServerOptions& options = {}) {
  auto server = Server::Start(options, handler);
  KT_CHECK(server.has_value());
  return std::move(*server);
}

}  // namespace keyturn::http
