// Monitor: how long work is followed and stopped.
//
// Thread-safety: progress is called on the thread that does the work; cancelled is read on it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "control/target.h"

namespace keyturn::control {

struct Progress {
  std::string_view phase;       // "auditing", "applying", "verifying", "backing out"
  std::uint64_t done = 0;       // keys
  std::uint64_t total = 0;      // known so far
  bool total_is_known = false;  // listing has ended
  double keys_per_second = 0;
  double calls_per_second = 0;
  double quota_used = 0;  // of AWS's quota, by the operation that comes closest; 0: none applies
  std::uint64_t calls = 0;
  std::uint64_t throttled = 0;
  std::optional<std::chrono::seconds> left;
};

// ProgressText: "auditing: 1,200 of 5,000 keys, 310/s, 28 % of quota, 3 throttled, 12 s left".
std::string ProgressText(const Progress& progress);
// ProgressJson: the same as one line of JSON, with time. docs/control.md has the members.
std::string ProgressJson(const Progress& progress, TimePoint now);

struct Monitor {
  const std::atomic<bool>* cancelled = nullptr;   // may be null
  std::optional<TimePoint> deadline;              // the work stops then
  std::function<void(const Progress&)> progress;  // may be empty; a few times a second

  bool Stops(TimePoint now) const {
    return (cancelled != nullptr && cancelled->load()) || (deadline && now >= *deadline);
  }
};

// ProgressMeter turns counts into Progress and calls the monitor a few times a second.
class ProgressMeter {
 public:
  // All of them must outlive the meter.
  ProgressMeter(const Monitor& monitor, const Clock& clock, const Access& access,
                std::string_view phase);
  void Report(std::uint64_t done, std::uint64_t total, bool total_is_known);

 private:
  const Monitor& monitor_;
  const Clock& clock_;
  const Access& access_;
  const std::string_view phase_;
  const TimePoint started_;
  std::optional<TimePoint> last_;
  std::uint64_t calls_before_;
};

}  // namespace keyturn::control
