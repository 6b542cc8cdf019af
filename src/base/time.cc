#include "base/time.h"

#include <fmt/format.h>

#include <array>

namespace keyturn {
namespace {

using std::chrono::day;
using std::chrono::hh_mm_ss;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::array<const char*, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Civil {
  int year;
  unsigned month, day;
  long hour, minute, second, millis;
  unsigned weekday;
};

Civil ToCivil(TimePoint t) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const year_month_day ymd{days};
  const hh_mm_ss<Millis> time{t - days};
  return {static_cast<int>(ymd.year()),     static_cast<unsigned>(ymd.month()),
          static_cast<unsigned>(ymd.day()), time.hours().count(),
          time.minutes().count(),           time.seconds().count(),
          time.subseconds().count(),        std::chrono::weekday{days}.c_encoding()};
}

// Digits reads exactly count decimal digits at pos and moves pos behind them.
std::optional<int> Digits(std::string_view text, std::size_t& pos, std::size_t count) {
  if (text.size() < pos + count) {
    return std::nullopt;
  }
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = text[pos + i];
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  pos += count;
  return value;
}

bool Literal(std::string_view text, std::size_t& pos, std::string_view expected) {
  if (text.substr(std::min(pos, text.size()), expected.size()) != expected) {
    return false;
  }
  pos += expected.size();
  return true;
}

std::optional<TimePoint> MakeTime(int y, int mo, int d, int h, int mi, int s, int ms) {
  const year_month_day ymd{year{y}, month{static_cast<unsigned>(mo)},
                           day{static_cast<unsigned>(d)}};
  if (!ymd.ok() || h > 23 || mi > 59 || s > 59) {
    return std::nullopt;
  }
  return sys_days{ymd} + std::chrono::hours{h} + std::chrono::minutes{mi} +
         std::chrono::seconds{s} + Millis{ms};
}

}  // namespace

std::string FormatIso8601(TimePoint t) {
  const Civil c = ToCivil(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second);
}

std::string FormatIso8601Millis(TimePoint t) {
  const Civil c = ToCivil(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.millis);
}

std::string FormatBasic(TimePoint t) {
  const Civil c = ToCivil(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                     c.second);
}

std::string FormatHttpDate(TimePoint t) {
  const Civil c = ToCivil(t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays.at(c.weekday), c.day,
                     kMonths.at(c.month - 1), c.year, c.hour, c.minute, c.second);
}

std::optional<TimePoint> ParseIso8601(std::string_view text) {
  std::size_t pos = 0;
  const auto y = Digits(text, pos, 4);
  if (!y || !Literal(text, pos, "-")) return std::nullopt;
  const auto mo = Digits(text, pos, 2);
  if (!mo || !Literal(text, pos, "-")) return std::nullopt;
  const auto d = Digits(text, pos, 2);
  if (!d) return std::nullopt;
  if (pos == text.size()) return MakeTime(*y, *mo, *d, 0, 0, 0, 0);
  if (!Literal(text, pos, "T")) return std::nullopt;
  const auto h = Digits(text, pos, 2);
  if (!h || !Literal(text, pos, ":")) return std::nullopt;
  const auto mi = Digits(text, pos, 2);
  if (!mi || !Literal(text, pos, ":")) return std::nullopt;
  const auto s = Digits(text, pos, 2);
  if (!s) return std::nullopt;
  int millis = 0;
  if (Literal(text, pos, ".")) {
    int digits = 0;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, ++digits) {
      if (digits < 3) millis = millis * 10 + (text[pos] - '0');
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 3; ++digits) millis *= 10;
  }
  if (!Literal(text, pos, "Z") || pos != text.size()) return std::nullopt;
  return MakeTime(*y, *mo, *d, *h, *mi, *s, millis);
}

std::optional<TimePoint> ParseBasic(std::string_view text) {
  std::size_t pos = 0;
  const auto y = Digits(text, pos, 4);
  const auto mo = y ? Digits(text, pos, 2) : std::nullopt;
  const auto d = mo ? Digits(text, pos, 2) : std::nullopt;
  if (!d || !Literal(text, pos, "T")) return std::nullopt;
  const auto h = Digits(text, pos, 2);
  const auto mi = h ? Digits(text, pos, 2) : std::nullopt;
  const auto s = mi ? Digits(text, pos, 2) : std::nullopt;
  if (!s || !Literal(text, pos, "Z") || pos != text.size()) return std::nullopt;
  return MakeTime(*y, *mo, *d, *h, *mi, *s, 0);
}

std::optional<TimePoint> ParseHttpDate(std::string_view text) {
  std::size_t pos = 0;
  bool weekday = false;
  for (const char* name : kWeekdays) weekday = weekday || Literal(text, pos, name);
  if (!weekday || !Literal(text, pos, ", ")) return std::nullopt;
  const auto d = Digits(text, pos, 2);
  if (!d || !Literal(text, pos, " ")) return std::nullopt;
  int mo = 0;
  for (std::size_t i = 0; i < kMonths.size() && mo == 0; ++i) {
    if (Literal(text, pos, kMonths.at(i))) mo = static_cast<int>(i) + 1;
  }
  if (mo == 0 || !Literal(text, pos, " ")) return std::nullopt;
  const auto y = Digits(text, pos, 4);
  if (!y || !Literal(text, pos, " ")) return std::nullopt;
  const auto h = Digits(text, pos, 2);
  if (!h || !Literal(text, pos, ":")) return std::nullopt;
  const auto mi = Digits(text, pos, 2);
  if (!mi || !Literal(text, pos, ":")) return std::nullopt;
  const auto s = Digits(text, pos, 2);
  if (!s || !Literal(text, pos, " GMT") || pos != text.size()) return std::nullopt;
  return MakeTime(*y, mo, *d, *h, *mi, *s, 0);
}

TimePoint SystemClock::Now() const {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

}  // namespace keyturn
