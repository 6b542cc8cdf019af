// The three charts of the HTML report, as inline SVG. Each says in words what it shows, and the
// figures stand beside it, so nothing depends on seeing colours.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numbers>

#include "report/html_parts.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::RegionStatus;
using control::Verdict;
using std::chrono::months;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr std::size_t kMonths = 12;
constexpr std::array<const char*, kMonths> kMonthNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::uint64_t CountIn(const AuditRun& run, Verdict verdict) {
  const auto it = run.totals.by_verdict.find(verdict);
  return it == run.totals.by_verdict.end() ? 0 : it->second;
}

year_month MonthOf(TimePoint t) {
  const year_month_day day{std::chrono::floor<std::chrono::days>(t)};
  return day.year() / day.month();
}

// Calendar: next rotations of keys whose rotation is on, by month from the month of the audit.
struct Calendar {
  std::array<std::uint64_t, kMonths> by_month{};
  std::uint64_t overdue = 0;  // the date had passed when the audit read it
  std::uint64_t later = 0;
  std::uint64_t total = 0;
};

Calendar CountRotations(const AuditRun& run) {
  Calendar calendar;
  const year_month first = MonthOf(run.finished);
  for (const auto& key : run.keys) {
    const auto& rotation = key.facts.rotation;
    if (!rotation || !rotation->enabled || !rotation->next_rotation_date) {
      continue;
    }
    ++calendar.total;
    const TimePoint next = *rotation->next_rotation_date;
    const auto ahead = (MonthOf(next) - first).count();
    if (next < run.finished) {
      ++calendar.overdue;
    } else if (ahead < static_cast<int>(kMonths)) {
      ++calendar.by_month[static_cast<std::size_t>(ahead)];
    } else {
      ++calendar.later;
    }
  }
  return calendar;
}

// More regions of accounts than this are added up by region: the chart is an overview.
constexpr std::size_t kGroupsMax = 12;
constexpr std::size_t kBarsMax = 20;

// Bar: one row of the chart of regions.
struct Bar {
  std::string name;
  std::string account;  // or how many
  std::string status;   // empty: scanned
  VerdictCounts counts{};
  std::uint64_t keys = 0;
  std::uint64_t accounts = 0;
};

std::vector<Bar> BarsOf(const std::vector<RegionGroup>& groups) {
  std::vector<Bar> bars;
  if (groups.size() <= kGroupsMax) {
    for (const RegionGroup& group : groups) {
      const bool scanned =
          group.region == nullptr || group.region->status == RegionStatus::kScanned;
      bars.push_back({group.name, group.account,
                      scanned ? "" : std::string(control::RegionStatusName(group.region->status)),
                      group.counts, group.keys.size(), 1});
    }
    return bars;
  }
  std::map<std::string, Bar> by_region;
  for (const RegionGroup& group : groups) {
    Bar& bar = by_region[group.name];
    bar.name = group.name;
    bar.keys += group.keys.size();
    ++bar.accounts;
    for (std::size_t i = 0; i < bar.counts.size(); ++i) bar.counts[i] += group.counts[i];
  }
  // Regions that nobody has a key in are in the coverage.
  const bool any = std::any_of(by_region.begin(), by_region.end(),
                               [](const auto& entry) { return entry.second.keys > 0; });
  for (auto& [name, bar] : by_region) {
    if (any && bar.keys == 0) continue;
    bar.account = Counted(bar.accounts, "account");
    bars.push_back(std::move(bar));
  }
  return bars;
}

std::string BarRow(const Bar& bar) {
  std::string pieces;
  std::string words;
  double x = 0;
  for (const Verdict verdict : kVerdictOrder) {
    const std::uint64_t count = CountOf(bar.counts, verdict);
    if (count == 0) continue;
    const double width = 100 * static_cast<double>(count) / static_cast<double>(bar.keys);
    pieces += fmt::format(R"(<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="10"/>)",
                          VerdictClass(verdict), x, std::max(width - 0.4, 0.2));
    x += width;
    words +=
        fmt::format("{}{} {}", words.empty() ? "" : ", ", Thousands(count), VerdictWords(verdict));
  }
  const std::string said = bar.status.empty() ? Counted(bar.keys, "key") : bar.status;
  return fmt::format(
      R"(<li><div class="row"><span><b>{}</b> <span class="soft">{}</span></span>)"
      R"(<span class="soft">{}</span></div><svg width="280" height="10" viewBox="0 0 100 10" preserveAspectRatio="none" )"
      R"(role="img" aria-label="{}: {}">{}</svg></li>)",
      Esc(bar.name), Esc(bar.account), said, Esc(bar.name), words.empty() ? said : words, pieces);
}

}  // namespace

std::string VerdictLegend(const VerdictCounts& counts) {
  std::string out = R"(<ul class="legend">)";
  for (const Verdict verdict : kVerdictOrder) {
    if (const std::uint64_t count = CountOf(counts, verdict); count > 0) {
      out += fmt::format(R"(<li class="{}"><i></i>{}<b>{}</b></li>)", VerdictClass(verdict),
                         VerdictWords(verdict), Thousands(count));
    }
  }
  return out + "</ul>";
}

std::string DonutChart(const AuditRun& run) {
  constexpr double kRadius = 50;
  constexpr double kAround = 2 * std::numbers::pi * kRadius;
  const double listed = static_cast<double>(std::max<std::uint64_t>(run.totals.listed, 1));
  std::string segments;
  VerdictCounts counts{};
  std::string words;
  double turned = 0;
  for (const Verdict verdict : kVerdictOrder) {
    const std::uint64_t count = CountIn(run, verdict);
    counts[static_cast<std::size_t>(verdict)] = count;
    if (count == 0) {
      continue;
    }
    const double length = kAround * static_cast<double>(count) / listed;
    // A small gap separates neighbours whose colours look alike to the reader.
    const double gap = count == run.totals.listed ? 0 : std::min(1.5, length / 2);
    segments += fmt::format(
        R"(<circle class="seg {}" cx="64" cy="64" r="50" stroke-dasharray="{:.2f} {:.2f}" )"
        R"x(stroke-dashoffset="{:.2f}" transform="rotate(-90 64 64)"/>)x",
        VerdictClass(verdict), length - gap, kAround - length + gap, -turned);
    turned += length;
    words +=
        fmt::format("{}{} {}", words.empty() ? "" : ", ", Thousands(count), VerdictWords(verdict));
  }
  return fmt::format(
      R"(<figure class="card"><figcaption>Keys by verdict</figcaption><div class="donut">)"
      R"(<svg width="136" height="136" viewBox="0 0 128 128" role="img" aria-label="{}: {}">{})"
      R"(<text class="center" x="64" y="69">{}</text><text class="unit" x="64" y="85">{}</text>)"
      R"(</svg>{}</div></figure>)",
      Counted(run.totals.listed, "key"), words.empty() ? "none" : words, segments,
      Thousands(run.totals.listed), run.totals.listed == 1 ? "key" : "keys", VerdictLegend(counts));
}

std::string RegionChart(const std::vector<RegionGroup>& groups) {
  std::string rows;
  std::size_t shown = 0;
  const std::vector<Bar> bars = BarsOf(groups);
  for (const Bar& bar : bars) {
    if (++shown > kBarsMax) break;
    rows += BarRow(bar);
  }
  if (bars.size() > kBarsMax) {
    rows += fmt::format("<li class=\"soft\">{} more in the coverage below</li>",
                        Thousands(bars.size() - kBarsMax));
  }
  return R"(<figure class="card"><figcaption>Keys by region</figcaption><ul class="bars">)" + rows +
         "</ul></figure>";
}

std::string CalendarChart(const AuditRun& run) {
  constexpr double kStep = 30;
  constexpr double kBase = 158;
  constexpr double kTall = 130;
  const Calendar calendar = CountRotations(run);
  const std::uint64_t most = std::max<std::uint64_t>(
      *std::max_element(calendar.by_month.begin(), calendar.by_month.end()), 1);
  std::string bars;
  std::string words;
  year_month month = MonthOf(run.finished);
  for (std::size_t i = 0; i < kMonths; ++i, month += months{1}) {
    const std::uint64_t count = calendar.by_month[i];
    const char* name = kMonthNames[static_cast<unsigned>(month.month()) - 1];
    const double x = static_cast<double>(i) * kStep;
    const double height = kTall * static_cast<double>(count) / static_cast<double>(most);
    if (count > 0) {
      bars +=
          fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="20" height="{:.1f}" rx="3"/>)"
                      R"(<text class="n" x="{:.1f}" y="{:.1f}">{}</text>)",
                      x + 5, kBase - height, height, x + 15, kBase - height - 5, Thousands(count));
      words += fmt::format("{}{} {}: {}", words.empty() ? "" : ", ", name,
                           static_cast<int>(month.year()), Thousands(count));
    }
    bars += fmt::format(R"(<text x="{:.1f}" y="173">{}</text>)", x + 15, name);
    if (i == 0 || month.month() == std::chrono::January) {
      bars += fmt::format(R"(<text x="{:.1f}" y="187">{}</text>)", x + 15,
                          static_cast<int>(month.year()));
    }
  }
  std::string note = calendar.total == 0 ? "No date of a next rotation is known." : "";
  const auto say = [&note](std::uint64_t count, std::string_view what) {
    if (count > 0) {
      note += fmt::format("{}{} {}.", note.empty() ? "" : " ", Counted(count, "key"), what);
    }
  };
  say(calendar.overdue, "overdue when read");
  say(calendar.later, "later than that");
  return fmt::format(
      R"(<figure class="card calendar"><figcaption>Next automatic rotations</figcaption>)"
      R"(<svg width="360" height="190" viewBox="0 0 360 190" role="img" aria-label="Keys by month of their next rotation: )"
      R"({}"><line class="base" x1="0" x2="360" y1="158.5" y2="158.5"/>{}</svg>)"
      R"(<p class="soft">{}</p></figure>)",
      words.empty() ? "none" : words, bars, note);
}

}  // namespace keyturn::report
