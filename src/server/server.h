// Server: a data directory, served. Owns the service, the pipeline, the listener and the thread of
// the clockwork.
//
// Thread-safety: Start, Stop and the destructor belong to one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "http/server.h"
#include "server/event_delivery.h"
#include "server/pages.h"
#include "service/service.h"

namespace keyturn::server {

struct Options {
  service::OpenOptions data;
  http::ServerOptions http;
  // How often the clockwork looks for keys that are due.
  std::chrono::milliseconds tick_interval{1000};
  std::optional<http::WebhookTarget> webhook =
      {};  // where events go; data.notifies must be set too
  // Empty: the API alone.
  MakePages make_pages;
};

class Server {
 public:
  // Start opens the data directory and listens. clock and random must outlive the server.
  static Result<std::unique_ptr<Server>> Start(const Options& options, const Clock& clock,
                                               RandomSource& random);
  virtual ~Server() = default;
  // url: "http://127.0.0.1:8080".
  virtual std::string url() const = 0;
  // Stop finishes requests under way, for at most drain_seconds, and makes everything durable.
  virtual void Stop(unsigned drain_seconds) = 0;
};

}  // namespace keyturn::server
