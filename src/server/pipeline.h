// Pipeline: the one way of a request through the server. Limits (http) -> authenticate (SigV4) ->
// resolve the operation -> decode and validate -> resolve keys and authorise (service::Prepare) ->
// handle -> encode -> audit -> metrics -> reply. No operation owns a step, so none can leave one
// out.
//
// A reply is sent only after its audit record is written: of calls that read or encrypt, up to 16
// that an event loop has ready share one trail write (when each write is synced, on the committer's
// thread, all that became ready during the write before); calls that change state carry their
// record in the commit. When the trail cannot be written, requests are refused.
//
// Thread-safety: OnRequest runs on the loops; each loop has its own state here.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/server.h"
#include "json/json.h"
#include "server/metrics.h"
#include "server/pages.h"
#include "server/request_state.h"
#include "server/trail_committer.h"
#include "server/workers.h"
#include "service/service.h"

namespace keyturn::server {

class Pipeline final : public http::Handler {
 public:
  // service must outlive the pipeline; threads is the number of loops that will call it.
  Pipeline(service::Service& service, unsigned threads);
  ~Pipeline() override;

  void OnRequest(std::shared_ptr<http::Exchange> exchange) override;

  // SetPages: before the first request. Without pages other paths are not found.
  void SetPages(http::Handler* pages) { pages_ = pages; }

  Metrics& metrics() { return metrics_; }
  service::Service& service() { return service_; }

  // The first steps of every request. Begin gives it its id and instant; Authenticate checks the
  // signature for a service name ("kms") and fills caller and region.
  RequestPtr Begin(std::shared_ptr<http::Exchange> exchange);
  Status Authenticate(RequestState& request, std::string_view service_name);

  // For the operations (dispatch.cc, admin.cc) and pages: the last steps of every request.
  // Succeed audits, then replies with request->body.
  void Succeed(const RequestPtr& request);
  // Refuse audits, then replies with the error.
  void Refuse(const RequestPtr& request, const Error& error);
  // Reply replies without audit: the record is in the trail already.
  void Reply(const RequestPtr& request, const Error* error);
  json::Parser& parser(const RequestState& request);
  Workers& workers() { return workers_; }
  // outside_workers: for calls that wait for what is outside, so that slow peers hold up none but
  // those who need them.
  Workers& outside_workers() { return outside_workers_; }

 private:
  struct LoopState;

  LoopState& StateOf(http::Loop& loop);
  void Serve(const RequestPtr& request);
  void ServeSts(const RequestPtr& request);  // server/sts.cc
  // OpenToken opens a session token, or finds it among those of the loop.
  Result<service::SessionPtr> OpenToken(LoopState& loop, std::string_view token);
  // WriteError makes the error the request's body and returns the HTTP status.
  int WriteError(RequestState& request, const Error& error);
  void Answer(const RequestPtr& request, const Error* error);
  void Flush(LoopState& loop);
  void Finish(LoopState& loop, const Status& written);
  void Send(RequestState& request, int status);
  void ServePlain(std::shared_ptr<http::Exchange> exchange);

  service::Service& service_;
  Metrics metrics_;
  std::vector<std::unique_ptr<LoopState>> loops_;
  std::unique_ptr<TrailCommitter> committer_;  // only when each answer waits for the disk
  http::Handler* pages_ = nullptr;
  Workers workers_;  // last: their jobs use the others
  Workers outside_workers_;
};

// Dispatch runs a KMS operation that is authenticated; it ends in Succeed, Refuse or Reply.
void Dispatch(Pipeline& pipeline, const RequestPtr& request, api::Operation operation);
// DispatchAdmin runs an administrative operation (server/admin.cc).
void DispatchAdmin(Pipeline& pipeline, const RequestPtr& request, std::string_view operation);

// SafeEventName keeps what a client calls an operation from filling the trail with anything else.
std::string SafeEventName(std::string_view name);

inline constexpr std::string_view kAdminTargetPrefix = "KeyturnAdmin.";
inline constexpr std::string_view kAdminServiceName = "keyturn";

}  // namespace keyturn::server
