// Golden files: what each format looks like, as a reader would see it. UPDATE_GOLDEN=1 rewrites
// them; read the difference before committing it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "control/run_compare.h"
#include "report/report.h"
#include "report/sample_run.h"
#include "report/trend.h"

namespace keyturn::report {
namespace {

void ExpectGolden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(KEYTURN_SOURCE_DIR) + "/tests/golden/report/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << " is missing; make it with UPDATE_GOLDEN=1";
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  // Not EXPECT_EQ: the difference is read with a diff tool, not in a log.
  EXPECT_TRUE(actual == expected) << "differs from " << path
                                  << "; if that is meant, run again with UPDATE_GOLDEN=1";
}

constexpr TerminalStyle kWide{.width = 130, .color = false, .unicode = true};
constexpr TerminalStyle kEighty{.width = 80, .color = false, .unicode = true};
constexpr TerminalStyle kNarrowAscii{.width = 44, .color = false, .unicode = false};
constexpr TerminalStyle kColor{.width = 100, .color = true, .unicode = true};

TEST(Golden, Table) {
  ExpectGolden("table-130.txt", RenderTable(SampleRun(), {kWide, false}));
  ExpectGolden("table-80.txt", RenderTable(SampleRun(), {kEighty, false}));
  ExpectGolden("table-44-ascii.txt", RenderTable(SampleRun(), {kNarrowAscii, false}));
  ExpectGolden("table-100-color.txt", RenderTable(SampleRun(), {kColor, false}));
  ExpectGolden("table-130-all.txt", RenderTable(SampleRun(), {kWide, true}));
  ExpectGolden("table-compliant.txt", RenderTable(CompliantRun(), {kEighty, false}));
}

TEST(Golden, Json) {
  ExpectGolden("audit.json", RenderJson(SampleRun()));
  ExpectGolden("changes.json", RenderChangesJson(SampleChange(ChangeKind::kBackout)));
}

TEST(Golden, Csv) { ExpectGolden("audit.csv", RenderCsv(SampleRun())); }

TEST(Golden, FindingsForOtherTools) {
  ExpectGolden("audit.junit.xml", RenderJunit(SampleRun()));
  ExpectGolden("audit.sarif", RenderSarif(SampleRun()));
  ExpectGolden("audit.ocsf.ndjson", RenderOcsf(SampleRun()));
  ExpectGolden("audit.prom", RenderPrometheus(SampleRun()));
  ExpectGolden("audit.oscal.json", RenderOscal(SampleRun()));
  ExpectGolden("audit.asff.ndjson", RenderAsff(SampleRun()));
}

TEST(Golden, Html) {
  ExpectGolden("audit.html", RenderHtml(SampleRun(), SampleHtmlOptions()));
  ExpectGolden("audit-compliant.html", RenderHtml(CompliantRun(), {}));
  ExpectGolden("audit-fleet.html", RenderHtml(FleetRun(), {}));
}

// A run a month: compliance grows, one run is incomplete, then the policy gets stricter.
std::vector<TrendPoint> SampleTrend() {
  std::vector<TrendPoint> points;
  for (int month = 1; month <= 6; ++month) {
    control::AuditRun run = SampleRun();
    run.run_id = "00000000-0000-4000-8000-00000000000" + std::to_string(month);
    run.started = *ParseIso8601("2026-0" + std::to_string(month) + "-01T06:00:00Z");
    for (control::KeyResult& key : run.keys) {
      if (key.judgement.verdict != control::Verdict::kFail || month < 4) continue;
      key.judgement.verdict = key.judgement.raw_verdict = control::Verdict::kPass;
    }
    if (month != 2) {
      run.regions.erase(run.regions.begin(), run.regions.begin() + 2);
      run.regions.erase(run.regions.begin() + 1);
      for (control::KeyResult& key : run.keys) {
        if (key.judgement.verdict == control::Verdict::kUnknown) {
          key.judgement.verdict = control::Verdict::kPass;
        }
      }
    }
    if (month >= 5) run.max_period_days = 180;
    run.totals = control::CountTotals(run.keys);
    points.push_back(TrendPointOf(run));
  }
  SortTrend(points);
  return points;
}

TEST(Golden, Trend) {
  ExpectGolden("trend.html", RenderTrendHtml(SampleTrend()));
  ExpectGolden("trend.csv", RenderTrendCsv(SampleTrend()));
  ExpectGolden("trend.json", RenderTrendJson(SampleTrend()));
}

TEST(Golden, Diff) {
  const control::AuditRun older = SampleRun();
  control::AuditRun newer = SampleRun();
  newer.run_id = "7f0c3c1e-5d0b-4b7e-9a55-2c1d9e8f0a12";
  newer.started += std::chrono::hours(24);
  newer.regions[4].status = control::RegionStatus::kError;
  newer.regions[4].detail = "ListKeys failed: NetworkError: connection refused";
  newer.regions[1].status = control::RegionStatus::kScanned;
  newer.regions[1].detail.clear();
  std::erase_if(newer.keys, [](const auto& key) { return key.facts.region == "us-east-1"; });
  auto& keys = newer.keys;
  for (auto& key : keys) {
    if (key.judgement.verdict == control::Verdict::kFail) {
      key.judgement = {control::Verdict::kPass, control::Verdict::kPass, 12, "Rotates.", false, ""};
    } else if (key.judgement.verdict == control::Verdict::kExcepted) {
      key.judgement.verdict = control::Verdict::kFail;
      key.judgement.reason = "Automatic rotation is off; the exception has expired.";
    }
  }
  keys.pop_back();
  newer.totals = control::CountTotals(keys);
  const control::RunDiff diff = control::DiffRuns(older, newer);
  ExpectGolden("diff-80.txt", RenderDiff(diff, kEighty));
  ExpectGolden("diff-44-ascii.txt", RenderDiff(diff, kNarrowAscii));
  ExpectGolden("diff.json", RenderDiffJson(diff));
  ExpectGolden("diff-nothing.txt", RenderDiff(control::DiffRuns(older, older), kEighty));
}

TEST(Golden, Changes) {
  ExpectGolden("apply-110.txt",
               RenderChanges(SampleChange(ChangeKind::kApply), {.width = 110, .color = false}));
  ChangeReport plan = SampleChange(ChangeKind::kPlan);
  for (auto& line : plan.lines) {
    line.outcome = Outcome::kPending;
    line.detail.clear();
  }
  ExpectGolden("plan-110.txt", RenderChanges(plan, {.width = 110, .color = false}));
  ExpectGolden("backout-80.txt", RenderChanges(SampleChange(ChangeKind::kBackout), kEighty));
}

TEST(Golden, Control) {
  ExpectGolden("control-80.txt", RenderControl(ControlFormat::kText, kEighty));
  ExpectGolden("control.md", RenderControl(ControlFormat::kMarkdown, kEighty));
  ExpectGolden("control.json", RenderControl(ControlFormat::kJson, kEighty));
}

}  // namespace
}  // namespace keyturn::report
