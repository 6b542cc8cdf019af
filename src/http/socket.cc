#include "http/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace keyturn::http {
namespace {

// TransferOf reads errno when the call failed.
Transfer TransferOf(ssize_t count) {
  if (count > 0) {
    return {TransferState::kDone, static_cast<std::size_t>(count)};
  }
  if (count == 0) {
    return {TransferState::kEnded};
  }
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK;
  return {later ? TransferState::kWouldBlock : TransferState::kFailed};
}

tl::unexpected<Error> NotConnected(int number) {
  return Fail(ErrorCode::kNetwork, std::strerror(number));
}

}  // namespace

Result<Socket> Socket::Connect(const SocketAddress& to) {
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Socket made(::socket(to.storage.ss_family, type, 0));
  if (made.descriptor_ < 0) return NotConnected(errno);
  const auto* address = reinterpret_cast<const sockaddr*>(&to.storage);
  if (::connect(made.descriptor_, address, to.size) != 0 && errno != EINPROGRESS) {
    return NotConnected(errno);
  }
  return made;
}

Status Socket::Connected() {
  int failed = 0;
  socklen_t size = sizeof(failed);
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
  if (failed != 0) return NotConnected(failed);
  return {};
}

Socket::Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    Close();
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

void Socket::Close() {
  if (descriptor_ >= 0) {
    ::close(std::exchange(descriptor_, -1));
  }
}

Transfer Socket::Receive(std::span<char> space) {
  ssize_t count = 0;
  do {
    count = ::recv(descriptor_, space.data(), space.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return TransferOf(count);
}

Transfer Socket::Send(std::string_view text) {
  ssize_t count = 0;
  do {
    count = ::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return TransferOf(count);
}

void Socket::SendNoMore() { ::shutdown(descriptor_, SHUT_WR); }

bool Socket::has_unread() const {
  int count = 0;
  return ::ioctl(descriptor_, FIONREAD, &count) == 0 && count > 0;
}

void Socket::SetNoDelay() {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace keyturn::http
