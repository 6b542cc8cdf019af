// Resolver: addresses of names, without blocking who asks: each name is looked up by a thread of
// its own, as the system's resolver blocks.
//
// Ask and Take on one thread. A lookup that is under way when the resolver ends goes on, and its
// answer is dropped. Errors: kNetwork, naming the host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/socket.h"

namespace keyturn::http {

class Resolver {
 public:
  // Create: kIo when the system has no descriptor for it.
  static Result<std::unique_ptr<Resolver>> Create();

  struct Answer {
    std::string host;
    std::uint16_t port = 0;
    Result<std::vector<SocketAddress>> addresses;
  };

  // Literal: the address of a host that is one already; no lookup.
  static std::optional<SocketAddress> Literal(const std::string& host, std::uint16_t port);
  // Ask looks a name up; the answer comes by Take.
  void Ask(const std::string& host, std::uint16_t port);
  // Take: the answers since the last time.
  std::vector<Answer> Take();
  // fd is readable when there are answers.
  int fd() const;

 private:
  struct Shared;
  explicit Resolver(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  const std::shared_ptr<Shared> shared_;
};

}  // namespace keyturn::http
