#include "control/monitor.h"

#include <fmt/format.h>

#include <cmath>

#include "json/json.h"

namespace keyturn::control {
namespace {

// Grouped: 1234567 -> "1,234,567".
std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string TimeText(std::chrono::seconds time) {
  const auto count = time.count();
  if (count < 90) return fmt::format("{} s", count);
  if (count < 90 * 60) return fmt::format("{} min", (count + 30) / 60);
  return fmt::format("{} h {} min", count / 3600, count % 3600 / 60);
}

}  // namespace

std::string ProgressText(const Progress& progress) {
  std::string text(progress.phase);
  text += ": " + Grouped(progress.done);
  if (progress.total > 0) {
    text += (progress.total_is_known ? " of " : " of at least ") + Grouped(progress.total);
  }
  text += " keys";
  if (progress.keys_per_second > 0) {
    text +=
        fmt::format(", {:.{}f}/s", progress.keys_per_second, progress.keys_per_second < 10 ? 1 : 0);
  }
  if (progress.quota_used > 0) {
    text += fmt::format(", {:.0f} % of quota", std::ceil(progress.quota_used * 100));
  }
  if (progress.throttled > 0) text += ", " + Grouped(progress.throttled) + " throttled";
  if (progress.left) text += ", " + TimeText(*progress.left) + " left";
  return text;
}

std::string ProgressJson(const Progress& progress, TimePoint now) {
  constexpr double kTenths = 10;
  const auto rounded = [](double number, double part) { return std::round(number * part) / part; };
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("event").String("progress");
  w.Key("time").String(FormatIso8601Millis(now)).Key("phase").String(progress.phase);
  w.Key("keys_done").Int(static_cast<std::int64_t>(progress.done));
  w.Key("keys").Int(static_cast<std::int64_t>(progress.total));
  w.Key("keys_are_all").Bool(progress.total_is_known);
  w.Key("keys_per_second").Double(rounded(progress.keys_per_second, kTenths));
  w.Key("calls").Int(static_cast<std::int64_t>(progress.calls));
  w.Key("calls_per_second").Double(rounded(progress.calls_per_second, kTenths));
  w.Key("quota_used").Double(rounded(progress.quota_used, 1000));
  w.Key("throttled").Int(static_cast<std::int64_t>(progress.throttled));
  w.Key("seconds_left");
  if (progress.left) {
    w.Int(progress.left->count());
  } else {
    w.Null();
  }
  w.EndObject();
  return out;
}

ProgressMeter::ProgressMeter(const Monitor& monitor, const Clock& clock, const Access& access,
                             std::string_view phase)
    : monitor_(monitor), clock_(clock), access_(access), phase_(phase), started_(clock.Now()) {
  calls_before_ = 0;
  for (const auto& [operation, count] : access.counts()) calls_before_ += count.calls;
}

void ProgressMeter::Report(std::uint64_t done, std::uint64_t total, bool total_is_known) {
  if (!monitor_.progress) return;
  const TimePoint now = clock_.Now();
  const bool finished = total_is_known && done == total;
  if (!finished && last_ && now - *last_ < Millis(200)) return;
  last_ = now;
  Progress progress;
  progress.phase = phase_;
  progress.done = done;
  progress.total = total;
  progress.total_is_known = total_is_known;
  for (const auto& [operation, count] : access_.counts()) {
    progress.throttled += count.throttled;
    progress.calls += count.calls;
  }
  progress.calls -= calls_before_;
  progress.quota_used = access_.quota_used();
  const double seconds = std::chrono::duration<double>(now - started_).count();
  if (seconds >= 1) progress.calls_per_second = static_cast<double>(progress.calls) / seconds;
  if (seconds >= 1 && done > 0) {
    progress.keys_per_second = static_cast<double>(done) / seconds;
    if (total_is_known && total >= done) {
      progress.left = std::chrono::seconds(
          static_cast<std::int64_t>(static_cast<double>(total - done) / progress.keys_per_second));
    }
  }
  monitor_.progress(progress);
}

}  // namespace keyturn::control
