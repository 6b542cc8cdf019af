// Pages: what the server has for people beside the API: everything but `POST /`, /healthz and
// /metrics. The console (room console) is one; the server knows only this.
//
// Thread-safety: OnRequest runs on the loops, several at once; Start and Stop belong to the thread
// that owns the server.
#pragma once

#include <functional>
#include <memory>

#include "http/server.h"

namespace keyturn::server {

class Pipeline;

class Pages : public http::Handler {
 public:
  // Start: the loops run. They are there until Stop has returned.
  virtual void Start(http::Server& http) = 0;
  // Stop ends what the pages do beside answering requests. The listener is still open.
  virtual void Stop() = 0;
};

// MakePages: pipeline outlives the pages.
using MakePages = std::function<std::unique_ptr<Pages>(Pipeline& pipeline)>;

}  // namespace keyturn::server
