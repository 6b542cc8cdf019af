// PooledClient: the client on sockets of its own, which epoll waits for all at once; docs/adr/0012.
// Private to this room.
#pragma once

#include <memory>

#include "base/error.h"
#include "http/client.h"
#include "http/proxy_rules.h"

namespace keyturn::http {

Result<std::unique_ptr<Client>> CreatePooledClient(const ClientOptions& options,
                                                   ProxyRules proxies);

}  // namespace keyturn::http
