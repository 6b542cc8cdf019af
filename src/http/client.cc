#include "http/client.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/curl_client.h"
#include "http/pooled_client.h"
#include "http/proxy_rules.h"

namespace keyturn::http {

std::string_view ClientResponse::Header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) {
      return value;
    }
  }
  return {};
}

Result<std::unique_ptr<Client>> Client::Create(const ClientOptions& options) {
  if (!options.ca_bundle_file.empty() && access(options.ca_bundle_file.c_str(), R_OK) != 0) {
    return Fail(ErrorCode::kUsage, "cannot read the CA bundle " + options.ca_bundle_file + ": " +
                                       std::strerror(errno));
  }
  if (options.connections_per_host_max == 0) {
    return Fail(ErrorCode::kUsage, "a client needs at least one connection");
  }
  const auto proxies = options.direct ? std::optional(ProxyRules()) : ProxyRules::FromEnvironment();
  return proxies ? CreatePooledClient(options, *proxies) : CreateCurlClient(options);
}

}  // namespace keyturn::http
