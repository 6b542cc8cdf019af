// Bounds of an apply: a few keys first, and an end to what goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/change_bench.h"

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ApplyBoundsTest : public ChangeTest {
 protected:
  static PhaseFunction ApplyingAtMost(ApplyBounds bounds) {
    return [bounds](const Journal& j, JournalSink& s, const ChangeContext& c) {
      return Apply(j, s, c, bounds);
    };
  }
  // Deny refuses EnableKeyRotation for keys whose id has the word.
  void Deny(const std::string& word) {
    kms.intercept = [word](const FakeCall& call) -> std::optional<FakeKms::Reply> {
      if (call.operation == "EnableKeyRotation" && call.key.find(word) != std::string::npos) {
        return FakeKms::Denied(call);
      }
      return std::nullopt;
    };
  }
  void AddKeys(const std::string& name, int count) {
    for (int i = 0; i < count; ++i) kms.Add({.id = name + std::to_string(1000 + i)});
  }
};

TEST_F(ApplyBoundsTest, TheFirstAreChangedAndReadBackAndTheRestIsLeft) {
  for (const char* id : {"a", "b", "c", "d"}) kms.Add({.id = id, .stale_reads = 2});
  Journalize(MakeTestPlan());
  kms.calls.clear();
  const ChangeRecord record = Do(ApplyingAtMost({.first = 2, .max_failure_percent = {}}));
  EXPECT_THAT(Lines(record), ElementsAre("a done", "b done"));
  EXPECT_EQ(DetailOf(record, "a"), "verified: rotation is on, every 365 days");
  EXPECT_EQ(record.held_back, 2U);
  EXPECT_THAT(record.notes, ElementsAre(HasSubstr("2 keys are left for later runs")));
  EXPECT_EQ(ChangeExitCode(record), kExitCompliant);
  // Before the write, two that are stale, two that show it.
  EXPECT_EQ(kms.Count("GetKeyRotationStatus", "/a"), 5U);
  EXPECT_EQ(kms.Count("DescribeKey", "/c") + kms.Count("EnableKeyRotation", "/c"), 0U);

  EXPECT_THAT(Lines(Do(ApplyingAtMost({.first = 1, .max_failure_percent = {}}))),
              ElementsAre("a done", "b done", "c done"));
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("a done", "b done", "c done", "d done"));
  EXPECT_EQ(kms.Count("EnableKeyRotation"), 4U);
  const auto records = RecordsOf(*ReadJournal(path_));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_THAT(Lines(records[0]), ElementsAre("a done", "b done"));
  EXPECT_EQ(records[0].held_back, 2U);
  EXPECT_FALSE(records[0].cancelled);
  EXPECT_THAT(Lines(records[2]), ElementsAre("d done"));
}

TEST_F(ApplyBoundsTest, AFirstKeyThatIsNeverSeenHasFailed) {
  kms.Add({.id = "a", .stale_reads = 1000});
  kms.Add({.id = "b"});
  Journalize(MakeTestPlan());
  const ChangeRecord record = Do(ApplyingAtMost({.first = 1, .max_failure_percent = {}}));
  EXPECT_THAT(Lines(record), ElementsAre("a failed"));
  EXPECT_EQ(DetailOf(record, "a"), "not seen yet; last seen: off");
  EXPECT_EQ(ChangeExitCode(record), kExitChangeFailed);
  // It is ours all the same, and found so.
  Key("a").stale_left = Key("a").stale_reads = 0;
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("a done", "b done"));
  EXPECT_EQ(kms.Count("EnableKeyRotation", "/a"), 1U);
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("a done", "b done"));
}

TEST_F(ApplyBoundsTest, MoreThanThePlanHasIsAllOfIt) {
  AddKeys("key", 3);
  Journalize(MakeTestPlan());
  const ChangeRecord record = Do(ApplyingAtMost({.first = 50, .max_failure_percent = 10}));
  EXPECT_EQ(record.Count(ChangeOutcome::kDone), 3U);
  EXPECT_EQ(record.held_back, 0U);
  EXPECT_THAT(record.notes, IsEmpty());
}

TEST_F(ApplyBoundsTest, ARunStopsOnceTooManyHaveFailed) {
  AddKeys("bad", 40);
  AddKeys("good", 260);
  Journalize(MakeTestPlan());
  Deny("bad");
  const ChangeRecord record = Do(ApplyingAtMost({.first = {}, .max_failure_percent = 5}));
  EXPECT_TRUE(record.cancelled);
  EXPECT_EQ(ChangeExitCode(record), kExitChangeFailed);
  ASSERT_EQ(record.notes.size(), 1U);
  EXPECT_THAT(record.notes[0], HasSubstr("6 of the last 100 keys failed or were refused, more than "
                                         "5 %"));
  // What was under way when the sixth failed is finished, and nothing else was begun.
  EXPECT_GE(record.Count(ChangeOutcome::kFailed), 6U);
  EXPECT_LE(record.Count(ChangeOutcome::kFailed), 6U + 16U);
  EXPECT_EQ(record.Count(ChangeOutcome::kDone), 0U);
  EXPECT_GE(record.Count(ChangeOutcome::kPending), 260U);
  EXPECT_THAT(JournalFile(), HasSubstr(R"("record":"stop")"));
  const auto told = RecordsOf(*ReadJournal(path_));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].notes, record.notes);
  EXPECT_EQ(Lines(told[0]), Lines(record));
  // Once they may be changed, the rest is done.
  kms.intercept = nullptr;
  const ChangeRecord resumed = Do(ApplyingAtMost({.first = {}, .max_failure_percent = 5}));
  EXPECT_EQ(resumed.Count(ChangeOutcome::kDone), 300U);
  EXPECT_THAT(resumed.notes, IsEmpty());
}

TEST_F(ApplyBoundsTest, FewFailuresInTheWindowStopNothing) {
  // Every twentieth: five in any hundred.
  for (int i = 0; i < 400; ++i) {
    kms.Add({.id = std::to_string(1000 + i) + (i % 20 == 0 ? "bad" : "good")});
  }
  Journalize(MakeTestPlan());
  Deny("bad");
  const ChangeRecord record = Do(ApplyingAtMost({.first = {}, .max_failure_percent = 9}));
  EXPECT_FALSE(record.cancelled);
  EXPECT_EQ(record.Count(ChangeOutcome::kFailed), 20U);
  EXPECT_EQ(record.Count(ChangeOutcome::kDone), 380U);
}

TEST_F(ApplyBoundsTest, OfASmallRunTheShareIsOfItsKeys) {
  AddKeys("bad", 4);
  AddKeys("good", 4);
  Journalize(MakeTestPlan());
  Deny("bad");
  EXPECT_FALSE(Do(ApplyingAtMost({.first = {}, .max_failure_percent = 50})).cancelled);
  const ChangeRecord record = Do(ApplyingAtMost({.first = {}, .max_failure_percent = 50}));
  EXPECT_TRUE(record.cancelled);  // four of the four that are left
  EXPECT_THAT(record.notes[0], HasSubstr("3 of this run's 4 keys failed"));
}

TEST_F(ApplyBoundsTest, AtNoughtTheFirstFailureStopsARun) {
  AddKeys("a-bad", 1);
  AddKeys("good", 200);
  Journalize(MakeTestPlan());
  Deny("bad");
  const ChangeRecord record = Do(ApplyingAtMost({.first = {}, .max_failure_percent = 0}));
  EXPECT_TRUE(record.cancelled);
  EXPECT_EQ(record.Count(ChangeOutcome::kFailed), 1U);
  EXPECT_GE(record.Count(ChangeOutcome::kPending), 180U);
}

}  // namespace
}  // namespace keyturn::control
