#include "cli/progress.h"

#include <charconv>
#include <cstdio>

#include "base/time.h"

namespace keyturn::cli {

ProgressShow::ProgressShow(std::string_view how, const Terminal& terminal)
    : how_(how == "json"                                   ? How::kJson
           : how == "none"                                 ? How::kNone
           : how == "plain" || !terminal.error_is_terminal ? How::kPlain
                                                           : How::kLine),
      line_(terminal) {}

void ProgressShow::Show(const control::Progress& progress) {
  constexpr std::chrono::seconds kPlainPause{10};
  constexpr std::chrono::seconds kEventPause{1};
  if (how_ == How::kNone) return;
  if (how_ == How::kLine) {
    line_.Show(control::ProgressText(progress));
    return;
  }
  const auto now = SteadyClock::now();
  const bool ended = progress.total_is_known && progress.done == progress.total;
  // The last event says that it is the last; people read the report that follows.
  const bool due = now - last_ >= (how_ == How::kJson ? kEventPause : kPlainPause);
  if (!due && !(how_ == How::kJson && ended)) return;
  last_ = now;
  const std::string text = how_ == How::kJson ? control::ProgressJson(progress, SystemClock().Now())
                                              : "keyturn: " + control::ProgressText(progress);
  std::fputs((text + "\n").c_str(), stderr);
}

Result<std::chrono::seconds> ParseDuration(std::string_view text) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  constexpr std::int64_t kLongest = 100 * kDay;
  const char unit = text.empty() ? ' ' : text.back();
  const std::int64_t seconds = unit == 's'   ? 1
                               : unit == 'm' ? kMinute
                               : unit == 'h' ? kHour
                               : unit == 'd' ? kDay
                                             : 0;
  std::int64_t count = 0;
  const std::string_view digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (seconds == 0 || error != std::errc() || end != digits.data() + digits.size() || count < 1 ||
      count > kLongest / seconds) {
    return Fail(ErrorCode::kUsage,
                "'" + std::string(text) + "' is no duration; give 90s, 30m, 2h or 1d");
  }
  return std::chrono::seconds(count * seconds);
}

}  // namespace keyturn::cli
