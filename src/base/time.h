// Time: the instants of the domain, and the clock that is injected everywhere.
//
// All instants are UTC with millisecond precision, as AWS's NextRotationDate is. Nothing reads the
// system clock except SystemClock; tests pass a ManualClock and never sleep.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

using Millis = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<Millis>;
using Days = std::chrono::duration<std::int32_t, std::ratio<86400>>;

inline std::int64_t ToEpochMillis(TimePoint t) { return t.time_since_epoch().count(); }
inline TimePoint FromEpochMillis(std::int64_t ms) { return TimePoint{Millis{ms}}; }

// FormatIso8601 returns "2026-11-23T23:55:06Z" (fraction dropped).
std::string FormatIso8601(TimePoint t);
// FormatIso8601Millis returns "2026-11-23T23:55:06.123Z".
std::string FormatIso8601Millis(TimePoint t);
// FormatBasic returns SigV4's "20261123T235506Z".
std::string FormatBasic(TimePoint t);
// FormatHttpDate returns "Mon, 23 Nov 2026 23:55:06 GMT" (RFC 9110 IMF-fixdate).
std::string FormatHttpDate(TimePoint t);
// ParseIso8601 accepts "YYYY-MM-DD", "YYYY-MM-DDThh:mm:ssZ" and with a fraction of up to 9 digits
// (cut to milliseconds); nothing else.
std::optional<TimePoint> ParseIso8601(std::string_view text);
// ParseBasic accepts exactly "YYYYMMDDThhmmssZ".
std::optional<TimePoint> ParseBasic(std::string_view text);
// ParseHttpDate accepts IMF-fixdate only.
std::optional<TimePoint> ParseHttpDate(std::string_view text);

// Clock: thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
};

// ManualClock stands still until told to move. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start) : ms_(ToEpochMillis(start)) {}
  TimePoint Now() const override { return FromEpochMillis(ms_.load()); }
  void Advance(Millis by) { ms_ += by.count(); }
  void Set(TimePoint to) { ms_ = ToEpochMillis(to); }

 private:
  std::atomic<std::int64_t> ms_;
};

}  // namespace keyturn
