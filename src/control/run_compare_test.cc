// What changed between two runs: regions that one of them did not ask for, or did not scan.
#include "control/run_compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/evaluate_facts.h"

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RegionResult RegionOf(const std::string& region, RegionStatus status = RegionStatus::kScanned,
                      const std::string& account = "111122223333") {
  return {"", account, region, status, "", 0};
}

KeyResult KeyIn(const std::string& region, Verdict verdict = Verdict::kPass) {
  KeyResult key{GoodKey(), {}};
  key.facts.region = region;
  key.facts.arn = "arn:aws:kms:" + region + ":111122223333:key/1";
  key.judgement.verdict = key.judgement.raw_verdict = verdict;
  return key;
}

AuditRun RunOver(std::vector<RegionResult> regions, std::vector<KeyResult> keys = {}) {
  AuditRun run;
  run.regions = std::move(regions);
  run.keys = std::move(keys);
  return run;
}

std::vector<std::string> Told(const RunDiff& diff) {
  std::vector<std::string> told;
  for (const DiffLine& line : diff.lines) {
    told.push_back(std::string(DiffKindName(line.kind)) + " " + line.region + " " + line.before +
                   ">" + line.after);
  }
  return told;
}

TEST(DiffRunsTest, ARegionThatTheNewerRunDoesNotHaveIsLost) {
  const AuditRun both = RunOver({RegionOf("eu-west-1"), RegionOf("us-east-1")},
                                {KeyIn("eu-west-1"), KeyIn("us-east-1", Verdict::kFail)});
  const AuditRun one = RunOver({RegionOf("eu-west-1")}, {KeyIn("eu-west-1")});
  const RunDiff lost = DiffRuns(both, one);
  EXPECT_THAT(Told(lost), ElementsAre("region lost us-east-1 scanned>"));
  EXPECT_TRUE(lost.HasRegression());
  // The other way round nobody knows whether its keys are new.
  const RunDiff found = DiffRuns(one, both);
  EXPECT_THAT(Told(found), ElementsAre("region found us-east-1 >scanned"));
  EXPECT_FALSE(found.HasRegression());
}

TEST(DiffRunsTest, ARegionThatNeitherRunScannedIsNotTold) {
  const AuditRun denied = RunOver({RegionOf("us-east-1", RegionStatus::kDenied)});
  EXPECT_THAT(Told(DiffRuns(denied, RunOver({}))), IsEmpty());
  EXPECT_THAT(Told(DiffRuns(RunOver({}), denied)), IsEmpty());
}

TEST(DiffRunsTest, AnAccountThatOneRunWasNotToldIsTheSame) {
  const AuditRun known = RunOver({RegionOf("us-east-1")}, {KeyIn("us-east-1", Verdict::kFail)});
  const AuditRun empty = RunOver({RegionOf("us-east-1", RegionStatus::kScanned, "")});
  const AuditRun failed = RunOver({RegionOf("us-east-1", RegionStatus::kError, "")});
  EXPECT_THAT(Told(DiffRuns(empty, known)), ElementsAre("worse us-east-1 >FAIL"));
  EXPECT_THAT(Told(DiffRuns(known, empty)), ElementsAre("gone us-east-1 FAIL>"));
  EXPECT_THAT(Told(DiffRuns(known, failed)), ElementsAre("region lost us-east-1 scanned>error"));
  EXPECT_THAT(Told(DiffRuns(failed, known)), ElementsAre("region found us-east-1 error>scanned"));
}

TEST(DiffRunsTest, AnotherAccountIsNotTheSame) {
  const AuditRun one = RunOver({RegionOf("us-east-1")});
  const AuditRun other = RunOver({RegionOf("us-east-1", RegionStatus::kScanned, "444455556666")});
  EXPECT_THAT(Told(DiffRuns(one, other)),
              ElementsAre("region lost us-east-1 scanned>", "region found us-east-1 >scanned"));
}

}  // namespace
}  // namespace keyturn::control
