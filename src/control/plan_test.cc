// Plans: what an audit leads to, and the file that a plan is kept in.
#include "control/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "control/change_bench.h"
#include "crypto/digest.h"

namespace keyturn::control {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ChangeTest, APlanChangesWhatFailsAndExplainsTheRest) {
  kms.Add({.id = "off"});
  kms.Add({.id = "long", .enabled = true, .period = 730});
  kms.Add({.id = "good", .enabled = true});
  kms.Add({.id = "rsa", .spec = "RSA_2048"});
  kms.Add({.id = "disabled", .state = "Disabled"});
  kms.Add({.id = "excepted"});
  Exception entry;
  entry.id = "E1";
  entry.match.arn = kms.Find("excepted", "eu-central-1").arn();
  entry.expires = "2027-01-01";
  entry.valid_until = *ParseIso8601("2027-01-02");
  const Plan plan = MakeTestPlan(365, {"f", "", {entry}});
  ASSERT_EQ(plan.changes.size(), 2U);
  EXPECT_THAT(plan.changes[0].arn, HasSubstr("/long"));
  EXPECT_EQ(plan.changes[0].before.rotation, (RotationSetting{true, 730}));
  EXPECT_EQ(plan.changes[0].wanted, (RotationSetting{true, 365}));
  EXPECT_TRUE(plan.changes[0].send_period);
  EXPECT_EQ(plan.changes[1].before.rotation, (RotationSetting{}));
  EXPECT_FALSE(plan.changes[1].send_period);
  ASSERT_EQ(plan.left_alone.size(), 2U);
  EXPECT_EQ(plan.left_alone[0].verdict, Verdict::kSkipped);
  EXPECT_EQ(plan.left_alone[1].verdict, Verdict::kExcepted);
  EXPECT_FALSE(plan.preview.seconds.has_value()) << "no quotas are known of this endpoint";
  EXPECT_EQ(plan.preview.calls.at("EnableKeyRotation"), 2U);
}

TEST_F(ChangeTest, WhatAPlanCouldNotSeeIsToldWithItsError) {
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.region == "us-east-1") return FakeKms::Denied(call);
    return std::nullopt;
  };
  EXPECT_THAT(UnscannedNotes(Audit()),
              ElementsAre(HasSubstr("us-east-1 was not scanned: denied: ListKeys: "
                                    "AccessDeniedException")));
}

TEST_F(ChangeTest, AShortMaximumIsSentAsThePeriod) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan(90);
  EXPECT_EQ(plan.changes[0].wanted.period_days, 90);
  EXPECT_TRUE(plan.changes[0].send_period);
}

TEST_F(ChangeTest, APeriodThatWouldFailIsRefused) {
  kms.Add({.id = "off"});
  const AuditRun run = Audit(180);
  for (const int days : {89, 181, 2561}) {
    PlanOptions options;
    options.period_days = days;
    EXPECT_FALSE(MakePlan(run, options).has_value()) << days;
  }
  PlanOptions options;
  options.period_days = 120;
  EXPECT_EQ(MakePlan(run, options)->changes[0].wanted.period_days, 120);
}

TEST_F(ChangeTest, OnAwsThePreviewCountsTimeAndMoney) {
  for (int i = 0; i < 90; ++i) kms.Add({});
  PlanOptions options;
  options.quota_share = 0.3;
  AuditRun run = Audit();
  for (KeyResult& key : run.keys) key.facts.endpoint_url.clear();
  const auto plan = MakePlan(run, options);
  EXPECT_EQ(plan->preview.seconds, 21) << "90 keys at 15 x 0.3 a second, two reads at 1000 x 0.3";
  EXPECT_EQ(plan->preview.backout_seconds, 61) << "90 keys at 5 x 0.3 a second, and the reads";
  EXPECT_EQ(plan->preview.monthly_cost_after_first, 90);
  EXPECT_EQ(plan->preview.monthly_cost_after_second, 180);
  EXPECT_THAT(PlanNotes(*plan), Contains(HasSubstr("$90 more a month")));
}

TEST_F(ChangeTest, APlanIsReadBackAsItWasWritten) {
  kms.Add({.id = "off", .aliases = {"alias/\xC3\xBC\"\\"}});
  kms.Add({.id = "dying", .state = "PendingDeletion"});
  const Plan plan = MakeTestPlan();
  const std::string text = PlanText(plan);
  const auto read = ParsePlan(text, "p");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(PlanText(*read), text);
  EXPECT_EQ(read->sha256, plan.sha256);
  EXPECT_EQ(read->changes[0].aliases, plan.changes[0].aliases);
  EXPECT_EQ(read->created, plan.created);
}

TEST_F(ChangeTest, ATamperedPlanIsRefused) {
  kms.Add({.id = "off"});
  const std::string text = PlanText(MakeTestPlan());
  const auto with = [&text](std::string_view what, std::string_view other) {
    std::string changed = text;
    changed.replace(changed.find(what), what.size(), other);
    const auto plan = ParsePlan(changed, "p");
    return plan ? ErrorCode::kInternal : plan.error().code;
  };
  EXPECT_EQ(with("key/off", "key/odd"), ErrorCode::kCorrupt);
  EXPECT_EQ(with("\"send_period\": false", "\"send_period\": true"), ErrorCode::kCorrupt);
  EXPECT_EQ(with("127.0.0.1", "127.0.0.2"), ErrorCode::kCorrupt);
  EXPECT_EQ(with("\"version\": 3", "\"version\": 4"), ErrorCode::kNewerFormat);
  EXPECT_EQ(with("keyturn-plan", "keyturn-plot"), ErrorCode::kUsage);
  EXPECT_EQ(with("{", "["), ErrorCode::kUsage);
  EXPECT_EQ(ParsePlan("", "p").error().code, ErrorCode::kUsage);
  EXPECT_EQ(ParsePlan("{}", "p").error().code, ErrorCode::kUsage);
}

// A plan as the version before accounts and endpoints were changes' own wrote it.
TEST_F(ChangeTest, PlansOfVersion1AreRead) {
  const std::string content =
      R"({"tool_version":"0.1.0","run_id":"r","created":"2026-11-24T00:00:00.000Z",)"
      R"("endpoint_url":"http://127.0.0.1:4566","regions":["eu-central-1"],)"
      R"("policy":{"max_period_days":365,"strict_disabled":false,"exceptions_sha256":""},)"
      R"("quota_share":0.3,"audit_incomplete":false,"preview":{"calls":{}},"changes":[{)"
      R"("arn":"arn:aws:kms:eu-central-1:111122223333:key/off","account":"111122223333",)"
      R"("region":"eu-central-1","aliases":[],"reason":"rotation is off",)"
      R"("before":{"key_state":"Enabled","rotation":{"enabled":false}},)"
      R"("wanted":{"enabled":true,"period_days":365},"send_period":false}],"left_alone":[]})";
  const std::string text = R"({"format":"keyturn-plan","version":1,"sha256":")" +
                           HexEncode(crypto::Sha256(AsBytes(content))) + R"(","content":)" +
                           content + "}";
  const auto plan = ParsePlan(text, "p");
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->changes[0].endpoint_url, kUrl);
  EXPECT_EQ(plan->scope[0].endpoint_url, kUrl);
  kms.Add({.id = "off"});
  Journalize(*plan);
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("off done"));
}

}  // namespace
}  // namespace keyturn::control
