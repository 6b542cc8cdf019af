// OutsideKeys: what the operator names when the server starts, made into what the service reaches
// (service/outside.h).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "service/outside.h"
#include "xks/proxy.h"

namespace keyturn::server {

// ClusterSpec: `cluster-..., module=PATH, token=LABEL[, trust-anchor=FILE]`.
struct ClusterSpec {
  std::string id;
  std::string module;
  std::string token;
  std::string trust_anchor_file;
};

struct OutsideOptions {
  std::vector<ClusterSpec> clusters;
  std::chrono::milliseconds hsm_timeout{5000};
  xks::ProxyOptions proxy;
};

// ParseClusterSpec reads what --hsm-cluster takes; kUsage names what is wrong with it.
Result<ClusterSpec> ParseClusterSpec(const std::string& text);
// ParseRoute reads HOST=URL.
Result<std::pair<std::string, std::string>> ParseRoute(const std::string& text);

// MakeOutside checks that the files are there. Errors: kUsage. clock must outlive the result.
Result<std::shared_ptr<service::Outside>> MakeOutside(const OutsideOptions& options,
                                                      const Clock& clock);

}  // namespace keyturn::server
