// CurlClient: the client on libcurl's multi interface. It speaks every kind of proxy, and costs
// more for each request than the pooled client (docs/adr/0012). Private to this room; libcurl stays
// in the .cc file.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "http/client.h"

namespace keyturn::http {

Result<std::unique_ptr<Client>> CreateCurlClient(const ClientOptions& options);

// SystemCaBundle: the file of authorities that the system's libcurl trusts; empty: it has none.
std::string SystemCaBundle();

}  // namespace keyturn::http
