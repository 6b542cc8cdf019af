#include "http/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace keyturn::http {

Poller::Poller() : descriptor_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
}

Poller::~Poller() { ::close(descriptor_); }

bool Poller::Add(int socket, void* owner) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = owner;
  return ::epoll_ctl(descriptor_, EPOLL_CTL_ADD, socket, &event) == 0;
}

std::span<const Readiness> Poller::Poll() {
  std::array<epoll_event, kReadinessMax> events;
  const int count =
      ::epoll_wait(descriptor_, events.data(), static_cast<int>(events.size()), /*timeout=*/0);
  std::size_t told = 0;
  for (; static_cast<int>(told) < count; ++told) {
    const epoll_event& event = events[told];
    ready_[told] = {event.data.ptr, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                    (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0};
  }
  return std::span<const Readiness>(ready_).first(told);
}

}  // namespace keyturn::http
