#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <string>

#include "base/time.h"

namespace keyturn {
namespace {
std::atomic<LogLevel> g_lowest{LogLevel::kInfo};

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}
}  // namespace

void SetLogLevel(LogLevel lowest) { g_lowest = lowest; }

void LogLine(LogLevel level, std::string_view message) {
  if (level < g_lowest.load()) {
    return;
  }
  const std::string line = fmt::format("{} {} {}\n", FormatIso8601Millis(SystemClock().Now()),
                                       LevelName(level), message);
  // One write: lines of different threads do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace keyturn
