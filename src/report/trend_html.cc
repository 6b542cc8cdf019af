// The trend page: two charts and a table, in the look of the audit's page.
#include <fmt/format.h>

#include <algorithm>

#include "report/html_parts.h"
#include "report/text.h"
#include "report/trend.h"

namespace keyturn::report {
namespace {

using control::Verdict;

constexpr double kWide = 480;
constexpr double kTop = 14;
constexpr double kBottom = 186;
constexpr double kLeft = 50;
constexpr double kRight = 466;

std::uint64_t Failing(const TrendPoint& point) {
  return CountOf(point.counts, Verdict::kFail) + CountOf(point.counts, Verdict::kFailPeriod);
}

// ByTime places runs on the axis by when they were; runs of one moment stand in the middle.
double ByTime(const std::vector<TrendPoint>& points, std::size_t i) {
  const auto span = (points.back().started - points.front().started).count();
  if (span == 0) return (kLeft + kRight) / 2;
  const auto from = (points[i].started - points.front().started).count();
  return kLeft + (kRight - kLeft) * static_cast<double>(from) / static_cast<double>(span);
}

double ByPercent(double percent) { return kBottom - (kBottom - kTop) * percent / 100; }

std::string Grid() {
  std::string out;
  for (const int percent : {0, 25, 50, 75, 100}) {
    const double y = ByPercent(percent);
    out += fmt::format(R"(<line class="base" x1="{:.0f}" x2="{:.0f}" y1="{:.1f}" y2="{:.1f}"/>)"
                       R"(<text class="y" x="{:.0f}" y="{:.1f}">{} %</text>)",
                       kLeft, kRight, y, y, kLeft - 6, y + 4, percent);
  }
  return out;
}

// DateAxis writes dates below a chart, from left to right: those that do not run into the one
// before.
class DateAxis {
 public:
  void Add(double x, TimePoint when) {
    constexpr double kWidth = 72;
    const bool starts = x < kLeft + kWidth / 2;
    const bool ends = x > kRight - kWidth / 2;
    const double begin = starts ? x : ends ? x - kWidth : x - kWidth / 2;
    if (begin < free_) return;
    free_ = begin + kWidth + 10;
    labels_ += fmt::format(R"(<text class="{}" x="{:.1f}" y="206">{}</text>)",
                           starts ? "start"
                           : ends ? "end"
                                  : "middle",
                           x, DateText(when));
  }
  const std::string& labels() const { return labels_; }

 private:
  std::string labels_;
  double free_ = -1000;  // where the next one may begin
};

// ComplianceChart: the share of passing keys over time. A run without one is a gap.
std::string ComplianceChart(const std::vector<TrendPoint>& points) {
  std::string line;
  std::string dots;
  bool open = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const TrendPoint& point = points[i];
    if (!point.compliance_percent) {
      open = false;
      continue;
    }
    const double x = ByTime(points, i);
    const double y = ByPercent(*point.compliance_percent);
    line += fmt::format("{}{:.1f} {:.1f}", open ? " L" : " M", x, y);
    open = true;
    dots += fmt::format(
        R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3.5"><title>{}: {}{}</title></circle>)",
        point.incomplete ? "dot hollow" : "dot", x, y, MinuteText(point.started),
        PercentText(point.compliance_percent), point.incomplete ? ", incomplete" : "");
  }
  DateAxis dates;
  for (std::size_t i = 0; i < points.size(); ++i) dates.Add(ByTime(points, i), points[i].started);
  return fmt::format(
      R"(<figure class="card trend"><figcaption>Keys in scope that rotate as required</figcaption>)"
      R"(<svg width="480" height="214" viewBox="0 0 {:.0f} 214" role="img" aria-label="Compliance from {} to {}: {} at first, {} at last">)"
      R"({}<path class="line" d="{}"/>{}{}</svg><p class="soft">Hollow: an incomplete audit.</p></figure>)",
      kWide, DateText(points.front().started), DateText(points.back().started),
      PercentText(points.front().compliance_percent), PercentText(points.back().compliance_percent),
      Grid(), line, dots, dates.labels());
}

// VerdictChart: a bar a run, by verdict.
std::string VerdictChart(const std::vector<TrendPoint>& points) {
  std::uint64_t most = 1;
  for (const TrendPoint& point : points) most = std::max(most, point.listed);
  const double step = (kRight - kLeft) / static_cast<double>(points.size());
  const double width = std::min(step * 0.72, 46.0);
  std::string bars;
  DateAxis dates;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double middle = kLeft + step * (static_cast<double>(i) + 0.5);
    double y = kBottom;
    std::string pieces;
    std::string words;
    for (auto it = kVerdictOrder.rbegin(); it != kVerdictOrder.rend(); ++it) {
      const std::uint64_t count = CountOf(points[i].counts, *it);
      if (count == 0) continue;
      const double height =
          (kBottom - kTop) * static_cast<double>(count) / static_cast<double>(most);
      y -= height;
      pieces +=
          fmt::format(R"(<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>)",
                      VerdictClass(*it), middle - width / 2, y, width, height);
      words = fmt::format("{} {}{}{}", Thousands(count), VerdictWords(*it),
                          words.empty() ? "" : ", ", words);
    }
    bars += fmt::format("<g><title>{}: {}</title>{}</g>", MinuteText(points[i].started),
                        words.empty() ? "no key" : words, pieces);
    dates.Add(middle, points[i].started);
  }
  const std::string axis = fmt::format(
      R"(<line class="base" x1="{:.0f}" x2="{:.0f}" y1="{:.1f}" y2="{:.1f}"/>)"
      R"(<text class="y" x="{:.0f}" y="{:.1f}">{}</text><text class="y" x="{:.0f}" y="{:.1f}">0</text>)",
      kLeft, kRight, kBottom + 0.5, kBottom + 0.5, kLeft - 6, kTop + 4, Thousands(most), kLeft - 6,
      kBottom + 4);
  return fmt::format(
      R"(<figure class="card trend"><figcaption>Keys by verdict, a bar an audit</figcaption>)"
      R"(<svg width="480" height="214" viewBox="0 0 {:.0f} 214" role="img" aria-label="Keys by verdict of {}; the table below has the figures">)"
      R"({}{}{}</svg>{}</figure>)",
      kWide, Counted(points.size(), "audit"), axis, bars, dates.labels(),
      VerdictLegend(points.back().counts));
}

// Versus: "+3", "-2", "±0" against the run before.
std::string Versus(const TrendPoint& point, const TrendPoint* before) {
  if (before == nullptr) return "";
  const auto now = static_cast<std::int64_t>(Failing(point));
  const auto then = static_cast<std::int64_t>(Failing(*before));
  if (now == then) return "<span class=\"soft\">±0</span>";
  return fmt::format("<b class=\"{}\">{}{}</b>", now > then ? "worse" : "better",
                     now > then ? "+" : "−",
                     Thousands(static_cast<std::uint64_t>(std::abs(now - then))));
}

std::string RunsTable(const std::vector<TrendPoint>& points) {
  std::vector<Verdict> columns;
  for (const Verdict verdict : kVerdictOrder) {
    if (std::any_of(points.begin(), points.end(), [verdict](const TrendPoint& point) {
          return CountOf(point.counts, verdict) > 0;
        })) {
      columns.push_back(verdict);
    }
  }
  std::string out =
      "<section aria-labelledby=\"runs-h\"><h2 id=\"runs-h\">Audits</h2>\n"
      "<p class=\"lead\">Newest first. Failing is compared with the audit before.</p>\n"
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"runs-h\">"
      "<table class=\"cards tight\"><thead><tr><th scope=\"col\">Audit</th><th scope=\"col\" "
      "class=\"num\">Rotate</th><th scope=\"col\" class=\"num\">Failing</th><th scope=\"col\" "
      "class=\"num\">Regions</th><th scope=\"col\" class=\"num\">Listed</th>";
  for (const Verdict verdict : columns) {
    out += fmt::format("<th scope=\"col\" class=\"num\">{}</th>", VerdictWords(verdict));
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = points.size(); i-- > 0;) {
    const TrendPoint& point = points[i];
    out += fmt::format(
        "<tr><th scope=\"row\"><time class=\"nw\" datetime=\"{}\">{}</time>{}<code "
        "class=\"id\">{}</code></th>"
        "<td class=\"num\" data-label=\"Rotate\">{}</td><td class=\"num\" "
        "data-label=\"Failing\">{} {}</td><td class=\"num\" data-label=\"Regions\">{} of {}</td>"
        "<td class=\"num\" data-label=\"Listed\">{}</td>",
        FormatIso8601(point.started), MinuteText(point.started),
        point.incomplete ? " <span class=\"badge v-unknown\">incomplete</span>" : "",
        Esc(point.run_id.substr(0, 8)), PercentText(point.compliance_percent),
        Thousands(Failing(point)), Versus(point, i == 0 ? nullptr : &points[i - 1]),
        Thousands(point.regions_scanned), Thousands(point.regions), Thousands(point.listed));
    for (const Verdict verdict : columns) {
      out += fmt::format("<td class=\"num\" data-label=\"{}\">{}</td>", VerdictWords(verdict),
                         Thousands(CountOf(point.counts, verdict)));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></section>\n";
}

std::string Hero(const std::vector<TrendPoint>& points) {
  const TrendPoint& first = points.front();
  const TrendPoint& last = points.back();
  const std::string_view tone = Failing(last) > 0 ? "v-fail"
                                : last.incomplete ? "v-unknown"
                                                  : "v-pass";
  const std::string answer = Failing(last) > 0 ? Counted(Failing(last), "key") + " failing"
                             : last.incomplete ? "Incomplete"
                                               : "Compliant";
  std::string sentence = fmt::format("At the last of {}, on {}.", Counted(points.size(), "audit"),
                                     DateText(last.started));
  if (points.size() > 1) {
    sentence += fmt::format(" At the first, on {}: {} failing, {} rotating as required.",
                            DateText(first.started), Thousands(Failing(first)),
                            PercentText(first.compliance_percent));
  }
  return fmt::format(
      "<div class=\"card hero {}\"><div><p class=\"answer\">{}</p><p class=\"sentence\">{}</p>"
      "</div><p class=\"percent\"><b>{}</b><span>of keys in scope rotate as required</span></p>"
      "</div>\n",
      tone, answer, sentence, PercentText(last.compliance_percent));
}

// Caution: what makes two audits hard to compare.
std::string Caution(const std::vector<TrendPoint>& points) {
  const bool period = std::any_of(points.begin(), points.end(), [&](const TrendPoint& point) {
    return point.max_period_days != points.front().max_period_days;
  });
  const bool regions = std::any_of(points.begin(), points.end(), [&](const TrendPoint& point) {
    return point.regions != points.front().regions || point.endpoint != points.front().endpoint;
  });
  std::string what = period && regions ? "maximum period and not of the same accounts and regions"
                     : period          ? "maximum period"
                                       : "";
  if (what.empty() && !regions) return "";
  return fmt::format(
      "<p class=\"soft note\">These audits are not {}.</p>\n",
      what.empty() ? "of the same accounts and regions" : "judged by the same " + what);
}

}  // namespace

std::string RenderTrendHtml(const std::vector<TrendPoint>& points) {
  const TrendPoint& last = points.back();
  std::string out =
      PageHead("KMS key rotation: trend to " + DateText(last.started), last.tool_version);
  out += PageBanner("KMS key rotation trend");
  out += Hero(points);
  out += Caution(points);
  out += "<div class=\"charts pair\">\n" + ComplianceChart(points) + '\n' + VerdictChart(points) +
         "\n</div>\n";
  out += RunsTable(points);
  out +=
      PageEnd(fmt::format("{}, from {} to {}. Made by keyturn from the recorded runs: making it "
                          "again gives the same page, byte for byte.",
                          Counted(points.size(), "audit"), FormatIso8601(points.front().started),
                          FormatIso8601(last.started)));
  return out;
}

}  // namespace keyturn::report
