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

#include "client/kms_client.h"

namespace keyturn::control {

struct Progress {
  std::string_view phase;       // "auditing", "applying", "verifying", "backing out"
  std::uint64_t done = 0;       // keys
  std::uint64_t total = 0;      // known so far
  bool total_is_known = false;  // listing has ended
  double keys_per_second = 0;
  std::uint64_t throttled = 0;
  std::optional<std::chrono::seconds> left;
};

// ProgressText: "auditing: 1,200 of 5,000 keys, 310/s, 3 throttled, 12 s left".
std::string ProgressText(const Progress& progress);

struct Monitor {
  const std::atomic<bool>* cancelled = nullptr;   // may be null
  std::function<void(const Progress&)> progress;  // may be empty; a few times a second

  bool IsCancelled() const { return cancelled != nullptr && cancelled->load(); }
};

}  // namespace keyturn::control
