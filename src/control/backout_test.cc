// Back-out: what apply did is taken back, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/apply.h"
#include "control/change_bench.h"

namespace keyturn::control {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

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

TEST_F(ChangeTest, WhatWasTakenBackIsNotOursAnyMore) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  Do(Applying());
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
  Key("off").enabled = true;  // by another plan
  const ChangeRecord preview = PreviewBackout(*ReadJournal(path_));
  EXPECT_THAT(Lines(preview), ElementsAre("off unchanged"));
  kms.calls.clear();
  for (int i = 0; i < 2; ++i) {
    const ChangeRecord again = Do(BackingOut());
    EXPECT_THAT(Lines(again), ElementsAre("off unchanged"));
    EXPECT_THAT(DetailOf(again, "off"), HasSubstr("not ours"));
  }
  EXPECT_TRUE(Key("off").enabled);
  EXPECT_THAT(kms.calls, testing::IsEmpty());
}

TEST_F(ChangeTest, AReadThatIsBehindTheWriteTakesNothingBack) {
  kms.Add({.id = "off", .stale_reads = 1});
  Journalize(MakeTestPlan());
  Do(Applying());
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off failed")) << "it was off for one read only";
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
  EXPECT_FALSE(Key("off").enabled);
}

TEST_F(ChangeTest, ABackoutThatWasNotSeenYetGoesOn) {
  kms.Add({.id = "off", .stale_reads = 1000});
  Journalize(MakeTestPlan());
  Do(Applying());
  Key("off").stale_left = 0;
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off failed"));
  Key("off").stale_left = 0;
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
}

TEST_F(ChangeTest, VerifyAfterABackoutWantsWhatWasThere) {
  for (const char* id : {"a", "b-somebody", "c-not-reached"}) kms.Add({.id = id});
  Journalize(MakeTestPlan());
  Do([](const Journal& j, JournalSink& s, const ChangeContext& c) {
    return Apply(j, s, c, {.first = 2, .max_failure_percent = std::nullopt});
  });
  Key("b-somebody").enabled = false;
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("a done", "b-somebody unchanged"));
  const ChangeRecord verified = Do(Verifying());
  EXPECT_THAT(Lines(verified), ElementsAre("a done", "b-somebody done"));
  EXPECT_EQ(SettingText(verified.lines[1].wanted), "off");
  EXPECT_THAT(Lines(RecordsOf(*ReadJournal(path_)).back()),
              ElementsAre("a done", "b-somebody done"));
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

}  // namespace
}  // namespace keyturn::control
