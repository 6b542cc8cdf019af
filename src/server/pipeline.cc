#include "server/pipeline.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "api/errors.h"
#include "base/log.h"
#include "base/uuid.h"
#include "server/audit.h"
#include "server/sts.h"
#include "service/sessions.h"
#include "sigv4/sigv4.h"

namespace keyturn::server {
namespace {

// A JSON document that is larger than any request needs is refused before it is looked at.
constexpr json::Limits kJsonLimits{.bytes_max = 512 << 10, .depth_max = 16};
// Opened session tokens that a loop keeps; when they are more, it forgets them all.
constexpr std::size_t kSessionsMax = 1024;

// Answers that share one write of the trail at most: a larger group would cost less and make the
// first of it wait for the last.
constexpr std::size_t kAnswersPerWrite = 16;

// Calls that may wait for a worker. Most take milliseconds; if all made RSA keys, a caller of the
// last would have given up.
constexpr std::size_t kWaitingWorkMax = 512;
// They wait, mostly. More than one peer may have (xks::ProxyClient, hsm::Cluster).
constexpr unsigned kOutsideThreads = 24;
constexpr std::size_t kWaitingOutsideMax = 1024;

std::string_view View(const UuidText& uuid) { return {uuid.data(), uuid.size()}; }

// WriteHead makes head the reply's; the date is formatted once a second.
void WriteHead(int status, const RequestState& request, std::string& head) {
  const TimePoint now = request.now;
  thread_local std::int64_t date_second = -1;
  thread_local std::string date;
  const std::int64_t second = ToEpochMillis(now) / 1000;
  if (second != date_second) {
    date = FormatHttpDate(now);
    date_second = second;
  }
  const std::string_view line = status == 200   ? "HTTP/1.1 200 OK"
                                : status == 400 ? "HTTP/1.1 400 Bad Request"
                                : status == 403 ? "HTTP/1.1 403 Forbidden"
                                : status == 503 ? "HTTP/1.1 503 Service Unavailable"
                                                : "HTTP/1.1 500 Internal Server Error";
  head.clear();
  head.append(line).append("\r\nx-amzn-RequestId: ").append(View(request.request_id));
  head.append(
      "\r\nCache-Control: no-cache, no-store, must-revalidate, private\r\nExpires: 0\r\nPragma: "
      "no-cache\r\nDate: ");
  head.append(date).append(request.sts ? "\r\nContent-Type: text/xml"
                                       : "\r\nContent-Type: application/x-amz-json-1.1");
  head.append("\r\n").append(request.extra_head);
  head.append("Content-Length: ");
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), request.body.size());
  head.append(std::begin(digits), end.ptr).append("\r\n\r\n");
}

std::string PlainHead(std::string_view status, std::string_view type, std::size_t body_bytes) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
      status, type, body_bytes);
}

Error InvalidToken() {
  return {ErrorCode::kUnrecognizedClientException,
          "The security token included in the request is invalid.",
          {}};
}

}  // namespace

std::string SafeEventName(std::string_view name) {
  constexpr std::size_t kCharactersMax = 64;
  std::string safe;
  for (const char c : name.substr(0, kCharactersMax)) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    safe += fine ? c : '_';
  }
  return safe.empty() ? "Unknown" : safe;
}

struct Pipeline::LoopState {
  struct Waiting {
    RequestPtr request;
    int status;
  };
  json::Parser parser{kJsonLimits};
  std::vector<sigv4::Header> headers;
  sigv4::SigningKeyCache signing_keys;
  std::unordered_map<std::string, service::SessionPtr> sessions;  // by token
  std::vector<Waiting> waiting;   // their records are in trail_lines
  std::vector<Waiting> flushing;  // their records are on their way to the trail
  std::string trail_lines;
  std::string head;
};

Pipeline::Pipeline(service::Service& service, unsigned threads)
    : service_(service),
      workers_(std::max(2U, threads), kWaitingWorkMax),
      outside_workers_(kOutsideThreads, kWaitingOutsideMax) {
  for (unsigned i = 0; i < threads; ++i) loops_.push_back(std::make_unique<LoopState>());
  if (service.trail_sync() == trail::SyncMode::kAlways) {
    committer_ = std::make_unique<TrailCommitter>(service.trail());
  }
}

Pipeline::~Pipeline() = default;

Pipeline::LoopState& Pipeline::StateOf(http::Loop& loop) { return *loops_.at(loop.index()); }

json::Parser& Pipeline::parser(const RequestState& request) {
  return StateOf(request.exchange->loop()).parser;
}

void Pipeline::OnRequest(std::shared_ptr<http::Exchange> exchange) {
  const http::RequestView& view = exchange->request();
  if (view.method != "POST" || view.path != "/") {
    ServePlain(std::move(exchange));
    return;
  }
  Serve(Begin(std::move(exchange)));
}

RequestPtr Pipeline::Begin(std::shared_ptr<http::Exchange> exchange) {
  auto request = std::make_shared<RequestState>();
  request->exchange = std::move(exchange);
  request->now = service_.environment().clock.Now();
  request->request_id = NewUuidText(service_.environment().random);
  return request;
}

void Pipeline::ServePlain(std::shared_ptr<http::Exchange> exchange) {
  const http::RequestView& view = exchange->request();
  const bool reading = view.method == "GET" || view.method == "HEAD";
  if (reading && view.path == "/healthz") {
    std::string body = "ok\n";
    exchange->Reply(PlainHead("200 OK", "text/plain; charset=utf-8", body.size()), body);
  } else if (reading && view.path == "/metrics") {
    std::string body;
    metrics_.Render(service_.tables().key_count(), body);
    exchange->Reply(PlainHead("200 OK", "text/plain; version=0.0.4; charset=utf-8", body.size()),
                    body);
  } else if (pages_ != nullptr) {
    pages_->OnRequest(std::move(exchange));
  } else {
    std::string body = "not found\n";
    exchange->Reply(PlainHead("404 Not Found", "text/plain; charset=utf-8", body.size()), body);
  }
}

void Pipeline::Serve(const RequestPtr& request) {
  if (IsStsRequest(request->exchange->request())) {
    ServeSts(request);
    return;
  }
  const std::string_view target = request->exchange->request().Header("x-amz-target");
  const bool admin = target.starts_with(kAdminTargetPrefix);
  const std::size_t dot = target.find('.');
  const std::string_view name = dot == std::string_view::npos ? target : target.substr(dot + 1);
  if (target.starts_with(api::kTargetPrefix)) request->operation = api::FindOperation(name);
  request->audit.event_name = SafeEventName(name);
  if (const Status known = Authenticate(*request, admin ? kAdminServiceName : "kms"); !known) {
    metrics_.CountUnauthenticated();
    Refuse(request, known.error());
    return;
  }
  if (admin) {
    DispatchAdmin(*this, request, name);
    return;
  }
  if (!request->operation) {
    Refuse(request, {ErrorCode::kUnknownOperationException, {}, {}});
    return;
  }
  Dispatch(*this, request, *request->operation);
}

Status Pipeline::Authenticate(RequestState& request, std::string_view service_name) {
  LoopState& loop = StateOf(request.exchange->loop());
  const http::RequestView& view = request.exchange->request();
  loop.headers.clear();
  for (const http::HeaderView& header : view.headers) {
    loop.headers.push_back({header.name, header.value});
  }
  const sigv4::Request signed_request{view.method, view.path, view.query, loop.headers,
                                      AsBytes(view.body)};
  KT_ASSIGN(const sigv4::Authorization authorization,
            sigv4::ParseAuthorization(signed_request, service_name, request.now));
  service::Caller caller;
  ByteView secret;
  if (authorization.security_token.empty()) {
    const service::AccessKeyPtr access_key =
        service_.tables().FindAccessKey(authorization.access_key_id);
    if (!access_key || !access_key->row.active) return Fail(InvalidToken());
    KT_ASSIGN(caller, service::CallerOf(service_.tables(), access_key));
    secret = access_key->secret.reveal();
  } else {
    KT_ASSIGN(const service::SessionPtr session, OpenToken(loop, authorization.security_token));
    if (session->access_key_id != authorization.access_key_id) return Fail(InvalidToken());
    KT_ASSIGN(caller, service::CallerOf(service_.tables(), session));
    secret = session->secret.reveal();
  }
  KT_TRY(sigv4::VerifySignature(signed_request, authorization,
                                loop.signing_keys.Get(authorization, secret)));
  if (caller.session && caller.session->expires <= request.now) {
    return Fail(ErrorCode::kExpiredTokenException,
                "The security token included in the request is expired");
  }
  const auto region = model::Region::InternFor(caller.principal_arn(), authorization.region);
  if (!region) {
    return Fail(ErrorCode::kInvalidSignatureException,
                model::Region::IsValid(authorization.region)
                    ? "Credential should be scoped to a valid region. This server does not know "
                      "the region, and you have used too many others that it did not know."
                    : "Credential should be scoped to a valid region.");
  }
  request.region = *region;
  request.caller = std::move(caller);
  request.caller.peer = {view.remote_address, view.Header("user-agent"), view.tls.has_value()};
  return {};
}

Result<service::SessionPtr> Pipeline::OpenToken(LoopState& loop, std::string_view token) {
  const std::string name(token);
  if (const auto known = loop.sessions.find(name); known != loop.sessions.end()) {
    return known->second;
  }
  KT_ASSIGN(service::SessionPtr session,
            service::OpenSession(service_.environment().keyring, token));
  if (loop.sessions.size() >= kSessionsMax) loop.sessions.clear();
  loop.sessions.emplace(name, session);
  return session;
}

int Pipeline::WriteError(RequestState& request, const Error& error) {
  request.body.clear();
  if (request.sts) return AppendStsError(error, request.request_id, request.body);
  api::AppendError(error, request.body);
  return api::Wire(error.code).http_status;
}

void Pipeline::Succeed(const RequestPtr& request) { Answer(request, nullptr); }

void Pipeline::Refuse(const RequestPtr& request, const Error& error) {
  if (!error.cause.empty()) {
    LogError("{} {}: {}", request->audit.event_name, View(request->request_id), error.cause);
  }
  Answer(request, &error);
}

void Pipeline::Answer(const RequestPtr& request, const Error* error) {
  LoopState& loop = StateOf(request->exchange->loop());
  const UuidText event_id = request->event_id.front() != '\0'
                                ? request->event_id
                                : NewUuidText(service_.environment().random);
  AppendAuditLine(*request, View(event_id), error, loop.trail_lines);
  int status = 200;
  if (error != nullptr) {
    status = WriteError(*request, *error);
  }
  loop.waiting.push_back({request, status});
  if (loop.waiting.size() == 1) {
    request->exchange->loop().Post([this, &loop] { Flush(loop); });
  } else if (loop.waiting.size() == kAnswersPerWrite && committer_ == nullptr) {
    Flush(loop);
  }
}

void Pipeline::Flush(LoopState& loop) {
  if (loop.waiting.empty()) return;    // written with others already
  if (!loop.flushing.empty()) return;  // Finish comes back for what waits now
  std::swap(loop.flushing, loop.waiting);
  if (committer_ == nullptr) {
    const Status written = trail::AppendAll(service_.trail(), loop.trail_lines);
    loop.trail_lines.clear();
    Finish(loop, written);
    return;
  }
  http::Loop& back = loop.flushing.front().request->exchange->loop();
  committer_->Append(loop.trail_lines, [this, &loop, &back](const Status& written) {
    back.Post([this, &loop, written] { Finish(loop, written); });
  });
}

void Pipeline::Finish(LoopState& loop, const Status& written) {
  if (!written) {
    metrics_.CountTrailFailure();
    LogError("calls refused, the trail cannot be written: {}", written.error().message);
  }
  auto finished = std::exchange(loop.flushing, {});
  for (const LoopState::Waiting& each : finished) {
    RequestState& request = *each.request;
    int status = each.status;
    if (!written) {
      status = 500;
      WipeMemory(request.body.data(), request.body.size());
      (void)WriteError(request, {ErrorCode::kKMSInternalException, {}, {}});
    }
    Send(request, status);
  }
  finished.clear();
  loop.flushing.swap(finished);  // the memory serves again
  if (!loop.waiting.empty()) Flush(loop);
}

void Pipeline::Reply(const RequestPtr& request, const Error* error) {
  int status = 200;
  if (error != nullptr) {
    status = WriteError(*request, *error);
  }
  Send(*request, status);
}

void Pipeline::Send(RequestState& request, int status) {
  if (request.operation) metrics_.Count(*request.operation, status);
  std::string& head = StateOf(request.exchange->loop()).head;
  WriteHead(status, request, head);
  request.exchange->Reply(head, request.body);
}

}  // namespace keyturn::server
