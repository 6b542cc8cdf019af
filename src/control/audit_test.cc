// Audits of a KMS that answers as told: what is asked, what is not, and what is known afterwards.
#include "control/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "control/fake_kms.h"

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AuditTest : public testing::Test, protected KmsBench {
 protected:
  AuditRun Audit(std::vector<std::string> regions = {"eu-central-1"},
                 const ExceptionList& exceptions = {}, const Monitor& monitor = {}) {
    audit_options.tool_version = "test";
    Target target;
    target.endpoint_url = kUrl;
    target.regions = std::move(regions);
    SingleAccess access(*client);
    auto run = RunAudit(access, {target}, audit_options, exceptions, clock, random, monitor);
    EXPECT_TRUE(run.has_value());
    return run ? *std::move(run) : AuditRun{};
  }

  static const KeyResult& Of(const AuditRun& run, const std::string& id) {
    static const KeyResult none;
    for (const KeyResult& key : run.keys) {
      if (key.facts.key_id == id) return key;
    }
    ADD_FAILURE() << "no key " << id;
    return none;
  }
  static Verdict VerdictOf(const AuditRun& run, const std::string& id) {
    return Of(run, id).judgement.verdict;
  }

  AuditOptions audit_options;
};

TEST_F(AuditTest, AnEmptyAccountIsCompliant) {
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.listed, 0U);
  EXPECT_FALSE(run.totals.compliance_percent.has_value());
  EXPECT_EQ(AuditExitCode(run), kExitCompliant);
  ASSERT_EQ(run.regions.size(), 1U);
  EXPECT_EQ(run.regions[0].status, RegionStatus::kScanned);
}

TEST_F(AuditTest, KeysOfEveryKind) {
  kms.Add({.id = "on", .aliases = {"alias/b", "alias/a"}, .enabled = true});
  kms.Add({.id = "off"});
  kms.Add({.id = "long", .enabled = true, .period = 730});
  kms.Add({.id = "aws", .aliases = {"alias/aws/s3"}, .manager = "AWS"});
  kms.Add({.id = "rsa", .spec = "RSA_2048"});
  kms.Add({.id = "imported", .origin = "EXTERNAL"});
  kms.Add({.id = "hsm", .origin = "AWS_CLOUDHSM"});
  kms.Add({.id = "disabled", .state = "Disabled", .enabled = true});
  kms.Add({.id = "dying", .state = "PendingDeletion"});
  const AuditRun run = Audit();
  EXPECT_EQ(VerdictOf(run, "on"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(run, "off"), Verdict::kFail);
  EXPECT_EQ(VerdictOf(run, "long"), Verdict::kFailPeriod);
  EXPECT_EQ(VerdictOf(run, "aws"), Verdict::kNotApplicable);
  EXPECT_EQ(VerdictOf(run, "rsa"), Verdict::kNotApplicable);
  EXPECT_EQ(VerdictOf(run, "imported"), Verdict::kNotApplicable);
  EXPECT_EQ(VerdictOf(run, "hsm"), Verdict::kNotApplicable);
  EXPECT_EQ(VerdictOf(run, "disabled"), Verdict::kSkipped);
  EXPECT_EQ(VerdictOf(run, "dying"), Verdict::kSkipped);
  EXPECT_THAT(Of(run, "disabled").judgement.reason, HasSubstr("365 days"));
  EXPECT_THAT(Of(run, "on").facts.aliases, ElementsAre("alias/a", "alias/b"));
  EXPECT_EQ(Of(run, "on").facts.account, "111122223333");
  EXPECT_EQ(ToEpochMillis(*Of(run, "on").facts.creation_date), 1790000000250);
  EXPECT_EQ(run.regions[0].account, "111122223333");
  EXPECT_EQ(run.regions[0].keys_listed, 9U);
  EXPECT_EQ(AuditExitCode(run), kExitFindings);
  // Not asked: the AWS managed key at all, the others' rotation where it can say nothing.
  EXPECT_EQ(kms.Count("DescribeKey", "aws"), 0U);
  EXPECT_EQ(kms.Count("GetKeyRotationStatus"), 4U);
  EXPECT_EQ(run.calls.at("DescribeKey").calls, 8U);
}

TEST_F(AuditTest, PagesAreFollowed) {
  kms.page_size = 7;
  for (int i = 0; i < 50; ++i) {
    kms.Add({.aliases = {"alias/x" + std::to_string(i), "alias/y" + std::to_string(i),
                         "alias/z" + std::to_string(i)},
             .enabled = true});
  }
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kPass), 50U);
  EXPECT_EQ(kms.Count("ListKeys"), 8U);
  EXPECT_EQ(kms.Count("ListAliases"), 2U);
  EXPECT_EQ(Of(run, "key-1049").facts.aliases.size(), 3U);
}

TEST_F(AuditTest, AMixedFleetCostsAtMostOneAndAHalfCallsAKey) {
  for (int i = 0; i < 1000; ++i) {
    const int kind = i % 10;
    kms.Add({.spec = kind == 0 ? "RSA_2048" : "SYMMETRIC_DEFAULT",
             .origin = kind == 1 ? "EXTERNAL" : "AWS_KMS",
             .state = kind == 2 || kind == 3 || kind == 4 ? "PendingDeletion" : "Enabled",
             .enabled = true});
  }
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.listed, 1000U);
  EXPECT_LE(kms.calls.size(), 1510U);
}

TEST_F(AuditTest, ADeniedKeyIsUnknownAndTheOthersGoOn) {
  kms.Add({.id = "secret"});
  kms.Add({.id = "hidden"});
  kms.Add({.id = "open", .enabled = true});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "DescribeKey" && call.key == "secret") return FakeKms::Denied(call);
    if (call.operation == "GetKeyRotationStatus" && call.key == "hidden") {
      return FakeKms::Denied(call);
    }
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(VerdictOf(run, "secret"), Verdict::kUnknown);
  EXPECT_THAT(Of(run, "secret").judgement.reason, HasSubstr("kms:DescribeKey is denied"));
  EXPECT_EQ(VerdictOf(run, "hidden"), Verdict::kUnknown);
  EXPECT_EQ(VerdictOf(run, "open"), Verdict::kPass);
  EXPECT_EQ(AuditExitCode(run), kExitIncomplete);
  EXPECT_EQ(run.calls.at("DescribeKey").failed, 1U);
}

TEST_F(AuditTest, AKeyThatDisappearsIsGone) {
  kms.Add({.id = "early"});
  kms.Add({.id = "late"});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    const bool gone = (call.operation == "DescribeKey" && call.key == "early") ||
                      (call.operation == "GetKeyRotationStatus" && call.key == "late");
    if (gone) return FakeKms::Error("NotFoundException");
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(VerdictOf(run, "early"), Verdict::kGone);
  EXPECT_EQ(VerdictOf(run, "late"), Verdict::kGone);
  EXPECT_EQ(AuditExitCode(run), kExitCompliant);
}

TEST_F(AuditTest, ThrottlingDelaysAndLosesNothing) {
  for (int i = 0; i < 60; ++i) kms.Add({.enabled = true});
  kms.intercept = [n = 0](const FakeCall&) mutable -> std::optional<FakeKms::Reply> {
    if (++n % 5 == 0) return FakeKms::Error("ThrottlingException", "Rate exceeded");
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kPass), 60U);
  EXPECT_GT(run.calls.at("DescribeKey").throttled, 5U);
  EXPECT_EQ(run.calls.at("DescribeKey").failed, 0U);
}

TEST_F(AuditTest, AnswersThatAreNotUnderstoodAreUnknown) {
  kms.Add({.id = "html"});
  kms.Add({.id = "other"});
  kms.Add({.id = "null"});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "DescribeKey" && call.key == "html") {
      return client::JsonReply(200, "<html>");
    }
    if (call.operation == "DescribeKey" && call.key == "other") {
      return client::JsonReply(200, R"({"KeyMetadata":{"KeyId":"somebody else"}})");
    }
    if (call.operation == "GetKeyRotationStatus") {
      return client::JsonReply(200, R"({"KeyRotationEnabled":null})");
    }
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kUnknown), 3U);
  EXPECT_THAT(Of(run, "other").judgement.reason, HasSubstr("another key"));
}

TEST_F(AuditTest, EachRegionIsAccountedForOnItsOwn) {
  kms.Add({.id = "a", .region = "eu-central-1", .enabled = true});
  kms.Add({.id = "b", .region = "us-east-1", .enabled = true});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.region == "eu-west-1") return FakeKms::Denied(call);
    if (call.region == "me-south-1") return FakeKms::Error("UnrecognizedClientException");
    if (call.region == "eu-west-9") return Fail(ErrorCode::kNetwork, "cannot resolve host");
    return std::nullopt;
  };
  const AuditRun run = Audit({"us-east-1", "eu-west-9", "eu-west-1", "eu-central-1", "me-south-1"});
  std::map<std::string, std::string> by_region;
  for (const RegionResult& region : run.regions) {
    by_region[region.region] =
        std::string(RegionStatusName(region.status)) + " " + std::to_string(region.keys_listed);
  }
  EXPECT_EQ(by_region["eu-central-1"], "scanned 1");
  EXPECT_EQ(by_region["us-east-1"], "scanned 1");
  EXPECT_EQ(by_region["eu-west-1"], "denied 0");
  EXPECT_EQ(by_region["me-south-1"], "not enabled 0");
  EXPECT_EQ(by_region["eu-west-9"], "error 0");
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kPass), 2U);
  EXPECT_EQ(AuditExitCode(run), kExitIncomplete);
}

TEST_F(AuditTest, BadCredentialsEverywhereAreDeniedAndNotARegion) {
  kms.intercept = [](const FakeCall&) -> std::optional<FakeKms::Reply> {
    return FakeKms::Error("UnrecognizedClientException", "The security token is invalid.");
  };
  const AuditRun run = Audit({"eu-central-1", "us-east-1"});
  EXPECT_EQ(run.regions[0].status, RegionStatus::kDenied);
  EXPECT_THAT(run.regions[0].detail, HasSubstr("The security token is invalid."));
}

TEST_F(AuditTest, KeysOfPagesBeforeAFailureAreKept) {
  kms.page_size = 2;
  for (int i = 0; i < 5; ++i) kms.Add({.enabled = true});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "ListKeys" && call.body.find("\"4\"") != std::string::npos) {
      return FakeKms::Denied(call);
    }
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kPass), 4U);
  EXPECT_EQ(run.regions[0].status, RegionStatus::kDenied);
  EXPECT_EQ(AuditExitCode(run), kExitIncomplete);
}

TEST_F(AuditTest, AnEndlessListEnds) {
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation != "ListKeys") return std::nullopt;
    return client::JsonReply(200, R"({"Keys":[],"Truncated":true,"NextMarker":"again"})");
  };
  const AuditRun run = Audit();
  EXPECT_EQ(run.regions[0].status, RegionStatus::kError);
  EXPECT_THAT(run.regions[0].detail, HasSubstr("circles"));
}

TEST_F(AuditTest, WithoutAliasesEveryKeyIsDescribed) {
  kms.Add({.id = "aws", .aliases = {"alias/aws/s3"}, .manager = "AWS"});
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "ListAliases") return FakeKms::Denied(call);
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(VerdictOf(run, "aws"), Verdict::kNotApplicable);
  EXPECT_EQ(kms.Count("GetKeyRotationStatus"), 0U);
  EXPECT_EQ(run.regions[0].status, RegionStatus::kScanned);
  EXPECT_THAT(run.regions[0].detail, HasSubstr("aliases are not known"));
}

TEST_F(AuditTest, AKeyInTheMakingIsLookedAtAgain) {
  kms.Add({.id = "new", .state = "Creating", .enabled = true});
  kms.Add({.id = "stuck", .state = "Updating"});
  kms.intercept = [this](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.key == "new" && kms.Count("DescribeKey", "new") == 3) {
      kms.Find("new", call.region).state = "Enabled";
    }
    return std::nullopt;
  };
  const AuditRun run = Audit();
  EXPECT_EQ(VerdictOf(run, "new"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(run, "stuck"), Verdict::kUnknown);
  EXPECT_EQ(kms.Count("DescribeKey", "stuck"), 5U);
}

TEST_F(AuditTest, AReplicaIsAskedOnlyWhenItsPrimaryDoesNotTell) {
  const auto add = [this](const std::string& id, const std::string& primary, bool both) {
    if (both) kms.Add({.id = id, .region = primary, .primary_region = primary});
    kms.Add({.id = id, .region = "us-east-1", .primary_region = primary});
  };
  add("mrk-follows", "eu-central-1", true);
  add("mrk-outside", "ap-south-1", false);
  add("mrk-denied", "eu-central-1", true);
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "GetKeyRotationStatus" && call.key == "mrk-denied" &&
        call.region == "eu-central-1") {
      return FakeKms::Denied(call);
    }
    return std::nullopt;
  };
  const AuditRun run = Audit({"eu-central-1", "us-east-1"});
  EXPECT_EQ(kms.Count("GetKeyRotationStatus", "mrk-follows"), 1U);
  EXPECT_EQ(kms.Count("GetKeyRotationStatus", "mrk-outside"), 1U);
  EXPECT_EQ(kms.Count("GetKeyRotationStatus", "mrk-denied"), 2U);
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kFail), 4U);
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kUnknown), 1U);
  EXPECT_EQ(run.totals.followers, 1U);
}

TEST_F(AuditTest, TagsAreReadOnlyForFailingKeysAndOnlyWhenAnExceptionNeedsThem) {
  kms.Add({.id = "off", .tags = {{"rotation", "exempt"}}});
  kms.Add({.id = "on", .enabled = true});
  Audit();
  EXPECT_EQ(kms.Count("ListResourceTags"), 0U);
  Exception entry;
  entry.id = "E1";
  entry.match.tag_key = "rotation";
  entry.match.tag_value = "exempt";
  entry.expires = "2027-01-01";
  entry.valid_until = *ParseIso8601("2027-01-02");
  const AuditRun run = Audit({"eu-central-1"}, {"f", "", {entry}});
  EXPECT_EQ(kms.Count("ListResourceTags"), 1U);
  EXPECT_EQ(VerdictOf(run, "off"), Verdict::kExcepted);
}

TEST_F(AuditTest, AStoppedRunKeepsWhatItKnowsAndCountsTheRest) {
  for (int i = 0; i < 500; ++i) kms.Add({.enabled = true});
  std::atomic<bool> cancelled{false};
  Monitor monitor;
  monitor.cancelled = &cancelled;
  kms.intercept = [&](const FakeCall&) -> std::optional<FakeKms::Reply> {
    if (kms.calls.size() > 200) cancelled = true;
    return std::nullopt;
  };
  const AuditRun run = Audit({"eu-central-1"}, {}, monitor);
  EXPECT_TRUE(run.cancelled);
  EXPECT_EQ(run.totals.listed, 500U);
  EXPECT_GT(run.totals.by_verdict.at(Verdict::kPass), 0U);
  EXPECT_GT(run.totals.by_verdict.at(Verdict::kUnknown), 300U);
  EXPECT_EQ(AuditExitCode(run), kExitIncomplete);
}

TEST_F(AuditTest, AStoppedRunJudgesByNoTagsAndRotationsThatItHasNotRead) {
  for (int i = 0; i < 20; ++i) {
    kms.Add({.tags = {{"rotation", "exempt"}}, .rotations = {{1'795'000'000, "ON_DEMAND"}}});
  }
  std::atomic<bool> cancelled{false};
  Monitor monitor;
  monitor.cancelled = &cancelled;
  kms.intercept = [&](const FakeCall&) -> std::optional<FakeKms::Reply> {
    cancelled = cancelled || kms.Count("GetKeyRotationStatus") == 10;
    return std::nullopt;
  };
  const auto audit = [&](const ExceptionList& exceptions = {}) {
    Reconnect();
    kms.calls.clear();
    cancelled = false;
    return Audit({"eu-central-1"}, exceptions, monitor);
  };
  Exception entry;
  entry.id = "E1";
  entry.match.tag_key = "rotation";
  entry.match.tag_value = "exempt";
  entry.valid_until = *ParseIso8601("2027-01-02");
  const AuditRun run = audit({"f", "", {entry}});
  EXPECT_TRUE(run.cancelled);
  EXPECT_TRUE(run.keys[0].facts.rotation.has_value());
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kUnknown), 20U);
  EXPECT_FALSE(run.keys[0].judgement.remediable);
  EXPECT_EQ(run.keys[0].facts.tags_failure->error_code, client::kCancelled);
  audit_options.policy.scope.exclude = {{.tag_key = "rotation", .tag_value = "exempt"}};
  EXPECT_EQ(audit().totals.by_verdict.at(Verdict::kUnknown), 20U);
  audit_options.policy.scope = {};
  audit_options.policy.on_demand_counts = true;
  EXPECT_EQ(audit().totals.by_verdict.at(Verdict::kUnknown), 20U);
  // What infrastructure code owns is known by its tags.
  audit_options.policy.on_demand_counts = false;
  audit_options.read_tags = true;
  EXPECT_EQ(audit().keys[0].facts.tags_failure->error_code, client::kCancelled);
}

TEST_F(AuditTest, ProgressEndsAtTheTotal) {
  for (int i = 0; i < 300; ++i) kms.Add({.enabled = true});
  std::vector<Progress> seen;
  Monitor monitor;
  monitor.progress = [&seen](const Progress& progress) { seen.push_back(progress); };
  Audit({"eu-central-1"}, {}, monitor);
  ASSERT_GT(seen.size(), 2U);
  EXPECT_EQ(seen.back().done, 300U);
  EXPECT_EQ(seen.back().total, 300U);
  EXPECT_TRUE(seen.back().total_is_known);
}

TEST_F(AuditTest, OptionsAreChecked) {
  const auto error = [this](std::vector<std::string> regions, int days = 365) {
    Target target;
    target.regions = std::move(regions);
    AuditOptions options;
    options.policy.max_period_days = days;
    SingleAccess access(*client);
    const auto run = RunAudit(access, {target}, options, {}, clock, random, {});
    return run ? std::string() : run.error().message;
  };
  EXPECT_THAT(error({}), HasSubstr("no region"));
  EXPECT_THAT(error({"a-1", "a-1"}), HasSubstr("named twice"));
  EXPECT_THAT(error({"a\"b"}), HasSubstr("not the name of a region"));
  EXPECT_THAT(error({"a-1"}, 89), HasSubstr("90 to 2560"));
  EXPECT_THAT(error({"a-1"}, 2561), HasSubstr("90 to 2560"));
  SingleAccess access(*client);
  EXPECT_FALSE(RunAudit(access, {}, {}, {}, clock, random, {}).has_value());
  EXPECT_TRUE(kms.calls.empty());
}

TEST(ProgressTextTest, SaysHowFarAndHowLong) {
  Progress progress{"auditing", 1200,  5000, true, 310.4,
                    420.0,      0.271, 1700, 3,    std::chrono::seconds(12)};
  EXPECT_EQ(ProgressText(progress),
            "auditing: 1,200 of 5,000 keys, 310/s, 28 % of quota, 3 throttled, 12 s left");
  progress = {"applying", 0, 0, false, 0, 0, 0, 0, 0, std::nullopt};
  EXPECT_EQ(ProgressText(progress), "applying: 0 keys");
  progress = {"applying", 10, 20000, false, 4.5, 0, 0, 0, 0, std::chrono::seconds(4440)};
  EXPECT_EQ(ProgressText(progress), "applying: 10 of at least 20,000 keys, 4.5/s, 74 min left");
}

TEST_F(AuditTest, APolicyReadsRotationsAndTagsWhereItJudgesByThem) {
  kms.page_size = 2;
  kms.Add({.id = "imported", .origin = "EXTERNAL"}).rotations = {
      {1700000000, "ON_DEMAND"}, {1795000000, "ON_DEMAND"}, {1600000000, "ON_DEMAND"}};
  kms.Add({.id = "by-hand"}).rotations = {{1795000000, "ON_DEMAND"}, {1795500000, "AUTOMATIC"}};
  kms.Add({.id = "off"});
  kms.Add({.id = "sandbox", .tags = {{"env", "sandbox"}}});
  kms.Add({.id = "on", .enabled = true, .period = 120});
  AuditOptions options;
  options.policy.judge_imported = true;
  options.policy.on_demand_counts = true;
  options.policy.scope.exclude = {{.tag_key = "env", .tag_value = "sandbox"}};
  options.also_judge = {90};
  options.policy_record = {"p", "abc", {}};
  Target target;
  target.endpoint_url = kUrl;
  target.regions = {"eu-central-1"};
  SingleAccess access(*client);
  const auto made = RunAudit(access, {target}, options, {}, clock, random, {});
  ASSERT_TRUE(made.has_value());
  const AuditRun& run = *made;
  EXPECT_EQ(VerdictOf(run, "imported"), Verdict::kPass);
  EXPECT_EQ(ToEpochMillis(*Of(run, "imported").facts.last_rotation_date), 1795000000000);
  EXPECT_EQ(VerdictOf(run, "by-hand"), Verdict::kPass);
  EXPECT_EQ(Of(run, "by-hand").facts.last_rotation_type, "ON_DEMAND");
  EXPECT_EQ(VerdictOf(run, "off"), Verdict::kFail);
  EXPECT_EQ(VerdictOf(run, "sandbox"), Verdict::kNotApplicable);
  EXPECT_EQ(VerdictOf(run, "on"), Verdict::kPass);
  EXPECT_EQ(kms.Count("ListKeyRotations", "imported"), 2U);
  EXPECT_EQ(kms.Count("ListKeyRotations", "on"), 0U);
  EXPECT_EQ(kms.Count("ListResourceTags"), 5U);
  ASSERT_EQ(run.also_judged.size(), 1U);
  EXPECT_EQ(run.also_judged[0].max_period_days, 90);
  EXPECT_EQ(run.also_judged[0].totals.by_verdict.at(Verdict::kFailPeriod), 1U);
  EXPECT_EQ(run.also_judged[0].totals.listed, 5U);
  EXPECT_EQ(run.policy.sha256, "abc");
}

}  // namespace
}  // namespace keyturn::control
