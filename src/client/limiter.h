// Limiter: when the next call of one operation in one region may be made.
//
// AWS's quotas are per account and Region and shared with the applications that live there, and its
// throttling says so only after they have been hurt. So a limiter with a quota starts slow, doubles
// its rate each second up to a share of the quota, halves on throttling, holds for about a second,
// keeps a lower ceiling for a while and grows back slowly. Without a quota (an endpoint that is not
// AWS) it lets everything through until the first throttling, and then does the same.
// Calls are paced, because quotas are per second: what is made up for after a late wake is 50 ms'
// worth. Those that have to wait become due together, in rounds: to wake for each would cost more
// than the call.
// Not thread-safe. Time is the caller's steady clock.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace keyturn::client {

using SteadyTime = std::chrono::steady_clock::time_point;

// kPaceRound: calls that have to wait become due at multiples of this.
inline constexpr std::chrono::milliseconds kPaceRound{10};

// QuotaPerSecond: AWS's default request quota of an operation; nullopt when not known.
std::optional<double> QuotaPerSecond(std::string_view operation);

class Limiter {
 public:
  // rate_max: calls a second, the share already applied; nullopt: no limit until throttled.
  Limiter(std::optional<double> rate_max, SteadyTime now);

  // NextAllowed is the instant from which a call may be made; now or earlier means at once. Whoever
  // asks too early is told a round, before which none is allowed.
  SteadyTime NextAllowed(SteadyTime now);
  // Take counts a call made now.
  void Take(SteadyTime now);
  // OnThrottled: jitter in [0, 1) spreads the end of the hold. Several answers of one burst count
  // once.
  void OnThrottled(SteadyTime now, double jitter);

  // rate in calls a second; nullopt when there is no limit.
  std::optional<double> rate() const;
  // recent_rate: calls a second that were made of late.
  double recent_rate(SteadyTime now) const;

 private:
  void Grow(SteadyTime now);

  std::optional<double> rate_max_;
  std::optional<double> ceiling_;  // lowered by throttling, grows back
  double rate_ = 0;
  SteadyTime next_;        // of the paced sequence
  SteadyTime round_;       // when those that came too early may be made
  SteadyTime grown_;       // when rate_ was last adjusted
  SteadyTime held_until_;  // nothing before this
  SteadyTime throttled_;   // the last throttling that counted
  // For endpoints without a quota: calls made in the current and last second, to halve from.
  SteadyTime window_begin_;
  double window_calls_ = 0;
  double last_window_rate_ = 0;
};

}  // namespace keyturn::client
