// Poller: which of many sockets are ready. Each is registered once, and each change of its
// readiness is told once (edge-triggered), so that a request costs no call but its receive and its
// send; whoever is told goes on until the socket would block.
//
// A socket leaves by being closed. Thread-safety: none of its own. Source: epoll(7).
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace keyturn::http {

struct Readiness {
  void* owner;  // as given to Add
  bool readable;
  bool writable;
  bool hung_up;  // the peer sends no more, or the socket is broken: both are found by receiving
};

class Poller {
 public:
  // Throws std::system_error when the system has no descriptor left.
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // descriptor becomes readable when Poll has something to tell.
  int descriptor() const { return descriptor_; }
  // Add: false when the system refuses. What is ready already will be told.
  bool Add(int socket, void* owner);
  // Poll tells what is ready, without waiting; valid until the next call. Owners of closed sockets
  // are not among it.
  std::span<const Readiness> Poll();

 private:
  static constexpr std::size_t kReadinessMax = 128;
  int descriptor_;
  std::array<Readiness, kReadinessMax> ready_;
};

}  // namespace keyturn::http
