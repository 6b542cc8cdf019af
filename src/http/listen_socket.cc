#include "http/listen_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keyturn::http {
namespace {

constexpr int kBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr_in& v4() { return reinterpret_cast<sockaddr_in&>(storage); }
  sockaddr_in6& v6() { return reinterpret_cast<sockaddr_in6&>(storage); }
  bool is_v6() const { return storage.ss_family == AF_INET6; }
  std::uint16_t port() { return ntohs(is_v6() ? v6().sin6_port : v4().sin_port); }
  void set_port(std::uint16_t port) { (is_v6() ? v6().sin6_port : v4().sin_port) = htons(port); }
};

bool ParseAddress(const std::string& text, Address& out) {
  if (inet_pton(AF_INET, text.c_str(), &out.v4().sin_addr) == 1) {
    out.v4().sin_family = AF_INET;
    out.size = sizeof(sockaddr_in);
    return true;
  }
  if (inet_pton(AF_INET6, text.c_str(), &out.v6().sin6_addr) == 1) {
    out.v6().sin6_family = AF_INET6;
    out.size = sizeof(sockaddr_in6);
    return true;
  }
  return false;
}

tl::unexpected<Error> CannotListen(const std::string& text, Address& address) {
  const int error = errno;
  const std::string place =
      (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(address.port());
  return Fail(ErrorCode::kIo, "cannot listen on " + place + ": " + std::strerror(error));
}

// Bind returns a bound socket, or -1 with errno.
int Bind(Address& address, bool shared) {
  const int fd =
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd < 0) {
    return -1;
  }
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
      bind(fd, address.get(), address.size) == 0) {
    return fd;
  }
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

// PortIsFree: SO_REUSEPORT would let us share a port with another server of the same user, so that
// its clients reach us at random; a bind without it shows whether somebody listens already.
bool PortIsFree(Address& address) {
  const int fd = Bind(address, false);
  if (fd < 0) {
    return false;
  }
  close(fd);
  return true;
}

}  // namespace

Result<ListenSockets> OpenListenSockets(const std::string& address_text, std::uint16_t port,
                                        unsigned count) {
  Address address;
  if (!ParseAddress(address_text, address)) {
    return Fail(ErrorCode::kUsage, "\"" + address_text + "\" is not an IP address to listen on");
  }
  address.set_port(port);
  if (port != 0 && !PortIsFree(address)) {
    return CannotListen(address_text, address);
  }
  ListenSockets sockets;
  sockets.is_ipv6 = address.is_v6();
  for (unsigned i = 0; i < count; ++i) {
    const int fd = Bind(address, count > 1);
    if (fd >= 0) {
      sockets.descriptors.push_back(fd);
    }
    if (fd < 0 || listen(fd, kBacklog) != 0 ||
        (i == 0 && getsockname(fd, address.get(), &address.size) != 0)) {
      auto failure = CannotListen(address_text, address);
      for (const int opened : sockets.descriptors) {
        close(opened);
      }
      return failure;
    }
  }
  sockets.port = address.port();
  return sockets;
}

}  // namespace keyturn::http
