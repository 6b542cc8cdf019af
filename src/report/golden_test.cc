// Golden files: what each format looks like, as a reader would see it. UPDATE_GOLDEN=1 rewrites
// them; read the difference before committing it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "report/report.h"
#include "report/sample_run.h"

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
