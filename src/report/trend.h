// Trend: how rotation developed over many recorded runs, as a page, CSV or JSON.
//
// Thread-safety: pure functions. The same runs give the same bytes; the order in which they are
// given does not matter.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "control/run.h"
#include "report/summary.h"

namespace keyturn::report {

// TrendPoint: what a trend needs of one run, so that runs need not be kept.
struct TrendPoint {
  std::string run_id;
  std::string tool_version;
  std::string endpoint;
  TimePoint started;
  int max_period_days = 0;
  std::uint64_t listed = 0;
  VerdictCounts counts{};
  std::optional<double> compliance_percent;
  std::uint64_t regions = 0;
  std::uint64_t regions_scanned = 0;
  bool incomplete = false;
};
TrendPoint TrendPointOf(const control::AuditRun& run);

// SortTrend puts points in order of time, then run.
void SortTrend(std::vector<TrendPoint>& points);

// All three take at least one point, in order.
std::string RenderTrendHtml(const std::vector<TrendPoint>& points);
std::string RenderTrendCsv(const std::vector<TrendPoint>& points);
std::string RenderTrendJson(const std::vector<TrendPoint>& points);

}  // namespace keyturn::report
