// MetricsServer: one page of Prometheus metrics, at /metrics; /healthz says that it is there.
//
// Threads: the server has its own; Set may be called from any. Errors: kUsage for what is no
// address or is not loopback, kIo for a port that is taken.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::cli {

class MetricsServer {
 public:
  // Start listens on "127.0.0.1:9464"; port 0: the kernel chooses.
  static Result<std::unique_ptr<MetricsServer>> Start(std::string_view listen);
  virtual ~MetricsServer() = default;
  virtual void Set(std::string text) = 0;
  virtual std::string url() const = 0;  // of the metrics
};

}  // namespace keyturn::cli
