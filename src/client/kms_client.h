// KmsClient: calls of AWS KMS's API on any endpoint that speaks it: signed, paced, retried, many in
// flight.
//
// One thread: the owner calls and pumps; done runs inside Pump or CancelAll. Answers stay JSON
// text: an endpoint may be newer than we are, and what is not understood must not be lost. Source:
// AWS JSON 1.1 protocol; KMS Developer Guide, request quotas and throttling.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "client/endpoint.h"
#include "client/limiter.h"
#include "http/client.h"
#include "sigv4/sigv4.h"

namespace keyturn::client {

struct Answer {
  std::string body;
  std::string request_id;
};

// CallError: how a call failed for good. code is the wire name ("AccessDeniedException"), or one of
// kNetworkError ...
struct CallError {
  std::string code;
  std::string message;
  std::string request_id;
  int http_status = 0;  // 0: no answer

  // IsDenied: the caller lacks a permission.
  bool IsDenied() const;
  // IsBadCredentials: the endpoint does not know the caller (also: a region that is not enabled).
  bool IsBadCredentials() const;
};
inline constexpr std::string_view kNetworkError = "NetworkError";
inline constexpr std::string_view kTimeout = "Timeout";
inline constexpr std::string_view kThrottled = "Throttled";  // until patience ran out
inline constexpr std::string_view kCancelled = "Cancelled";
inline constexpr std::string_view kMalformedAnswer = "MalformedAnswer";
inline constexpr std::string_view kBadEndpoint = "BadEndpoint";

using CallResult = tl::expected<Answer, CallError>;

struct OperationCount {
  std::uint64_t calls = 0;      // requests sent, retries too
  std::uint64_t throttled = 0;  // answers that said so
  std::uint64_t failed = 0;     // calls that failed for good
};

// CallBudget bounds the requests of several clients together. It belongs to their thread.
struct CallBudget {
  std::size_t in_flight = 0;
  std::size_t in_flight_max = 256;
};

// Exchange: one attempt of a call and what came of it. The views live as long as the observer runs.
struct Exchange {
  std::string_view operation;
  std::string_view region;
  std::string_view endpoint;  // URL
  std::string_view request;   // body
  int attempt = 1;
  const http::ClientResponse* response = nullptr;  // null: there was no answer
  const CallError* error = nullptr;                // null: it succeeded
  bool again = false;                              // the call is made again
};
using Observer = std::function<void(const Exchange&)>;

struct KmsClientOptions {
  std::string endpoint_url;    // empty: AWS's, by region
  EndpointVariant variant;     // of AWS's
  std::string ca_bundle_file;  // empty: the HTTP client's
  double quota_share = 0.3;    // of AWS's quota for each operation and region; (0, 1]
  std::size_t in_flight_max = 32;
  CallBudget* budget = nullptr;  // shared with other clients; may be null
  std::chrono::milliseconds call_timeout{30000};
  // Transient failures (no answer, 5xx) are retried with full jitter, this many attempts in all.
  // After several calls in a row failed so for good, the others get one attempt each, until one
  // succeeds: an endpoint that is down is not waited for again and again.
  int attempts_max = 8;
  // Throttled calls are retried for this long from when the call was made.
  std::chrono::seconds throttle_patience{900};
  std::string user_agent = "keyturn";
  // Runs before each request is signed: the moment to renew the credentials in place.
  std::function<void()> before_signing;
  // What pacing is measured with, and how Pump waits when nothing is under way. Empty: the steady
  // clock and a sleep of the thread.
  std::function<SteadyTime()> steady_now;
  std::function<void(std::chrono::milliseconds)> wait;
};

// ParseCallError reads an error answer: __type is cut at '#' and ':', message or Message.
CallError ParseCallError(const http::ClientResponse& response);
// FinalError is the same as the caller gets it when the call is not made again.
CallError FinalError(const http::ClientResponse& response);

class KmsClient {
 public:
  using Done = std::function<void(CallResult)>;

  // http, credentials, clock and random must outlive the client. kUsage when endpoint_url is wrong.
  static Result<std::unique_ptr<KmsClient>> Create(http::Client& http,
                                                   const sigv4::Credentials& credentials,
                                                   const Clock& clock, RandomSource& random,
                                                   KmsClientOptions options);
  virtual ~KmsClient() = default;
  KmsClient(const KmsClient&) = delete;
  KmsClient& operator=(const KmsClient&) = delete;

  // Call queues a call; done runs exactly once, later, and may Call. body is the request's JSON.
  // Not before delay has passed. It is made again when no answer came, as the AWS SDKs do, so that
  // the endpoint may carry it out more than once: it must be one that reads or that sets a state.
  virtual void Call(std::string_view operation, std::string_view region, std::string body,
                    Done done, std::chrono::milliseconds delay = {}) = 0;
  // Pump sends what may be sent, runs callbacks, and waits at most max_wait. Returns the number of
  // calls not done yet.
  virtual std::size_t Pump(std::chrono::milliseconds max_wait) = 0;
  // SendDue is the part of Pump that sends, for an owner of many clients who pumps their HTTP
  // client himself. Returns when something may be sent next; nullopt when that is up to answers.
  virtual std::optional<SteadyTime> SendDue() = 0;
  // unfinished: calls that are not done.
  virtual std::size_t unfinished() const = 0;
  // CancelAll finishes every call that is not done with kCancelled; so does every later Call.
  virtual void CancelAll() = 0;

  // Observe: observer sees every attempt that was sent, before the call's done runs; it must not
  // call. An empty one ends that. A client without attempts of its own has nothing to show.
  virtual void Observe(Observer observer) = 0;

  virtual const std::map<std::string, OperationCount, std::less<>>& counts() const = 0;
  // is_aws: the endpoint is AWS's, so quotas and prices are.
  virtual bool is_aws() const = 0;
  // quota_used: of the operation and region that come closest, the last second's calls as a part of
  // AWS's quota; 0 where none applies.
  virtual double quota_used() const = 0;

 protected:
  KmsClient() = default;
};

}  // namespace keyturn::client
