// Progress: how far long work is, on standard error: one line that is rewritten on a terminal,
// a line every ten seconds elsewhere, or a JSON event every second.
//
// Thread-safety: one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/terminal.h"
#include "control/monitor.h"

namespace keyturn::cli {

class ProgressShow {
 public:
  // how: "auto", "line", "plain", "json", "none".
  ProgressShow(std::string_view how, const Terminal& terminal);

  void Show(const control::Progress& progress);
  // Clear ends the line, so that a report can follow.
  void Clear() { line_.Clear(); }

 private:
  enum class How { kLine, kPlain, kJson, kNone };
  using SteadyClock = std::chrono::steady_clock;

  const How how_;
  ProgressLine line_;
  SteadyClock::time_point last_ = SteadyClock::now();
};

// ParseDuration reads "90s", "30m", "2h", "1d": kUsage otherwise, and for nothing and more than a
// hundred days.
Result<std::chrono::seconds> ParseDuration(std::string_view text);

}  // namespace keyturn::cli
