#include "client/kms_client.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "client/endpoint.h"
#include "sigv4/signer.h"

namespace keyturn::client {
namespace {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kBackoffFirst{0.1};
constexpr Seconds kBackoffMax{20};
// So many calls in a row that failed without an answer mean that the endpoint is down.
constexpr int kDownAfter = 4;
// An operation whose quota we do not know gets the smallest of those we do.
constexpr double kUnknownQuota = 5;
// A Date header this far from what we signed with explains a refused signature.
constexpr Millis kSkewMin{60000};

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// LimitExceededException is not among them: it is a quota of things, not of calls, and does not go
// away by waiting.
bool IsThrottling(const CallError& error) {
  return error.http_status == 429 ||
         IsOneOf(error.code,
                 {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
                  "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
                  "BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete"});
}

bool IsTransient(const CallError& error) {
  return IsOneOf(error.code,
                 {kNetworkError, kTimeout, "KMSInternalException", "InternalFailure",
                  "InternalError", "InternalServerError", "ServiceUnavailable",
                  "ServiceUnavailableException", "DependencyTimeoutException",
                  "KeyUnavailableException", "RequestTimeout", "RequestTimeoutException"}) ||
         error.http_status == 500 || (error.http_status >= 502 && error.http_status <= 504);
}

bool MayBeSkew(const CallError& error) {
  return IsOneOf(error.code, {"InvalidSignatureException", "SignatureDoesNotMatch",
                              "RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"});
}

// GivenUp: a throttled call whose patience ran out.
CallError GivenUp(CallError error) {
  error.message = error.code + ": " + error.message;
  error.code = kThrottled;
  return error;
}

// One call from Call to its done.
struct Work {
  struct Lane* lane = nullptr;
  std::string body;
  KmsClient::Done done;
  SteadyTime made;
  int attempts = 0;
  Millis clock_offset{0};  // that the last attempt was signed with
  bool skew_retried = false;
};
using WorkPtr = std::shared_ptr<Work>;

struct Host {
  Result<Endpoint> endpoint;
  int failures_in_a_row = 0;
  sigv4::DerivedKey key;
};

// Calls of one operation in one region, which share a quota.
struct Lane {
  std::string operation;
  std::string region;
  std::string target;
  Host* host = nullptr;
  OperationCount* count = nullptr;
  Limiter limiter;
  std::deque<WorkPtr> queue;
};

class PacedClient final : public KmsClient {
 public:
  PacedClient(http::Client& http, const sigv4::Credentials& credentials, const Clock& clock,
              RandomSource& random, KmsClientOptions options, bool is_aws);

  void Call(std::string_view operation, std::string_view region, std::string body, Done done,
            Millis delay) override;
  std::size_t Pump(Millis max_wait) override;
  void CancelAll() override;
  void Observe(Observer observer) override { observer_ = std::move(observer); }
  const std::map<std::string, OperationCount, std::less<>>& counts() const override {
    return counts_;
  }
  bool is_aws() const override { return is_aws_; }
  std::optional<SteadyTime> SendDue() override;
  std::size_t unfinished() const override { return unfinished_; }
  double quota_used() const override;

 private:
  Lane& LaneOf(std::string_view operation, std::string_view region);
  Host& HostOf(std::string_view region);
  double Jitter();

  void TakeDue(SteadyTime now);
  void SendReady(SteadyTime now);
  bool SendOne(Lane& lane, SteadyTime now);
  void Send(const WorkPtr& work);
  http::ClientRequest Sign(Work& work);
  bool MaySend() const;
  std::optional<SteadyTime> NextDue(SteadyTime now) const;
  void DropQueued();

  void OnResponse(const WorkPtr& work, Result<http::ClientResponse> result);
  bool RetryError(const WorkPtr& work, CallError& error, std::string_view date);
  void Show(const Work& work, const http::ClientResponse* response, const CallError* error,
            bool again) const;
  bool RetrySkew(const WorkPtr& work, std::string_view date);
  bool RetryTransient(const WorkPtr& work);
  void Finish(const WorkPtr& work, CallResult result);

  http::Client& http_;
  const sigv4::Credentials& credentials_;
  const Clock& clock_;
  RandomSource& random_;
  const KmsClientOptions options_;
  const bool is_aws_;

  std::map<std::string, Host, std::less<>> hosts_;  // by region
  std::map<std::string, std::map<std::string, Lane, std::less<>>, std::less<>> lanes_;
  std::vector<Lane*> lane_order_;
  std::size_t first_lane_ = 0;
  std::multimap<SteadyTime, WorkPtr> delayed_;
  std::map<std::string, OperationCount, std::less<>> counts_;
  std::size_t unfinished_ = 0;
  std::size_t in_flight_ = 0;
  Millis clock_offset_{0};
  bool cancelled_ = false;
  bool changed_ = true;  // since SendDue: a call came, or an answer
  std::optional<SteadyTime> next_due_;
  Observer observer_;
  // Callbacks that the http client still holds find out that we are gone.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

PacedClient::PacedClient(http::Client& http, const sigv4::Credentials& credentials,
                         const Clock& clock, RandomSource& random, KmsClientOptions options,
                         bool is_aws)
    : http_(http),
      credentials_(credentials),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      is_aws_(is_aws) {}

double PacedClient::Jitter() {
  std::array<std::uint8_t, 4> bytes{};
  random_.Fill(bytes);
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return static_cast<double>(number) / 4294967296.0;
}

Host& PacedClient::HostOf(std::string_view region) {
  const auto found = hosts_.find(region);
  if (found != hosts_.end()) return found->second;
  auto endpoint = options_.endpoint_url.empty() ? Endpoint::Aws(region, "kms", options_.variant)
                                                : Endpoint::Parse(options_.endpoint_url);
  return hosts_.emplace(std::string(region), Host{std::move(endpoint), 0, {}}).first->second;
}

Lane& PacedClient::LaneOf(std::string_view operation, std::string_view region) {
  auto& of_region = lanes_[std::string(region)];
  const auto found = of_region.find(operation);
  if (found != of_region.end()) return found->second;
  std::optional<double> rate_max;
  if (is_aws_) {
    rate_max = QuotaPerSecond(operation).value_or(kUnknownQuota) * options_.quota_share;
  }
  Lane lane{std::string(operation),
            std::string(region),
            "TrentService." + std::string(operation),
            &HostOf(region),
            &counts_[std::string(operation)],
            Limiter(rate_max, options_.steady_now()),
            {}};
  Lane& kept = of_region.emplace(std::string(operation), std::move(lane)).first->second;
  lane_order_.push_back(&kept);
  return kept;
}

void PacedClient::Call(std::string_view operation, std::string_view region, std::string body,
                       Done done, Millis delay) {
  auto work = std::make_shared<Work>();
  work->lane = &LaneOf(operation, region);
  work->body = std::move(body);
  work->done = std::move(done);
  work->made = options_.steady_now() + delay;
  ++unfinished_;
  changed_ = true;
  if (delay > Millis(0)) {
    delayed_.emplace(work->made, std::move(work));
  } else {
    work->lane->queue.push_back(work);
  }
}

// TakeDue puts what has waited long enough in front: it is older than what is queued.
void PacedClient::TakeDue(SteadyTime now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    WorkPtr work = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    work->lane->queue.push_front(std::move(work));
  }
}

// SendReady goes round the lanes, one call each, so that no operation starves another.
void PacedClient::SendReady(SteadyTime now) {
  std::size_t idle = 0;
  while (idle < lane_order_.size() && MaySend()) {
    Lane& lane = *lane_order_[first_lane_ % lane_order_.size()];
    first_lane_ = (first_lane_ + 1) % lane_order_.size();
    idle = SendOne(lane, now) ? 0 : idle + 1;
  }
}

bool PacedClient::MaySend() const {
  const CallBudget* budget = options_.budget;
  return in_flight_ < options_.in_flight_max &&
         (budget == nullptr || budget->in_flight < budget->in_flight_max);
}

bool PacedClient::SendOne(Lane& lane, SteadyTime now) {
  if (lane.queue.empty() || lane.limiter.NextAllowed(now) > now) return false;
  const WorkPtr work = std::move(lane.queue.front());
  lane.queue.pop_front();
  if (!lane.host->endpoint) {
    Finish(work, tl::unexpected(CallError{
                     std::string(kBadEndpoint), lane.host->endpoint.error().message, {}, 0}));
    return true;
  }
  lane.limiter.Take(now);
  Send(work);
  return true;
}

void PacedClient::Send(const WorkPtr& work) {
  ++in_flight_;
  if (options_.budget != nullptr) ++options_.budget->in_flight;
  ++work->attempts;
  ++work->lane->count->calls;
  http_.Submit(Sign(*work),
               [this, work, budget = options_.budget,
                alive = std::weak_ptr<const bool>(alive_)](Result<http::ClientResponse> result) {
                 if (budget != nullptr) --budget->in_flight;
                 if (!alive.expired()) OnResponse(work, std::move(result));
               });
}

http::ClientRequest PacedClient::Sign(Work& work) {
  if (options_.before_signing) options_.before_signing();
  const Lane& lane = *work.lane;
  const Endpoint& endpoint = *lane.host->endpoint;
  constexpr std::string_view kContentType = "application/x-amz-json-1.1";
  const std::array<sigv4::Header, 3> headers = {
      {{"Host", endpoint.host}, {"Content-Type", kContentType}, {"X-Amz-Target", lane.target}}};
  work.clock_offset = clock_offset_;
  const TimePoint now = clock_.Now() + clock_offset_;
  sigv4::DerivedKey& key = work.lane->host->key;
  const auto signed_headers = sigv4::SignWith(
      {.method = "POST",
       .path = endpoint.path,
       .query = {},
       .headers = headers,
       .body = AsBytes(work.body)},
      credentials_, key.Get(credentials_, lane.region, "kms", now), lane.region, "kms", now);
  http::ClientRequest request;
  request.url = endpoint.url;
  request.headers.reserve(7);
  request.headers.emplace_back("Host", endpoint.host);
  request.headers.emplace_back("Content-Type", kContentType);
  request.headers.emplace_back("X-Amz-Target", lane.target);
  request.headers.emplace_back("X-Amz-Date", signed_headers.amz_date);
  request.headers.emplace_back("Authorization", signed_headers.authorization);
  request.headers.emplace_back("User-Agent", options_.user_agent);
  if (!credentials_.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", credentials_.session_token);
  }
  request.body = work.body;
  request.ca_bundle_file = options_.ca_bundle_file;
  request.timeout = options_.call_timeout;
  return request;
}

// NextDue is when the next call may be sent, if that is what we wait for.
std::optional<SteadyTime> PacedClient::NextDue(SteadyTime now) const {
  std::optional<SteadyTime> next;
  const auto sooner = [&next](SteadyTime time) { next = next ? std::min(*next, time) : time; };
  if (!delayed_.empty()) sooner(delayed_.begin()->first);
  if (MaySend()) {
    for (Lane* lane : lane_order_) {
      if (!lane->queue.empty()) sooner(lane->limiter.NextAllowed(now));
    }
  }
  return next;
}

std::optional<SteadyTime> PacedClient::SendDue() {
  if (cancelled_) {
    DropQueued();
    return std::nullopt;
  }
  const SteadyTime now = options_.steady_now();
  // With many accounts on one loop most have nothing to do most of the time.
  if (!changed_ && (!next_due_ || now < *next_due_)) return next_due_;
  changed_ = false;
  TakeDue(now);
  SendReady(now);
  next_due_ = NextDue(now);
  // Others may have given back what of the common budget this one waits for.
  if (!MaySend()) changed_ = true;
  return next_due_;
}

std::size_t PacedClient::Pump(Millis max_wait) {
  const auto next = SendDue();
  if (cancelled_ || unfinished_ == 0) return unfinished_;
  Millis wait = max_wait;
  if (next) {
    const auto until = std::chrono::ceil<Millis>(*next - options_.steady_now());
    wait = std::clamp(until, Millis(0), max_wait);
  }
  // Answers wait for the round, too: to wake for each would cost more than what is done with it.
  const bool round = next && wait <= kPaceRound;
  if (wait > Millis(0) && (round || in_flight_ == 0)) options_.wait(std::exchange(wait, Millis(0)));
  if (in_flight_ > 0) http_.Pump(wait);
  return unfinished_;
}

double PacedClient::quota_used() const {
  if (!is_aws_) return 0;
  const SteadyTime now = options_.steady_now();
  double most = 0;
  for (const Lane* lane : lane_order_) {
    most = std::max(most, lane->limiter.recent_rate(now) /
                              QuotaPerSecond(lane->operation).value_or(kUnknownQuota));
  }
  return most;
}

void PacedClient::DropQueued() {
  const CallError error{std::string(kCancelled), "the run was stopped", {}, 0};
  for (bool again = true; again;) {
    std::vector<WorkPtr> dropped;
    for (auto& [due, work] : delayed_) dropped.push_back(std::move(work));
    delayed_.clear();
    for (Lane* lane : lane_order_) {
      std::move(lane->queue.begin(), lane->queue.end(), std::back_inserter(dropped));
      lane->queue.clear();
    }
    for (const WorkPtr& work : dropped) Finish(work, tl::unexpected(error));
    again = !dropped.empty();
  }
}

void PacedClient::CancelAll() {
  cancelled_ = true;
  http_.CancelAll();
  DropQueued();
}

void PacedClient::OnResponse(const WorkPtr& work, Result<http::ClientResponse> result) {
  --in_flight_;
  changed_ = true;
  const http::ClientResponse* response = result ? &*result : nullptr;
  if (response != nullptr) {
    work->lane->host->failures_in_a_row = 0;
    if (response->status == 200) {
      Show(*work, response, nullptr, false);
      std::string request_id(response->Header("x-amzn-requestid"));
      Finish(work, Answer{std::move(result->body), std::move(request_id)});
      return;
    }
  }
  CallError error;
  std::string_view date;
  if (response != nullptr) {
    error = ParseCallError(*response);
    date = response->Header("date");
  } else {
    const ErrorCode code = result.error().code;
    error.code = code == ErrorCode::kTimeout     ? kTimeout
                 : code == ErrorCode::kCancelled ? kCancelled
                 : code == ErrorCode::kUsage     ? kBadEndpoint
                                                 : kNetworkError;
    error.message = result.error().message;
  }
  const bool again = RetryError(work, error, date);
  Show(*work, response, &error, again);
  if (!again) Finish(work, tl::unexpected(std::move(error)));
}

void PacedClient::Show(const Work& work, const http::ClientResponse* response,
                       const CallError* error, bool again) const {
  if (!observer_) return;
  const Lane& lane = *work.lane;
  observer_({.operation = lane.operation,
             .region = lane.region,
             .endpoint = lane.host->endpoint->url,
             .request = work.body,
             .attempt = work.attempts,
             .response = response,
             .error = error,
             .again = again});
}

// RetryError puts the call back if it is to be made again; else error is what the caller gets.
bool PacedClient::RetryError(const WorkPtr& work, CallError& error, std::string_view date) {
  Lane& lane = *work->lane;
  const SteadyTime now = options_.steady_now();
  if (cancelled_) {
    // An error of a call that we stopped waiting for says nothing: it is not retried, and is final.
  } else if (IsThrottling(error)) {
    ++lane.count->throttled;
    lane.limiter.OnThrottled(now, Jitter());
    if (now - work->made < options_.throttle_patience) {
      lane.queue.push_front(work);
      return true;
    }
    error = GivenUp(std::move(error));
  } else if (MayBeSkew(error)) {
    if (RetrySkew(work, date)) return true;
  } else if (IsTransient(error)) {
    if (RetryTransient(work)) return true;
    if (error.http_status == 0) ++lane.host->failures_in_a_row;
  }
  return false;
}

bool PacedClient::RetrySkew(const WorkPtr& work, std::string_view date) {
  const auto server_time = ParseHttpDate(date);
  if (!server_time || work->skew_retried) return false;
  const Millis offset = *server_time - clock_.Now();
  if (std::chrono::abs(offset - work->clock_offset) < kSkewMin) return false;
  work->skew_retried = true;
  clock_offset_ = offset;
  work->lane->queue.push_front(work);
  return true;
}

bool PacedClient::RetryTransient(const WorkPtr& work) {
  const bool down = work->lane->host->failures_in_a_row >= kDownAfter;
  if (work->attempts >= (down ? 1 : options_.attempts_max)) return false;
  const double doublings = std::min(work->attempts - 1, 16);
  const Seconds longest = std::min(kBackoffMax, kBackoffFirst * std::exp2(doublings));
  const auto delay = std::chrono::duration_cast<SteadyTime::duration>(longest * Jitter());
  delayed_.emplace(options_.steady_now() + delay, work);
  return true;
}

void PacedClient::Finish(const WorkPtr& work, CallResult result) {
  if (!result && result.error().code != kCancelled) ++work->lane->count->failed;
  --unfinished_;
  const Done done = std::move(work->done);
  done(std::move(result));
}

}  // namespace

CallError FinalError(const http::ClientResponse& response) {
  CallError error = ParseCallError(response);
  return IsThrottling(error) ? GivenUp(std::move(error)) : error;
}

Result<std::unique_ptr<KmsClient>> KmsClient::Create(http::Client& http,
                                                     const sigv4::Credentials& credentials,
                                                     const Clock& clock, RandomSource& random,
                                                     KmsClientOptions options) {
  bool is_aws = true;
  if (!options.endpoint_url.empty()) {
    KT_ASSIGN(const Endpoint endpoint, Endpoint::Parse(options.endpoint_url));
    is_aws = endpoint.is_aws;
  }
  if (!(options.quota_share > 0 && options.quota_share <= 1)) {
    return Fail(ErrorCode::kUsage, "the share of the quota must be above 0 and at most 1");
  }
  if (!options.steady_now) options.steady_now = [] { return std::chrono::steady_clock::now(); };
  if (!options.wait) {
    options.wait = [](Millis time) { std::this_thread::sleep_for(time); };
  }
  options.in_flight_max = std::max<std::size_t>(1, options.in_flight_max);
  return std::make_unique<PacedClient>(http, credentials, clock, random, std::move(options),
                                       is_aws);
}

}  // namespace keyturn::client
