#include "client/limiter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace keyturn::client {
namespace {

using Seconds = std::chrono::duration<double>;

// A new limiter begins at this part of its ceiling, and reaches it after three doublings.
constexpr double kStartPart = 0.125;
// After throttling the ceiling is what was halved to and a quarter; it grows back by a hundredth of
// the ceiling's maximum each second.
constexpr double kCeilingOverRate = 1.25;
constexpr double kRegrowPartPerSecond = 0.01;
constexpr double kRateMin = 0.2;
constexpr Seconds kHold{0.75};
constexpr Seconds kHoldJitter{0.5};
// Throttling answers within this time belong to one burst.
constexpr Seconds kSameBurst{1.0};
// Calls that a slow loop missed are made up for, up to this much time's worth.
constexpr Seconds kCatchUp{0.05};

SteadyTime Later(SteadyTime from, Seconds by) {
  return from + std::chrono::duration_cast<SteadyTime::duration>(by);
}

}  // namespace

std::optional<double> QuotaPerSecond(std::string_view operation) {
  // KMS Developer Guide, "Request quotas", default values.
  constexpr std::array<std::pair<std::string_view, double>, 9> kQuotas = {{
      {"DescribeKey", 2000},
      {"DisableKeyRotation", 5},
      {"EnableKeyRotation", 15},
      {"GetKeyRotationStatus", 1000},
      {"ListAliases", 500},
      {"ListKeyRotations", 100},
      {"ListKeys", 500},
      {"ListResourceTags", 2000},
      {"RotateKeyOnDemand", 5},
  }};
  for (const auto& [name, quota] : kQuotas) {
    if (name == operation) return quota;
  }
  return std::nullopt;
}

Limiter::Limiter(std::optional<double> rate_max, SteadyTime now)
    : rate_max_(rate_max),
      ceiling_(rate_max),
      next_(now),
      round_(now),
      grown_(now),
      held_until_(now),
      throttled_(now - std::chrono::hours(1)),
      window_begin_(now) {
  if (rate_max_) rate_ = std::max(*rate_max_ * kStartPart, std::min(*rate_max_, kRateMin));
}

void Limiter::Grow(SteadyTime now) {
  if (!ceiling_) return;
  const double seconds = Seconds(now - grown_).count();
  if (seconds <= 0) return;
  grown_ = now;
  if (rate_max_) {
    ceiling_ = std::min(*rate_max_, *ceiling_ + *rate_max_ * kRegrowPartPerSecond * seconds);
  } else {
    *ceiling_ *= std::pow(1 + kRegrowPartPerSecond, std::min(seconds, 600.0));
  }
  rate_ = std::min(*ceiling_, rate_ * std::exp2(std::min(seconds, 30.0)));
}

SteadyTime Limiter::NextAllowed(SteadyTime now) {
  if (now < held_until_) return held_until_;
  Grow(now);
  if (!ceiling_) return now;
  if (next_ > now && round_ <= now) {
    const auto over = next_.time_since_epoch() % kPaceRound;
    round_ = over.count() == 0 ? next_ : next_ + (kPaceRound - over);
  }
  return round_;
}

void Limiter::Take(SteadyTime now) {
  if (Seconds(now - window_begin_).count() >= 1) {
    last_window_rate_ = window_calls_ / Seconds(now - window_begin_).count();
    window_begin_ = now;
    window_calls_ = 0;
  }
  window_calls_ += 1;
  if (!ceiling_) return;
  Grow(now);
  // The next call is one interval after the instant at which this one was due, so that the rate is
  // kept although the loop wakes late.
  const SteadyTime due = std::max(next_, Later(now, -kCatchUp));
  next_ = Later(due, Seconds(1 / rate_));
}

void Limiter::OnThrottled(SteadyTime now, double jitter) {
  held_until_ = std::max(held_until_, Later(now, kHold + kHoldJitter * jitter));
  if (Later(throttled_, kSameBurst) > now) return;
  throttled_ = now;
  if (!ceiling_) {
    // The rate that was too much is not known, only what was sent of late.
    rate_ = std::max({window_calls_, last_window_rate_, 2 * kRateMin});
  } else {
    Grow(now);
  }
  rate_ = std::max(rate_ / 2, rate_max_ ? std::min(kRateMin, *rate_max_) : kRateMin);
  ceiling_ = rate_ * kCeilingOverRate;
  if (rate_max_) ceiling_ = std::min(*ceiling_, *rate_max_);
  grown_ = held_until_;
  next_ = held_until_;
  round_ = held_until_;
}

double Limiter::recent_rate(SteadyTime now) const {
  const double age = Seconds(now - window_begin_).count();
  if (age >= 2) return 0;
  return age >= 1 ? window_calls_ / age : last_window_rate_;
}

std::optional<double> Limiter::rate() const {
  return ceiling_ ? std::optional<double>(rate_) : std::nullopt;
}

}  // namespace keyturn::client
