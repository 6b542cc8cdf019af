// Listening sockets: one for each event loop, all on one address and port.
//
// Plain functions; the caller owns and closes the descriptors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace keyturn::http {

struct ListenSockets {
  std::vector<int> descriptors;
  std::uint16_t port = 0;
  bool is_ipv6 = false;
};

// OpenListenSockets binds and listens count times (SO_REUSEPORT when there are several); port 0
// lets the kernel choose once. kUsage when address is no IP address, kIo when the port is taken,
// also by another server that shares its port among threads.
Result<ListenSockets> OpenListenSockets(const std::string& address, std::uint16_t port,
                                        unsigned count);

}  // namespace keyturn::http
