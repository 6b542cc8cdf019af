// EventLoop: one thread's listener and connections. Boost.Asio stays in the .cc file.
//
// Post is thread-safe; the rest is called before Run (Listen) or on the loop's thread.
#pragma once

#include <cstddef>
#include <memory>

#include "http/connection.h"

namespace keyturn::http {

class EventLoop : public ConnectionLoop {
 public:
  static std::shared_ptr<EventLoop> Create(std::shared_ptr<SharedState> shared, std::size_t index);

  // Listen takes the descriptor of a listening socket. Throws what Asio throws.
  virtual void Listen(int descriptor, bool is_ipv6) = 0;
  // Run returns when StartDrain has been called and the last connection has ended.
  virtual void Run() = 0;
  // StartDrain: no new connections, idle ones are closed, each of the others after its reply.
  virtual void StartDrain() = 0;
  virtual void CloseAll() = 0;
};

}  // namespace keyturn::http
