#include "console/compliance_log.h"

#include <gmock/gmock.h>

#include <fstream>

namespace keyturn::console {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ComplianceLogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "compliance-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_;
};

TEST_F(ComplianceLogTest, ADayHasOneLineAndItsLastState) {
  ComplianceLog log(root_ / "console-history");
  EXPECT_THAT(log.Read("1"), IsEmpty());
  const ComplianceDay monday{"2026-11-23", 1, 3, 0, 25.0};
  const ComplianceDay later{"2026-11-23", 4, 0, 0, 100.0};
  const ComplianceDay tuesday{"2026-11-24", 0, 0, 2, std::nullopt};
  ASSERT_TRUE(log.Note("1", monday));
  ASSERT_TRUE(log.Note("1", later));
  ASSERT_TRUE(log.Note("1", tuesday));
  // A clock that went back does not rewrite what was.
  ASSERT_TRUE(log.Note("1", monday));
  EXPECT_THAT(ComplianceLog(root_ / "console-history").Read("1"), ElementsAre(later, tuesday));
  EXPECT_THAT(log.Read("2"), IsEmpty());
}

TEST_F(ComplianceLogTest, TheOldestDaysGo) {
  ComplianceLog log(root_ / "console-history");
  for (int i = 0; i < 2 * static_cast<int>(ComplianceLog::kDaysMax); ++i) {
    const TimePoint day = *ParseIso8601("2026-01-01") + std::chrono::hours(24) * i;
    ASSERT_TRUE(log.Note("1", {FormatIso8601(day).substr(0, 10), 1, 0, 0, 100.0}));
  }
  const auto days = log.Read("1");
  EXPECT_THAT(days, SizeIs(ComplianceLog::kDaysMax));
  EXPECT_GT(days.front().date, "2027");
}

TEST_F(ComplianceLogTest, LinesThatMakeNoSenseAreLeftOutAndADirectoryThatCannotBeMadeIsTold) {
  EXPECT_THAT(ParseComplianceDays("{}\nnonsense\n{\"date\":\"2026-11-23\",\"pass\":1,\"fail\":0,"
                                  "\"unknown\":0,\"percent\":101}\n\n"
                                  "{\"date\":\"2026-11-24\",\"pass\":1,\"fail\":0,\"unknown\":0}"),
              ElementsAre(ComplianceDay{"2026-11-24", 1, 0, 0, std::nullopt}));
  std::ofstream(root_ / "file") << "x";
  ComplianceLog log(root_ / "file" / "below");
  EXPECT_FALSE(log.Note("1", {"2026-11-23", 1, 0, 0, 100.0}));
  EXPECT_THAT(log.Read("1"), IsEmpty());
}

}  // namespace
}  // namespace keyturn::console
