// ScriptedHttp: an http::Client without a network, for tests. Each request is answered by a
// function of the test's, one a turn; time is a ManualClock that moves when somebody waits.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <utility>

#include "base/time.h"
#include "client/kms_client.h"
#include "http/client.h"

namespace keyturn::client {

class ScriptedHttp : public http::Client {
 public:
  using Reply = std::function<Result<http::ClientResponse>(const http::ClientRequest&)>;

  ScriptedHttp(ManualClock& clock, Reply reply) : clock_(clock), reply_(std::move(reply)) {}

  void Submit(http::ClientRequest request, Done done) override {
    in_flight_.emplace_back(std::move(request), std::move(done));
    most_in_flight_ = std::max(most_in_flight_, in_flight_.size());
  }

  std::size_t Pump(std::chrono::milliseconds max_wait) override {
    if (in_flight_.empty()) {
      clock_.Advance(max_wait);
      return 0;
    }
    auto [request, done] = std::move(in_flight_.front());
    in_flight_.pop_front();
    clock_.Advance(call_time);
    done(reply_(request));
    return in_flight_.size();
  }

  void CancelAll() override {
    while (!in_flight_.empty()) {
      auto [request, done] = std::move(in_flight_.front());
      in_flight_.pop_front();
      done(Fail(ErrorCode::kCancelled, "the request was cancelled"));
    }
  }

  std::size_t most_in_flight() const { return most_in_flight_; }
  Millis call_time{1};

  // Options makes options whose time is the clock's.
  static KmsClientOptions Options(ManualClock& clock) {
    KmsClientOptions options;
    options.steady_now = [&clock] { return SteadyTime(clock.Now().time_since_epoch()); };
    options.wait = [&clock](Millis time) { clock.Advance(time); };
    return options;
  }

 private:
  ManualClock& clock_;
  const Reply reply_;
  std::deque<std::pair<http::ClientRequest, Done>> in_flight_;
  std::size_t most_in_flight_ = 0;
};

// HeaderOf returns a request's header, or empty.
inline std::string HeaderOf(const http::ClientRequest& request, std::string_view name) {
  for (const auto& [each, value] : request.headers) {
    if (each == name) return value;
  }
  return {};
}

inline http::ClientResponse JsonReply(int status, std::string body,
                                      std::string request_id = "req-1") {
  return {status, {{"x-amzn-requestid", std::move(request_id)}}, std::move(body)};
}

// FixedRandom gives the same byte all the time.
class FixedRandom final : public RandomSource {
 public:
  explicit FixedRandom(std::uint8_t byte) : byte_(byte) {}
  void Fill(MutableByteView out) override { std::fill(out.begin(), out.end(), byte_); }

 private:
  const std::uint8_t byte_;
};

}  // namespace keyturn::client
