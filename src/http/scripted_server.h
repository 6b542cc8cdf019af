// ScriptedServer: a listener on 127.0.0.1 whose connections do what a test says, byte by byte, each
// on a thread. Not part of the library.
#pragma once

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "http/tls.h"

namespace keyturn::http {

class ScriptedServer {
 public:
  // Talk is one connection; number counts them from 1. It is closed when the script returns.
  class Talk {
   public:
    Talk(int fd, int connection) : number(connection), fd_(fd) {}
    // StartTls: what follows is within TLS.
    void StartTls(const TlsContext& context) { tls_ = TlsSession::Create(context); }
    // ReadHead returns a request's head; empty when the client has closed.
    std::string ReadHead() {
      for (;;) {
        const std::size_t end = pending_.find("\r\n\r\n");
        if (end != std::string::npos) {
          std::string head = pending_.substr(0, end + 4);
          pending_.erase(0, end + 4);
          return head;
        }
        if (!Receive()) return {};
      }
    }
    void Send(std::string_view text) {
      Write(text);
      Flush();
    }
    // Write keeps text, to be sent with what is sent next; in TLS as a record of its own.
    void Write(std::string_view text) {
      if (tls_) {
        KT_CHECK(tls_->Write(text));
      } else {
        wire_ += text;
      }
    }
    // End sends no more.
    void End() {
      if (tls_) tls_->Shutdown();
      Flush();
      shutdown(fd_, SHUT_WR);
    }
    // AwaitDelivery returns when the client's side has all that was sent, the end too.
    void AwaitDelivery() {
      int waiting = 0;
      while (ioctl(fd_, SIOCOUTQ, &waiting) == 0 && waiting > 0) std::this_thread::yield();
    }
    // Splice carries bytes between the client and a port of 127.0.0.1, until either closes.
    void Splice(std::uint16_t port);

    const int number;

   private:
    void Flush() {
      if (tls_) tls_->TakeOutput(wire_);
      for (std::string_view text = wire_; !text.empty();) {
        const ssize_t count = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0) break;
        text.remove_prefix(static_cast<std::size_t>(count));
      }
      wire_.clear();
    }
    bool Receive() {
      char bytes[4096];
      const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
      if (count <= 0) return false;
      const std::string_view wire(bytes, static_cast<std::size_t>(count));
      if (!tls_) {
        pending_ += wire;
        return true;
      }
      tls_->Feed(wire);
      char plain[4096];
      std::size_t size = 0;
      TlsRead read = TlsRead::kData;
      while ((read = tls_->Read(plain, size)) == TlsRead::kData) pending_.append(plain, size);
      Flush();
      return read == TlsRead::kWantMore;
    }

    const int fd_;
    std::unique_ptr<TlsSession> tls_;
    std::string pending_;
    std::string wire_;
  };
  using Script = std::function<void(Talk&)>;

  explicit ScriptedServer(Script script)
      : script_(std::move(script)), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    KT_CHECK(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd_, 64) == 0);
    KT_CHECK(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~ScriptedServer() {
    shutdown(fd_, SHUT_RDWR);
    accepting_.join();
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : open_) close(fd);
    close(fd_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = ++connections_] {
        Talk talk(fd, number);
        script_(talk);
        shutdown(fd, SHUT_RDWR);
      });
    }
  }

  const Script script_;
  const int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread accepting_;
  std::vector<std::thread> threads_;  // of accepting_, until that has ended
  std::vector<int> open_;
};

inline void ScriptedServer::Talk::Splice(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  KT_CHECK(connect(other, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  const auto carry = [](int from, int to) {
    char bytes[4096];
    for (ssize_t count = 0; (count = recv(from, bytes, sizeof(bytes), 0)) > 0;) {
      if (send(to, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) break;
    }
    shutdown(from, SHUT_RDWR);
    shutdown(to, SHUT_RDWR);
  };
  std::thread back([&] { carry(other, fd_); });
  carry(fd_, other);
  back.join();
  close(other);
}

}  // namespace keyturn::http
