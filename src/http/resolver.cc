#include "http/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace keyturn::http {

// Shared is kept by the threads, too, which may outlive the resolver.
struct Resolver::Shared {
  explicit Shared(int descriptor) : fd(descriptor) {}
  ~Shared() { close(fd); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  void Put(Answer answer) {
    {
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(answer));
    }
    const std::uint64_t one = 1;
    static_cast<void>(!write(fd, &one, sizeof(one)));  // full means that it is readable
  }

  const int fd;
  std::mutex mutex;
  std::vector<Answer> answers;
};

namespace {

Result<std::vector<SocketAddress>> LookUp(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    return Fail(ErrorCode::kNetwork, "cannot resolve host " + host + ": " + gai_strerror(failed));
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    SocketAddress address;
    if (each->ai_addrlen > sizeof(address.storage)) continue;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  if (addresses.empty()) {
    return Fail(ErrorCode::kNetwork, "cannot resolve host " + host + ": it has no address");
  }
  return addresses;
}

}  // namespace

Result<std::unique_ptr<Resolver>> Resolver::Create() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) {
    return Fail(ErrorCode::kIo, std::string("cannot make an HTTP client: ") + std::strerror(errno));
  }
  return std::unique_ptr<Resolver>(new Resolver(std::make_shared<Shared>(fd)));
}

std::optional<SocketAddress> Resolver::Literal(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&address.storage, &v4, sizeof(v4));
    address.size = sizeof(v4);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&address.storage, &v6, sizeof(v6));
    address.size = sizeof(v6);
  } else {
    return std::nullopt;
  }
  return address;
}

void Resolver::Ask(const std::string& host, std::uint16_t port) {
  try {
    std::thread([shared = shared_, host, port] {
      shared->Put({host, port, LookUp(host, port)});
    }).detach();
  } catch (const std::system_error& error) {
    shared_->Put({host, port,
                  Fail(ErrorCode::kNetwork,
                       "cannot resolve host " + host + ": " + std::string(error.what()))});
  }
}

std::vector<Resolver::Answer> Resolver::Take() {
  std::uint64_t count = 0;
  static_cast<void>(!read(shared_->fd, &count, sizeof(count)));
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->answers, {});
}

int Resolver::fd() const { return shared_->fd; }

}  // namespace keyturn::http
