// Plan, apply, verify, backout: from an audit to a change and back, with everything that can happen
// in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/hex.h"
#include "control/change_bench.h"
#include "crypto/digest.h"

namespace keyturn::control {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// DyingSink is the process that ends at the n-th write of the journal: the write is lost or torn,
// and nothing more happens.
class DyingSink final : public JournalSink {
 public:
  DyingSink(JournalSink& real, std::string path, int writes_left, bool torn)
      : real_(real), path_(std::move(path)), left_(writes_left), torn_(torn) {}

  Status Append(const std::vector<JournalEntry>& entries) override {
    if (left_-- > 0) return real_.Append(entries);
    if (torn_ && left_ == -1) {
      std::string text;
      for (const JournalEntry& entry : entries) AppendEntryText(entry, text);
      std::ofstream(path_, std::ios::app) << text.substr(0, text.size() / 2);
    }
    return Fail(ErrorCode::kIo, "the process has ended");
  }
  bool died() const { return left_ < 0; }

 private:
  JournalSink& real_;
  const std::string path_;
  int left_;
  const bool torn_;
};

// --- Plan ----------------------------------------------------------------------------------------

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
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "EnableKeyRotation" && call.key.ends_with("/a")) {
      return FakeKms::Denied(call);
    }
    return std::nullopt;
  };
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

// --- Backout -------------------------------------------------------------------------------------

TEST_F(ChangeTest, BackoutRestoresExactlyWhatWasThere) {
  kms.Add({.id = "off"});
  kms.Add({.id = "long", .enabled = true, .period = 730});
  kms.Add({.id = "good", .enabled = true, .period = 100});
  Journalize(MakeTestPlan());
  Do(Applying());
  const ChangeRecord preview = PreviewBackout(*ReadJournal(path_));
  EXPECT_THAT(Lines(preview), ElementsAre("long pending", "off pending"));
  EXPECT_EQ(SettingText(preview.lines[0].wanted), "on, every 730 days");
  const ChangeRecord record = Do(BackingOut("job pins material, OPS-77"));
  EXPECT_THAT(Lines(record), ElementsAre("long done", "off done"));
  EXPECT_FALSE(Key("off").enabled);
  EXPECT_EQ(Key("long").period, 730);
  EXPECT_EQ(Key("good").period, 100);
  EXPECT_EQ(kms.Count("DisableKeyRotation"), 1U);
  EXPECT_THAT(DetailOf(record, "off"), HasSubstr("verified: rotation is off"));
  EXPECT_THAT(record.notes, Contains(HasSubstr("cannot be undone")));
  EXPECT_THAT(record.notes, Contains(HasSubstr("starts anew")));
  EXPECT_THAT(JournalFile(), HasSubstr("job pins material, OPS-77"));
  // And verify now wants what backout restored.
  EXPECT_THAT(Lines(Do(Verifying())), ElementsAre("long done", "off done"));
}

TEST_F(ChangeTest, AJournalMayTurnRotationOffButAPlanMayNot) {
  kms.Add({.id = "off"});
  kms.Add({.id = "long", .enabled = true, .period = 730});
  Plan plan = MakeTestPlan();
  for (PlannedChange& change : plan.changes) {
    change.wanted = {};
    change.send_period = false;
  }
  const auto read = ParsePlan(PlanText(plan), "plan.json");
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr("'changes[0].wanted'"));
  Journalize(plan);
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("long done", "off unchanged"));
  EXPECT_FALSE(Key("long").enabled);
  EXPECT_EQ(kms.Count("EnableKeyRotation"), 0U);
  EXPECT_THAT(Lines(Do(Verifying())), ElementsAre("long done", "off done"));
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("long done"));
  EXPECT_EQ(Key("long").period, 730);
}

TEST_F(ChangeTest, BackoutNeedsAReason) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  Do(Applying());
  for (const char* reason : {"", "  \n"}) {
    const auto record = Run(BackingOut(reason));
    ASSERT_FALSE(record.has_value());
    EXPECT_EQ(record.error().code, ErrorCode::kUsage);
  }
  EXPECT_TRUE(Key("off").enabled);
}

TEST_F(ChangeTest, BackoutLeavesAloneWhatIsNoLongerAsWritten) {
  for (const char* id : {"period", "disabled", "off-again", "ours"}) kms.Add({.id = id});
  Journalize(MakeTestPlan());
  Do(Applying());
  Key("period").period = 90;
  Key("disabled").state = "Disabled";
  Key("off-again").enabled = false;
  kms.calls.clear();
  const ChangeRecord record = Do(BackingOut());
  EXPECT_THAT(Lines(record), ElementsAre("disabled refused", "off-again unchanged", "ours done",
                                         "period refused"));
  EXPECT_THAT(DetailOf(record, "period"), HasSubstr("conflict: rotation is on, every 90 days"));
  EXPECT_EQ(kms.Count("DisableKeyRotation"), 1U);
}

TEST_F(ChangeTest, BackoutWaitsUntilItIsSeen) {
  kms.Add({.id = "off", .stale_reads = 3});
  Journalize(MakeTestPlan());
  Do(Applying());
  Do(Verifying());
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
}

TEST_F(ChangeTest, ApplyDoesNotRedoWhatWasTakenBack) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  Do(Applying());
  Do(BackingOut());
  const auto record = Run(Applying());
  ASSERT_FALSE(record.has_value());
  EXPECT_THAT(record.error().message, HasSubstr("make a new plan"));
  EXPECT_FALSE(Key("off").enabled);
}

// --- The process ends at any write of the journal
// --------------------------------------------------

class DeathTest : public ChangeTest, public testing::WithParamInterface<bool> {
 protected:
  // DieAt runs a phase whose process ends at its n-th write; false when it got through.
  bool DieAt(int n, const PhaseFunction& phase) {
    bool died = false;
    const auto record = Run([&](const Journal& journal, JournalSink& sink, const ChangeContext& c) {
      DyingSink dying(sink, path_, n, GetParam());
      auto result = phase(journal, dying, c);
      died = dying.died();
      EXPECT_EQ(result.has_value(), !died);
      return result;
    });
    Reconnect();
    return died;
  }
  void NewFleet() {
    kms.keys.clear();
    kms.calls.clear();
    for (int i = 0; i < 3; ++i) kms.Add({.id = "off" + std::to_string(i)});
    kms.Add({.id = "long", .enabled = true, .period = 730});
    kms.Add({.id = "good", .enabled = true, .period = 200});
    std::filesystem::remove(path_);
    Journalize(MakeTestPlan());
    kms.calls.clear();
  }
  // Every key of ours is as given, and the bystander as ever.
  void ExpectFleet(bool applied) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Key("off" + std::to_string(i)).enabled, applied);
    EXPECT_EQ(Key("long").period, applied ? 365 : 730);
    EXPECT_EQ(Key("good").period, 200);
  }
};

TEST_P(DeathTest, ApplyIsResumedFromEveryWrite) {
  int writes = 0;
  for (bool died = true; died; ++writes) {
    NewFleet();
    died = DieAt(writes, Applying());
    // A call without an intent on disk must not have been made.
    const auto journal = ReadJournal(path_);
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    std::size_t intents = 0;
    for (const JournalEntry& entry : journal->entries) {
      if (entry.kind == JournalEntry::Kind::kIntent) ++intents;
    }
    EXPECT_LE(kms.Count("EnableKeyRotation"), intents);
    const ChangeRecord record = Do(Applying());
    EXPECT_EQ(record.Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(true);
    // All of it is known as ours.
    EXPECT_EQ(Do(BackingOut()).Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(false);
  }
  EXPECT_GT(writes, 3);
}

TEST_P(DeathTest, AFewKeysFirstAreResumedFromEveryWrite) {
  const PhaseFunction first = [](const Journal& j, JournalSink& s, const ChangeContext& c) {
    return Apply(j, s, c, {.first = 2, .max_failure_percent = 0});
  };
  int writes = 0;
  for (bool died = true; died; ++writes) {
    NewFleet();
    died = DieAt(writes, first);
    EXPECT_LE(kms.Count("EnableKeyRotation"), 2U);
    EXPECT_EQ(Do(Applying()).Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(true);
    EXPECT_EQ(Do(BackingOut()).Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(false);
  }
  EXPECT_GT(writes, 4);
}

TEST_P(DeathTest, BackoutIsResumedFromEveryWrite) {
  int writes = 0;
  for (bool died = true; died; ++writes) {
    NewFleet();
    Do(Applying());
    died = DieAt(writes, BackingOut());
    const ChangeRecord record = Do(BackingOut("again"));
    EXPECT_EQ(record.Count(ChangeOutcome::kDone) + record.Count(ChangeOutcome::kUnchanged), 4U)
        << "after write " << writes;
    ExpectFleet(false);
    EXPECT_EQ(ChangeExitCode(Do(Verifying())), kExitCompliant);
  }
  EXPECT_GT(writes, 4);
}

INSTANTIATE_TEST_SUITE_P(LostOrTorn, DeathTest, testing::Bool(), [](const auto& row) {
  return row.param ? std::string("Torn") : std::string("Lost");
});

// --- The journal's file --------------------------------------------------------------------------

TEST_F(ChangeTest, AJournalIsNeverOverwritten) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan();
  Journalize(plan);
  const std::string text = JournalFile();
  const auto again = CreateJournal(path_, plan, clock, "test");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kUsage);
  EXPECT_EQ(JournalFile(), text);
  std::ofstream(path_ + "2").flush();  // an empty file, as mktemp makes it
  EXPECT_TRUE(CreateJournal(path_ + "2", plan, clock, "test").has_value());
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

TEST_F(ChangeTest, OneWriterAtATime) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  const auto journal = ReadJournal(path_);
  const auto first = OpenJournal(*journal);
  ASSERT_TRUE(first.has_value());
  const auto second = OpenJournal(*journal);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
}

TEST_F(ChangeTest, AJournalThatHasGrownMeanwhileIsReadAgainFirst) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  const auto old = ReadJournal(path_);
  Do(Applying());
  const auto sink = OpenJournal(*old);
  ASSERT_FALSE(sink.has_value());
  EXPECT_EQ(sink.error().code, ErrorCode::kConflict);
}

TEST_F(ChangeTest, ATornLastLineIsCutOffAndGarbageInsideIsNamed) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  Do(Applying());
  const std::string whole = JournalFile();
  for (std::size_t cut = whole.find('\n', whole.find('\n') + 1) + 1; cut < whole.size(); ++cut) {
    const auto journal = ParseJournal(whole.substr(0, cut), "j");
    ASSERT_TRUE(journal.has_value()) << cut << journal.error().message;
    EXPECT_EQ(journal->valid_bytes, whole.rfind('\n', cut - 1) + 1);
  }
  std::string broken = whole;
  const auto at = broken.find("\"intent\"");
  broken.replace(at, 8, "\"intend\"");
  const auto journal = ParseJournal(broken, "j");
  ASSERT_FALSE(journal.has_value());
  EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(journal.error().message, "j:4: member 'record' is missing or wrong");
}

TEST_F(ChangeTest, OtherFilesAreNoJournals) {
  for (const char* text : {"", "\n", "{}\n", "x\n", "{\"format\":\"other\"}\n", "no line break"}) {
    const auto journal = ParseJournal(text, "j");
    ASSERT_FALSE(journal.has_value()) << text;
    EXPECT_EQ(journal.error().code, ErrorCode::kUsage) << text;
  }
  const auto newer = ParseJournal("{\"format\":\"keyturn-journal\",\"version\":4}\n", "j");
  EXPECT_EQ(newer.error().code, ErrorCode::kNewerFormat);
}

// PerAccount has a client for each account, which all speak to one fake.
class PerAccount final : public Access {
 public:
  explicit PerAccount(client::KmsClient& client) : client_(client) {}
  void Begin(const Target& target, Opened opened) override {
    seen.push_back(target.account + "@" + target.endpoint_url);
    if (target.account == refused) {
      opened(tl::unexpected(Closed{RegionStatus::kDenied, "STS refuses the role"}));
      return;
    }
    ++at_work;
    opened(Open{&client_, target.regions, {}, {}});
  }
  void Close(client::KmsClient*) override { --at_work; }
  std::size_t Pump(std::chrono::milliseconds max_wait) override { return client_.Pump(max_wait); }
  void CancelAll() override { client_.CancelAll(); }
  std::map<std::string, client::OperationCount, std::less<>> counts() const override {
    return client_.counts();
  }
  std::string refused;
  std::vector<std::string> seen;
  int at_work = 0;

 private:
  client::KmsClient& client_;
};

TEST_F(ChangeTest, EachChangeIsMadeInItsAccount) {
  kms.Add({.id = "a"});
  kms.Add({.id = "b"});
  kms.Add({.id = "c", .region = "us-east-1"});
  Plan plan = MakeTestPlan();
  ASSERT_EQ(plan.changes.size(), 3U);
  plan.changes[1].account = "222233334444";
  Journalize(plan);
  PerAccount access(*client);
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
  access.refused.clear();
  access.seen.clear();
  EXPECT_THAT(Lines(apply()), ElementsAre("a done", "b done", "c done"));
  EXPECT_THAT(access.seen, ElementsAre("222233334444@" + std::string(kUrl)));
  EXPECT_EQ(access.at_work, 0);
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
    PerAccount access(*client);
    access.refused = "111122223333";
    const auto journal = ReadJournal(path_);
    const auto sink = OpenJournal(*journal);
    EXPECT_THAT(Lines(*Apply(*journal, **sink, {access, clock, monitor_})),
                ElementsAre("a failed"));
  }
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("a done"));
  EXPECT_FALSE(kms.Find("a", "eu-central-1").enabled);
}

// OfVersion1 is a journal as the version before accounts and endpoints were changes' own wrote it.
std::string OfVersion1(std::string text) {
  const std::string member = "\"endpoint_url\":\"" + std::string(kUrl) + "\",";
  for (auto at = text.find(member); at != std::string::npos; at = text.find(member)) {
    text.erase(at, member.size());
  }
  const std::string version = "\"version\":3,";
  text.replace(text.find(version), version.size(), "\"version\":1," + member);
  return text;
}

TEST_F(ChangeTest, JournalsOfVersion1AreRead) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  const std::string old = OfVersion1(JournalFile());
  ASSERT_NE(old, JournalFile());
  std::ofstream(path_) << old;
  EXPECT_EQ(ReadJournal(path_)->changes[0].endpoint_url, kUrl);
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("off done"));
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
}

TEST_F(ChangeTest, ForeignBytesDoNotMakeAJournalUnreadable) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation != "EnableKeyRotation") return std::nullopt;
    auto reply = FakeKms::Denied(call);
    reply->headers[0].second = "\xFF\xC0\x80 id";
    return reply;
  };
  Do(Applying());
  EXPECT_TRUE(ReadJournal(path_).has_value());
}

TEST_F(ChangeTest, AJournalTellsItsStory) {
  kms.Add({.id = "a"});
  kms.Add({.id = "b"});
  Journalize(MakeTestPlan());
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "EnableKeyRotation" && call.key.ends_with("/a")) {
      return FakeKms::Denied(call);
    }
    return std::nullopt;
  };
  Do(Applying());
  kms.intercept = nullptr;
  Do(Applying());
  Do(Verifying());
  Do(BackingOut("why not"));
  const auto records = RecordsOf(*ReadJournal(path_));
  ASSERT_EQ(records.size(), 4U);
  EXPECT_THAT(Lines(records[0]), ElementsAre("a failed", "b done"));
  EXPECT_THAT(Lines(records[1]), ElementsAre("a done"));
  EXPECT_THAT(Lines(records[2]), ElementsAre("a done", "b done"));
  EXPECT_THAT(Lines(records[3]), ElementsAre("a done", "b done"));
  EXPECT_EQ(records[3].reason, "why not");
  EXPECT_EQ(SettingText(records[3].lines[0].wanted), "off");
  EXPECT_FALSE(records[3].cancelled);
}

TEST_F(ChangeTest, ADirectoryThatIsNotThereIsAnErrorAndLeavesNothing) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan();
  EXPECT_FALSE(CreateJournal(directory_ + "/no/j", plan, clock, "test").has_value());
  EXPECT_FALSE(WritePlan(plan, directory_ + "/no/p").has_value());
  EXPECT_FALSE(CreateJournal(directory_, plan, clock, "test").has_value());
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

}  // namespace
}  // namespace keyturn::control
