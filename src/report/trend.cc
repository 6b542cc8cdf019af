#include "report/trend.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "json/json.h"
#include "report/text.h"

namespace keyturn::report {

using control::Verdict;

TrendPoint TrendPointOf(const control::AuditRun& run) {
  TrendPoint point;
  point.run_id = run.run_id;
  point.tool_version = run.tool_version;
  point.endpoint = run.endpoint;
  point.started = run.started;
  point.max_period_days = run.max_period_days;
  point.listed = run.totals.listed;
  for (const auto& [verdict, count] : run.totals.by_verdict) {
    point.counts[static_cast<std::size_t>(verdict)] = count;
  }
  point.compliance_percent = run.totals.compliance_percent;
  // Regions that accounts do not have are missed by no run.
  point.regions = static_cast<std::uint64_t>(std::count_if(
      run.regions.begin(), run.regions.end(), [](const auto& region) { return !region.excused; }));
  point.regions_scanned = static_cast<std::uint64_t>(std::count_if(
      run.regions.begin(), run.regions.end(),
      [](const auto& region) { return region.status == control::RegionStatus::kScanned; }));
  point.incomplete = run.incomplete();
  return point;
}

void SortTrend(std::vector<TrendPoint>& points) {
  std::sort(points.begin(), points.end(), [](const TrendPoint& a, const TrendPoint& b) {
    return std::tie(a.started, a.run_id) < std::tie(b.started, b.run_id);
  });
}

std::string RenderTrendCsv(const std::vector<TrendPoint>& points) {
  std::string out = "started,run_id,compliance_percent,incomplete,max_period_days,regions,";
  out += "regions_scanned,listed";
  for (const Verdict verdict : kVerdictOrder) {
    out += ',';
    out += control::VerdictName(verdict);
  }
  out += "\r\n";
  for (const TrendPoint& point : points) {
    // The identity is the only text from outside; a spreadsheet must not take it for a formula.
    std::string id = Harmless(point.run_id);
    std::replace_if(
        id.begin(), id.end(), [](char c) { return c == ',' || c == '"'; }, ' ');
    if (!id.empty() && std::string_view("=+-@").find(id.front()) != std::string_view::npos) {
      id.insert(0, 1, '\'');
    }
    out += fmt::format(
        "{},{},{},{},{},{},{},{}", FormatIso8601(point.started), id,
        point.compliance_percent ? fmt::format("{:.4f}", *point.compliance_percent) : "",
        point.incomplete, point.max_period_days, point.regions, point.regions_scanned,
        point.listed);
    for (const Verdict verdict : kVerdictOrder) {
      out += fmt::format(",{}", CountOf(point.counts, verdict));
    }
    out += "\r\n";
  }
  return out;
}

std::string RenderTrendJson(const std::vector<TrendPoint>& points) {
  std::string out;
  json::Writer w(out, json::Writer::Style::kPretty);
  const auto count = [&w](std::string_view name, std::uint64_t value) {
    w.Key(name).Int(static_cast<std::int64_t>(value));
  };
  w.BeginObject().Key("format").String("keyturn.trend.v1").Key("runs").BeginArray();
  for (const TrendPoint& point : points) {
    w.BeginObject().Key("run_id").String(WellFormed(point.run_id));
    w.Key("started").String(FormatIso8601Millis(point.started));
    w.Key("endpoint").String(WellFormed(point.endpoint));
    w.Key("max_period_days").Int(point.max_period_days);
    w.Key("compliance_percent");
    if (point.compliance_percent) {
      w.Double(*point.compliance_percent);
    } else {
      w.Null();
    }
    w.Key("incomplete").Bool(point.incomplete);
    count("regions", point.regions);
    count("regions_scanned", point.regions_scanned);
    count("listed", point.listed);
    w.Key("by_verdict").BeginObject();
    for (const Verdict verdict : kVerdictOrder) {
      count(control::VerdictName(verdict), CountOf(point.counts, verdict));
    }
    w.EndObject().EndObject();
  }
  w.EndArray().EndObject();
  return out + '\n';
}

}  // namespace keyturn::report
