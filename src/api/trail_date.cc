#include "api/trail_date.h"

#include <fmt/format.h>

#include <array>

namespace keyturn::api {

std::string TrailDate(TimePoint t) {
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss<Millis> time{t - days};
  const auto hours = time.hours().count();
  return fmt::format("{} {}, {}, {}:{:02}:{:02} {}",
                     kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<unsigned>(date.day()), static_cast<int>(date.year()),
                     hours % 12 == 0 ? 12 : hours % 12, time.minutes().count(),
                     time.seconds().count(), hours < 12 ? "AM" : "PM");
}

}  // namespace keyturn::api
