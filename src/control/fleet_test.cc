// Audits of many accounts: each is opened, accounted for and closed, whatever it answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "control/audit.h"
#include "control/fake_access.h"
#include "control/fake_kms.h"

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class FleetTest : public testing::Test, protected KmsBench {
 protected:
  static Target Of(std::string account, std::vector<std::string> regions = {"eu-central-1"}) {
    Target target;
    target.endpoint_url = kUrl;
    target.account = std::move(account);
    target.regions = std::move(regions);
    return target;
  }
  AuditRun AuditAll(const std::vector<Target>& targets) {
    AuditOptions options;
    options.tool_version = "test";
    auto run = RunAudit(access, targets, options, {}, clock, random, monitor);
    EXPECT_TRUE(run.has_value());
    return run ? *std::move(run) : AuditRun{};
  }
  // Coverage: "account region status" of each region.
  static std::vector<std::string> Coverage(const AuditRun& run) {
    std::vector<std::string> lines;
    for (const RegionResult& region : run.regions) {
      lines.push_back(region.account + " " + region.region + " " +
                      std::string(RegionStatusName(region.status)));
    }
    return lines;
  }

  FakeAccess access{*client};
  Monitor monitor;
};

TEST_F(FleetTest, EveryAccountAndRegionHasItsResult) {
  kms.Add({.id = "off"});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.region == "me-south-1") return FakeKms::Error("OptInRequired");
    return std::nullopt;
  };
  Target suspended = Of("444455556666");
  suspended.closed = {RegionStatus::kClosed, "the account is suspended"};
  access.refused = "999988887777";
  const AuditRun run =
      AuditAll({Of("111122223333", {"eu-central-1", "me-south-1"}), suspended, Of("999988887777")});
  EXPECT_THAT(
      Coverage(run),
      ElementsAre("111122223333 eu-central-1 scanned", "111122223333 me-south-1 not enabled",
                  "444455556666 eu-central-1 account closed", "999988887777 eu-central-1 denied"));
  EXPECT_EQ(run.regions[2].detail, "the account is suspended");
  EXPECT_EQ(run.regions[3].detail, "STS refuses the role");
  EXPECT_EQ(run.regions[0].keys_listed, 1U);
  EXPECT_EQ(run.totals.listed, 1U);
  EXPECT_THAT(access.seen, ElementsAre("111122223333@" + std::string(kUrl),
                                       "999988887777@" + std::string(kUrl)));
  EXPECT_EQ(access.at_work, 0U);
}

TEST_F(FleetTest, ARegionThatIsNotEnabledIsAGapOnlyWhereItWasNamed) {
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.region == "af-south-1") return FakeKms::Error("OptInRequired");
    return std::nullopt;
  };
  access.not_enabled = {"me-south-1"};
  Target every = Of("111122223333", {"af-south-1", "eu-central-1"});
  every.all_regions = true;
  const AuditRun run = AuditAll({every});
  // One is said by the account, the other found by calling it.
  EXPECT_THAT(Coverage(run), ElementsAre("111122223333 af-south-1 not enabled",
                                         "111122223333 eu-central-1 scanned",
                                         "111122223333 me-south-1 not enabled"));
  EXPECT_FALSE(run.incomplete());
  EXPECT_EQ(AuditExitCode(run), kExitCompliant);

  const AuditRun named = AuditAll({Of("111122223333", {"af-south-1", "eu-central-1"})});
  EXPECT_EQ(Coverage(named)[0], "111122223333 af-south-1 not enabled");
  EXPECT_TRUE(named.regions[0].IsGap());
  EXPECT_EQ(AuditExitCode(named), kExitIncomplete);
}

TEST_F(FleetTest, AnAccountThatNobodyCanCallIsNoGap) {
  Target suspended = Of("444455556666", {"eu-central-1", "us-east-1"});
  suspended.closed = {RegionStatus::kClosed, "the account is suspended"};
  const AuditRun run = AuditAll({Of("111122223333"), suspended});
  EXPECT_EQ(run.regions.size(), 3U);
  EXPECT_FALSE(run.incomplete());
}

TEST_F(FleetTest, CredentialsOfAnotherAccountCountNothing) {
  kms.Add({.id = "off"});
  const AuditRun run = AuditAll({Of("222233334444")});
  EXPECT_EQ(run.regions[0].status, RegionStatus::kError);
  EXPECT_EQ(run.regions[0].detail, "the credentials are of account 111122223333");
  EXPECT_TRUE(run.keys.empty());
}

TEST_F(FleetTest, TwoCallersOfOneAccountCountItsKeysOnce) {
  kms.Add({.id = "off"});
  Target again = Of({});
  again.caller = "profile again";
  Target first = Of({});
  first.caller = "profile first";
  const AuditRun run = AuditAll({first, again});
  EXPECT_EQ(run.totals.listed, 1U);
  EXPECT_THAT(Coverage(run), UnorderedElementsAre("111122223333 eu-central-1 error",
                                                  "111122223333 eu-central-1 scanned"));
  EXPECT_THAT(run.regions[0].detail + run.regions[1].detail,
              HasSubstr("is scanned already as profile first"));
}

TEST_F(FleetTest, AtMostSoManyAccountsAreOpenAtOnce) {
  std::vector<Target> targets;
  for (int i = 0; i < 9; ++i) targets.push_back(Of({}, {"r-" + std::to_string(i)}));
  EXPECT_EQ(AuditAll(targets).regions.size(), 9U);
  EXPECT_EQ(access.most_at_work, 2U);
}

TEST_F(FleetTest, AStoppedRunHasEveryAccountInItsCoverage) {
  for (int i = 0; i < 5; ++i) kms.Add({});
  std::atomic<bool> stop{false};
  monitor.cancelled = &stop;
  kms.intercept = [&stop](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "DescribeKey") stop = true;
    return std::nullopt;
  };
  const AuditRun run = AuditAll({Of("111122223333"), Of("222233334444"), Of("333344445555")});
  EXPECT_TRUE(run.cancelled);
  EXPECT_EQ(run.regions.size(), 3U);
  // The second account ends at once, so that the third may have been opened before the stop.
  EXPECT_EQ(run.regions[2].status, RegionStatus::kError);
  EXPECT_THAT(run.regions[2].detail,
              AnyOf("the run was stopped before this account", HasSubstr("cancelled")));
  EXPECT_EQ(run.totals.listed, 5U);
}

TEST_F(FleetTest, AListingWaitsForItsKeysToBeDescribed) {
  for (int i = 0; i < 6000; ++i) kms.Add({});
  std::size_t pages = 0;
  std::size_t described = 0;
  std::size_t furthest = 0;
  kms.intercept = [&](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    pages += call.operation == "ListKeys" ? 1 : 0;
    described += call.operation == "DescribeKey" ? 1 : 0;
    furthest = std::max(furthest, pages * 1000 - std::min(pages * 1000, described));
    if (call.operation != "DescribeKey") return std::nullopt;
    return client::JsonReply(200, R"({"KeyMetadata":{"KeyId":")" + call.key +
                                      R"(","KeyManager":"CUSTOMER","KeySpec":"RSA_2048",)"
                                      R"("Origin":"AWS_KMS","KeyState":"Enabled"}})");
  };
  EXPECT_EQ(AuditAll({Of("111122223333")}).totals.listed, 6000U);
  EXPECT_LE(furthest, 3300U);
}

}  // namespace
}  // namespace keyturn::control
