// Socket: a connected stream socket whose calls never wait.
//
// Move-only owner of the descriptor. Thread-safety: none of its own. Errors: kNetwork, with the
// system's text. Source: connect(2), recv(2), send(2).
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "base/error.h"

namespace keyturn::http {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// Transfer: what one call moved. kEnded is for receiving: the peer sends no more. After kFailed
// errno says why.
enum class TransferState { kDone, kWouldBlock, kEnded, kFailed };
struct Transfer {
  TransferState state;
  std::size_t count = 0;  // kDone: at least one byte
};

class Socket {
 public:
  Socket() = default;  // closed
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { Close(); }

  // Connect begins to: the socket becomes writable when that has ended, and Connected says how.
  static Result<Socket> Connect(const SocketAddress& to);
  Status Connected();

  int descriptor() const { return descriptor_; }  // -1: closed
  void Close();

  // Receive takes what is there, up to space.size(), which must not be 0.
  Transfer Receive(std::span<char> space);
  // Send gives what the kernel takes; text must not be empty.
  Transfer Send(std::string_view text);
  // SendNoMore tells the peer that nothing follows.
  void SendNoMore();
  // has_unread: received bytes wait in the kernel.
  bool has_unread() const;
  // SetNoDelay: small writes go out at once.
  void SetNoDelay();

 private:
  int descriptor_ = -1;
};

}  // namespace keyturn::http
