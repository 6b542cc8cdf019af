// Apply and verify: a plan is carried out, with everything that can happen on the way, and looked
// at.
#include "control/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/change_bench.h"
#include "control/fake_access.h"

namespace keyturn::control {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// --- Apply ---------------------------------------------------------------------------------------

TEST_F(ChangeTest, ApplyEnablesAndTheNextAuditPasses) {
  kms.Add({.id = "off"});
  kms.Add({.id = "long", .enabled = true, .period = 730});
  Journalize(MakeTestPlan());
  const ChangeRecord record = Do(Applying());
  EXPECT_THAT(Lines(record), ElementsAre("long done", "off done"));
  EXPECT_FALSE(record.lines[0].request_id.empty());
  EXPECT_EQ(ChangeExitCode(record), kExitCompliant);
  EXPECT_EQ(Key("off").period, 365);
  EXPECT_EQ(Key("long").period, 365);
  EXPECT_EQ(AuditExitCode(Audit()), kExitCompliant);
  EXPECT_THAT(kms.calls, Contains(testing::Field(&FakeCall::body,
                                                 R"({"KeyId":")" + Key("off").arn() + R"("})")))
      << "without a period: AWS's default is wanted";
}

TEST_F(ChangeTest, TheIntentIsOnDiskBeforeTheCall) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  std::string before_call;
  kms.intercept = [&](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "EnableKeyRotation") before_call = JournalFile();
    return std::nullopt;
  };
  Do(Applying());
  EXPECT_THAT(before_call, HasSubstr(R"({"record":"intent","phase":"apply")"));
  EXPECT_THAT(before_call, testing::Not(HasSubstr(R"("record":"result")")));
}

TEST_F(ChangeTest, AKeyThatDriftedIsRefusedAndTheOthersGoOn) {
  for (const char* id : {"disabled", "on", "other-period", "gone", "denied", "fine"}) {
    kms.Add({.id = id});
  }
  Journalize(MakeTestPlan());
  Key("disabled").state = "Disabled";
  Key("on").enabled = true;
  Key("other-period").enabled = true;
  Key("other-period").period = 200;
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.key.ends_with("/gone")) return FakeKms::Error("NotFoundException");
    if (call.operation == "EnableKeyRotation" && call.key.ends_with("/denied")) {
      return FakeKms::Denied(call);
    }
    return std::nullopt;
  };
  const ChangeRecord record = Do(Applying());
  EXPECT_THAT(Lines(record), ElementsAre("denied failed", "disabled refused", "fine done",
                                         "gone failed", "on unchanged", "other-period refused"));
  EXPECT_THAT(DetailOf(record, "disabled"), HasSubstr("is Disabled, and was Enabled"));
  EXPECT_THAT(DetailOf(record, "other-period"), HasSubstr("every 200 days"));
  EXPECT_EQ(kms.Count("EnableKeyRotation"), 2U);
  EXPECT_EQ(ChangeExitCode(record), kExitChangeFailed);
}

TEST_F(ChangeTest, AFailedKeyIsTriedAgainByResumeAndADoneOneIsNot) {
  kms.Add({.id = "a"});
  kms.Add({.id = "b"});
  Journalize(MakeTestPlan());
  DenyEnabling("a");
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("a failed", "b done"));
  kms.intercept = nullptr;
  kms.calls.clear();
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("a done", "b done"));
  EXPECT_EQ(kms.Count("DescribeKey"), 1U);
}

TEST_F(ChangeTest, AWriteWithoutAnAnswerIsReconciledByReading) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  kms.intercept = [this](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation != "EnableKeyRotation") return std::nullopt;
    Key("off").enabled = true;  // it arrives, and every answer is lost
    return Fail(ErrorCode::kNetwork, "connection reset");
  };
  const ChangeRecord record = Do(Applying());
  EXPECT_THAT(Lines(record), ElementsAre("off failed"));
  EXPECT_THAT(DetailOf(record, "off"), HasSubstr("may have taken effect"));
  kms.intercept = nullptr;
  kms.calls.clear();
  Reconnect();
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("off done"));
  EXPECT_EQ(kms.Count("EnableKeyRotation"), 0U);
  // It was ours, so it can be taken back.
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
  EXPECT_FALSE(Key("off").enabled);
}

TEST_F(ChangeTest, WhatSomebodyElseDidAfterARefusalIsNotOurs) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "EnableKeyRotation") return FakeKms::Denied(call);
    return std::nullopt;
  };
  Do(Applying());
  kms.intercept = nullptr;
  Key("off").enabled = true;
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("off unchanged"));
  EXPECT_THAT(Lines(Do(BackingOut())), IsEmpty());
  EXPECT_TRUE(Key("off").enabled);
}

TEST_F(ChangeTest, AStoppedApplyBeginsNothingMoreAndIsResumed) {
  for (int i = 0; i < 300; ++i) kms.Add({});
  Journalize(MakeTestPlan());
  std::atomic<bool> cancelled{false};
  monitor_.cancelled = &cancelled;
  kms.intercept = [&](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "EnableKeyRotation" && kms.Count("EnableKeyRotation") > 20) {
      cancelled = true;
    }
    return std::nullopt;
  };
  const ChangeRecord record = Do(Applying());
  EXPECT_TRUE(record.cancelled);
  EXPECT_EQ(record.Count(ChangeOutcome::kFailed), 0U);
  EXPECT_EQ(record.Count(ChangeOutcome::kDone), kms.Count("EnableKeyRotation"));
  EXPECT_GT(record.Count(ChangeOutcome::kPending), 200U);
  EXPECT_EQ(ChangeExitCode(record), kExitIncomplete);
  kms.intercept = nullptr;
  cancelled = false;
  EXPECT_EQ(Do(Applying()).Count(ChangeOutcome::kDone), 300U);
  EXPECT_EQ(kms.Count("EnableKeyRotation"), 300U);
}

// --- Verify --------------------------------------------------------------------------------------

TEST_F(ChangeTest, VerifyWaitsForTheStateToBeSeenTwice) {
  kms.Add({.id = "slow", .stale_reads = 5});
  kms.Add({.id = "quick"});
  Journalize(MakeTestPlan());
  Do(Applying());
  kms.calls.clear();
  const ChangeRecord record = Do(Verifying());
  EXPECT_THAT(Lines(record), ElementsAre("quick done", "slow done"));
  EXPECT_EQ(kms.Count("GetKeyRotationStatus", "quick"), 2U);
  EXPECT_EQ(kms.Count("GetKeyRotationStatus", "slow"), 7U);
}

TEST_F(ChangeTest, AStateThatFlickersIsNotVerifiedByOneRead) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  Do(Applying());
  kms.calls.clear();
  kms.intercept = [this](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "GetKeyRotationStatus") {
      Key("off").enabled = kms.Count("GetKeyRotationStatus") % 2 == 1;
    }
    return std::nullopt;
  };
  EXPECT_THAT(Lines(Do(Verifying())), ElementsAre("off failed"));
}

TEST_F(ChangeTest, VerifyNamesTheKeysThatAreNotThere) {
  for (const char* id : {"undone", "refused", "gone"}) kms.Add({.id = id});
  Journalize(MakeTestPlan());
  Key("refused").state = "Disabled";
  Do(Applying());
  Key("undone").enabled = false;
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.key.ends_with("/gone")) return FakeKms::Error("NotFoundException");
    return std::nullopt;
  };
  const TimePoint begin = clock.Now();
  const ChangeRecord record = Do(Verifying());
  EXPECT_THAT(Lines(record), ElementsAre("gone failed", "refused failed", "undone failed"));
  EXPECT_THAT(DetailOf(record, "undone"), HasSubstr("last seen: off"));
  EXPECT_THAT(DetailOf(record, "refused"), HasSubstr("apply refused"));
  EXPECT_GE(clock.Now() - begin, Millis(60000));
  EXPECT_EQ(ChangeExitCode(record), kExitChangeFailed);
}

// --- Accounts ------------------------------------------------------------------------------------

TEST_F(ChangeTest, EachChangeIsMadeInItsAccount) {
  kms.Add({.id = "a"});
  kms.Add({.id = "b"});
  kms.Add({.id = "c", .region = "us-east-1"});
  Plan plan = MakeTestPlan();
  ASSERT_EQ(plan.changes.size(), 3U);
  plan.changes[1].account = "222233334444";
  Journalize(plan);
  FakeAccess access(*client);
  access.refused = "222233334444";
  const auto apply = [&] {
    const auto journal = ReadJournal(path_);
    const auto sink = OpenJournal(*journal);
    return *Apply(*journal, **sink, {access, clock, monitor_});
  };
  const ChangeRecord first = apply();
  EXPECT_THAT(Lines(first), ElementsAre("a done", "b failed", "c done"));
  EXPECT_EQ(first.lines[1].detail, "STS refuses the role");
  EXPECT_EQ(first.lines[1].account, "222233334444");
  EXPECT_THAT(access.seen, ElementsAre("111122223333@" + std::string(kUrl),
                                       "222233334444@" + std::string(kUrl)));
  // What is left is tried again once the role is given, and nothing else.
  access.refused.reset();
  access.seen.clear();
  EXPECT_THAT(Lines(apply()), ElementsAre("a done", "b done", "c done"));
  EXPECT_THAT(access.seen, ElementsAre("222233334444@" + std::string(kUrl)));
  EXPECT_EQ(access.at_work, 0U);
}

// A write whose answer was lost stays an open question while its account cannot be reached.
TEST_F(ChangeTest, AnAccountThatCannotBeReachedSettlesNothing) {
  kms.Add({.id = "a"});
  Journalize(MakeTestPlan());
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation != "EnableKeyRotation") return std::nullopt;
    return FakeKms::Reply(Fail(ErrorCode::kNetwork, "the answer was lost"));
  };
  Do(Applying());
  kms.Find("a", "eu-central-1").enabled = true;
  kms.intercept = nullptr;
  {
    FakeAccess access(*client);
    access.refused = "111122223333";
    const auto journal = ReadJournal(path_);
    const auto sink = OpenJournal(*journal);
    EXPECT_THAT(Lines(*Apply(*journal, **sink, {access, clock, monitor_})),
                ElementsAre("a failed"));
  }
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("a done"));
  EXPECT_FALSE(kms.Find("a", "eu-central-1").enabled);
}

}  // namespace
}  // namespace keyturn::control
