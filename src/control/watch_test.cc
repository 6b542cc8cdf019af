// Watch: what is told and when, what is changed and what never, and what a restart remembers. Time
// stands still but for the port's waiting.
#include "control/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "client/scripted_http.h"

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kRegion = "eu-central-1";
constexpr const char* kPolicyHash = "abc";

KeyResult WatchedKey(const std::string& id, Verdict verdict) {
  KeyResult key;
  key.facts.account = "111122223333";
  key.facts.region = kRegion;
  key.facts.arn = "arn:aws:kms:eu-central-1:111122223333:key/" + id;
  key.judgement.verdict = key.judgement.raw_verdict = verdict;
  key.judgement.reason = "because";
  key.judgement.remediable = verdict == Verdict::kFail;
  return key;
}

AuditRun RunOf(std::vector<KeyResult> keys, RegionStatus status = RegionStatus::kScanned) {
  AuditRun run;
  run.run_id = "run";
  run.policy.sha256 = kPolicyHash;
  run.regions = {{"", "111122223333", kRegion, status, "", keys.size()}};
  run.keys = std::move(keys);
  run.totals = CountTotals(run.keys);
  return run;
}

class FakePort final : public WatchPort {
 public:
  explicit FakePort(ManualClock& clock) : clock_(clock) {}

  Result<WatchRules> Rules() override { return rules; }
  Result<AuditRun> Audit() override {
    times.push_back(clock_.Now());
    clock_.Advance(audit_takes);
    if (rules_after_audit) rules = *std::exchange(rules_after_audit, std::nullopt);
    if (runs.empty()) return Fail(ErrorCode::kNetwork, "nobody answers");
    Result<AuditRun> run = std::move(runs.front());
    runs.erase(runs.begin());
    return run;
  }
  Result<WatchedChanges> Apply(const AuditRun&, const std::set<std::string>& arns,
                               const std::string& journal) override {
    applied.push_back(arns);
    journals.push_back(journal);
    if (apply_fails) return Fail(ErrorCode::kNetwork, "broken off");
    return WatchedChanges{arns.size() - pending, 0, pending};
  }
  Result<WatchedChanges> Resume(const std::string& journal) override {
    resumed.push_back(journal);
    return WatchedChanges{1, 0, 0};
  }
  Status Send(const WatchEvent& event) override {
    attempts.push_back(clock_.Now());
    if (webhook_down) return Fail(ErrorCode::kNetwork, "status 503");
    sent.push_back(event.body);
    return {};
  }
  void WaitUntil(TimePoint when) override {
    ASSERT_GT(when, clock_.Now());
    clock_.Advance(when - clock_.Now());
    ++waits;
    stopping = stopping || waits == stop_at_wait;
    if (waits == webhook_up_at_wait) webhook_down = false;
  }
  bool IsStopping() const override { return stopping; }
  void Publish(const WatchStatus&, const AuditRun*) override {}
  void Tell(std::string_view what) override { told += std::string(what) + "\n"; }

  Result<WatchRules> rules = WatchRules{{}, kPolicyHash};
  std::optional<Result<WatchRules>> rules_after_audit;  // the file changes while an audit runs
  std::vector<Result<AuditRun>> runs;
  Millis audit_takes{1000};
  std::vector<TimePoint> times;
  std::vector<TimePoint> attempts;
  std::vector<std::string> sent;
  std::vector<std::set<std::string>> applied;
  std::vector<std::string> journals;
  std::vector<std::string> resumed;
  std::string told;
  std::uint64_t pending = 0;
  bool apply_fails = false;
  bool webhook_down = false;
  bool stopping = false;
  int waits = 0;
  int stop_at_wait = 0;
  int webhook_up_at_wait = 0;

 private:
  ManualClock& clock_;
};

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    directory_ = testing::TempDir() + "/keyturn-watch-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    options_.every = std::chrono::hours(6);
    options_.jitter = 0;
    options_.notify = true;
    options_.state_path = directory_ + "/state";
    options_.journal_directory = directory_;
  }
  ~WatchTest() override { std::filesystem::remove_all(directory_); }

  // Watch runs so often, from what is on disk.
  WatchStatus Watch(std::uint64_t runs) {
    options_.runs_max = runs;
    auto state = WatchState::Read(options_.state_path);
    EXPECT_TRUE(state.has_value());
    Watcher watcher(options_, *std::move(state), port_, clock_, random_);
    status_ = watcher.Run();
    return watcher.status();
  }
  void MayApply(int runs_min = 1) {
    bounds().apply = true;
    bounds().failing_runs_min = runs_min;
  }
  WatchBounds& bounds() { return port_.rules->bounds; }

  ManualClock clock_{*ParseIso8601("2026-11-24T00:00:00Z")};
  client::FixedRandom random_{0x80};
  FakePort port_{clock_};
  WatchOptions options_;
  Status status_;
  std::string directory_;
};

TEST_F(WatchTest, RunsAtOnceAndThenByTheClock) {
  for (int i = 0; i < 3; ++i) port_.runs.emplace_back(RunOf({}));
  options_.jitter = 0.5;  // the random source says half of it
  const WatchStatus status = Watch(3);
  ASSERT_TRUE(status_.has_value());
  ASSERT_THAT(port_.times, SizeIs(3));
  EXPECT_EQ(port_.times[0], *ParseIso8601("2026-11-24T00:00:00Z"));
  const auto between = port_.times[1] - port_.times[0];
  EXPECT_GT(between, std::chrono::hours(6) + std::chrono::minutes(89));
  EXPECT_LT(between, std::chrono::hours(6) + std::chrono::minutes(92));
  EXPECT_EQ(status.runs.at("compliant"), 3U);
  EXPECT_EQ(status.last_duration, Millis(1000));
}

TEST_F(WatchTest, ARunThatTakesLongerThanTheIntervalIsFollowedAtOnce) {
  for (int i = 0; i < 2; ++i) port_.runs.emplace_back(RunOf({}));
  port_.audit_takes = std::chrono::hours(7);
  Watch(2);
  EXPECT_EQ(port_.times[1] - port_.times[0], std::chrono::hours(7));
  EXPECT_EQ(port_.waits, 0);
}

TEST_F(WatchTest, TellsChangesAndOnlyThem) {
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail), WatchedKey("b", Verdict::kPass),
                                 WatchedKey("c", Verdict::kFail)}));
  port_.runs.emplace_back(
      RunOf({WatchedKey("a", Verdict::kFail), WatchedKey("b", Verdict::kFail),
             WatchedKey("new", Verdict::kFail), WatchedKey("fine", Verdict::kPass)}));
  const WatchStatus status = Watch(2);
  EXPECT_EQ(status.verdict_changes, 3U) << "b, the new key that fails, and c, which is gone";
  ASSERT_THAT(port_.sent, SizeIs(1));
  EXPECT_THAT(port_.sent[0], HasSubstr(R"("arn":"arn:aws:kms:eu-central-1:111122223333:key/b")"));
  EXPECT_THAT(port_.sent[0], HasSubstr(R"("before":"PASS","after":"FAIL")"));
  EXPECT_THAT(port_.sent[0], HasSubstr(R"("before":null,"after":"FAIL")"));
  EXPECT_THAT(port_.sent[0], HasSubstr(R"("before":"FAIL","after":null)"));
  EXPECT_THAT(port_.sent[0], Not(HasSubstr("key/a")));
  EXPECT_THAT(port_.sent[0], Not(HasSubstr("key/fine")));
}

TEST_F(WatchTest, ARegionThatIsNotScannedAndARunThatIsStoppedForgetNothing) {
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  port_.runs.emplace_back(RunOf({}, RegionStatus::kDenied));
  AuditRun stopped = RunOf({WatchedKey("a", Verdict::kUnknown)});
  stopped.cancelled = true;  // by its deadline
  port_.runs.emplace_back(stopped);
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  const WatchStatus status = Watch(4);
  EXPECT_EQ(status.verdict_changes, 0U);
  EXPECT_EQ(status.runs.at("incomplete"), 2U);
}

TEST_F(WatchTest, ARestartRepeatsNothing) {
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kPass)}));
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  Watch(2);
  ASSERT_THAT(port_.sent, SizeIs(1));
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.sent, SizeIs(1));
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kPass)}));
  Watch(1);
  EXPECT_THAT(port_.sent, SizeIs(2));
}

TEST_F(WatchTest, AnEventOutlivesAWebhookThatIsDownAndARestart) {
  port_.webhook_down = true;
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kPass)}));
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  EXPECT_EQ(Watch(2).events_pending, 1U);
  port_.attempts.clear();
  port_.webhook_up_at_wait = port_.waits + 4;
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  const WatchStatus status = Watch(2);
  ASSERT_THAT(port_.sent, SizeIs(1));
  EXPECT_EQ(status.events_delivered, 1U);
  ASSERT_THAT(port_.attempts, SizeIs(5));
  EXPECT_EQ(port_.attempts[2] - port_.attempts[1], std::chrono::seconds(2));
  EXPECT_EQ(port_.attempts[4] - port_.attempts[3], std::chrono::seconds(8));
}

TEST_F(WatchTest, WithoutBoundsNothingIsChanged) {
  port_.runs.emplace_back(RunOf({WatchedKey("a", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.applied, IsEmpty());
}

TEST_F(WatchTest, ChangesKeysThatHaveFailedLongEnoughAFewAtATime) {
  MayApply(2);
  bounds().keys_per_run_max = 2;
  bounds().keys_per_day_max = 3;
  KeyResult imported = WatchedKey("0-imported", Verdict::kFail);
  imported.judgement.remediable = false;
  KeyResult owned = WatchedKey("0-owned", Verdict::kFail);
  owned.facts.tags = {{"ManagedBy", "terraform"}};
  KeyResult unknown = WatchedKey("0-unknown", Verdict::kFail);
  unknown.facts.tags_failure = CallFailure{"ListResourceTags", "AccessDeniedException", "", {}};
  const auto run = RunOf({imported, owned, unknown, WatchedKey("1", Verdict::kFail),
                          WatchedKey("2", Verdict::kFail), WatchedKey("3", Verdict::kFail),
                          WatchedKey("4", Verdict::kFail)});
  for (int i = 0; i < 4; ++i) port_.runs.emplace_back(run);
  Watch(4);
  EXPECT_THAT(port_.told, HasSubstr("the tags of 1 failing key cannot be read"));
  ASSERT_THAT(port_.applied, SizeIs(2)) << "not in the first run, and no more than 3 a day";
  EXPECT_THAT(port_.applied[0], ElementsAre("arn:aws:kms:eu-central-1:111122223333:key/1",
                                            "arn:aws:kms:eu-central-1:111122223333:key/2"));
  EXPECT_THAT(port_.applied[1], SizeIs(1));
  clock_.Advance(std::chrono::hours(24));
  port_.runs.emplace_back(run);
  Watch(1);
  EXPECT_THAT(port_.applied, SizeIs(3));
}

TEST_F(WatchTest, ChangesNothingWhenTooManyFailOrAtTheWrongHour) {
  MayApply();
  bounds().failing_keys_max = 1;
  port_.runs.emplace_back(
      RunOf({WatchedKey("1", Verdict::kFail), WatchedKey("2", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.applied, IsEmpty());
  EXPECT_THAT(port_.told, HasSubstr("2 keys fail, more than 1: nothing is changed"));
  bounds().failing_keys_max = 10;
  bounds().from_hour = 2;
  bounds().to_hour = 4;
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.applied, IsEmpty());
}

TEST_F(WatchTest, ChangesThatWereInterruptedGoOnUnderTheSamePolicyOnly) {
  MayApply();
  port_.pending = 1;
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  ASSERT_THAT(port_.applied, SizeIs(1));
  port_.runs.emplace_back(RunOf({}));
  Watch(1);
  EXPECT_THAT(port_.resumed, ElementsAre(directory_ + "/run.journal"));
  port_.runs.emplace_back(RunOf({}));
  Watch(1);
  EXPECT_THAT(port_.resumed, SizeIs(1));
  port_.apply_fails = true;
  port_.runs.emplace_back(RunOf({WatchedKey("2", Verdict::kFail)}));
  Watch(1);
  port_.rules->policy_sha256 = "another";
  port_.runs.emplace_back(RunOf({}));
  Watch(1);
  EXPECT_THAT(port_.resumed, SizeIs(1));
  EXPECT_THAT(port_.told, HasSubstr("the policy or its exceptions are others now"));
}

TEST_F(WatchTest, ChangesThatWereInterruptedAreLeftWhenAnExceptionHasCome) {
  MayApply();
  port_.rules->exceptions_sha256 = "before";
  port_.pending = 1;
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  port_.rules->exceptions_sha256 = "after";
  port_.runs.emplace_back(RunOf({}));
  Watch(1);
  EXPECT_THAT(port_.resumed, IsEmpty());
  EXPECT_THAT(port_.told, HasSubstr("the policy or its exceptions are others now"));
}

TEST_F(WatchTest, ChangesThatWereInterruptedWaitForTheirHours) {
  MayApply();
  port_.pending = 1;
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  bounds().from_hour = 2;
  bounds().to_hour = 4;
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.resumed, IsEmpty());
  EXPECT_THAT(port_.told, HasSubstr("wait for the hours of the policy"));
  // The hours begin while an audit runs.
  port_.audit_takes = std::chrono::hours(3);
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.resumed, ElementsAre(directory_ + "/run.journal"));
  EXPECT_THAT(port_.applied, SizeIs(1));
}

TEST_F(WatchTest, NothingIsChangedByExceptionsOtherThanTheAudits) {
  MayApply();
  port_.rules_after_audit = port_.rules;
  port_.rules_after_audit->value().exceptions_sha256 = "after";
  port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
  Watch(1);
  EXPECT_THAT(port_.applied, IsEmpty());
}

TEST_F(WatchTest, WhatThePolicyTakesBackIsNotDoneAnyMore) {
  MayApply(2);
  const auto run = RunOf({WatchedKey("1", Verdict::kFail)});
  port_.runs.emplace_back(run);
  port_.runs.emplace_back(run);
  port_.rules_after_audit = WatchRules{{}, kPolicyHash};
  port_.rules_after_audit->value().bounds.failing_runs_min = 2;
  Watch(2);
  EXPECT_THAT(port_.applied, IsEmpty());
}

TEST_F(WatchTest, ChangesNothingByAPolicyOtherThanTheAudits) {
  MayApply();
  const Result<WatchRules> allowed = port_.rules;
  for (const Result<WatchRules>& meanwhile :
       {Result<WatchRules>(WatchRules{allowed->bounds, "another"}),
        Result<WatchRules>(Fail(ErrorCode::kUsage, "the file is gone"))}) {
    port_.rules = allowed;
    port_.rules_after_audit = meanwhile;
    port_.runs.emplace_back(RunOf({WatchedKey("1", Verdict::kFail)}));
    Watch(1);
    EXPECT_THAT(port_.applied, IsEmpty());
    EXPECT_THAT(port_.told, HasSubstr("the policy file or its exceptions were changed"));
    port_.told.clear();
  }
  // An audit that another policy has judged.
  port_.rules = allowed;
  AuditRun other = RunOf({WatchedKey("1", Verdict::kFail)});
  other.policy.sha256 = "another";
  port_.runs.emplace_back(other);
  Watch(1);
  EXPECT_THAT(port_.applied, IsEmpty());
}

TEST_F(WatchTest, APolicyThatCannotBeReadStopsTheAuditsUntilItCan) {
  port_.runs.emplace_back(RunOf({}));
  port_.rules_after_audit = Fail(ErrorCode::kUsage, "policy.yaml:3: 'watch' must be a map");
  EXPECT_EQ(Watch(3).runs.at("failed"), 2U);
  EXPECT_THAT(port_.times, SizeIs(1));
  EXPECT_THAT(port_.told, HasSubstr("policy.yaml:3: 'watch' must be a map"));
  port_.rules = WatchRules{{}, kPolicyHash};
  port_.runs.emplace_back(RunOf({}));
  EXPECT_EQ(Watch(1).runs.at("compliant"), 1U);
  port_.rules = Fail(ErrorCode::kUsage, "no such file");
  Watch(1);
  EXPECT_EQ(status_.error().message, "no such file") << "at the start it is the user's mistake";
}

TEST_F(WatchTest, AFailedAuditIsToldAndWatchingGoesOn) {
  port_.runs.emplace_back(Fail(ErrorCode::kNetwork, "no route"));
  port_.runs.emplace_back(RunOf({}));
  EXPECT_EQ(Watch(2).runs.at("failed"), 1U);
  EXPECT_THAT(port_.told, HasSubstr("the audit failed: no route"));
  port_.runs.emplace_back(Fail(ErrorCode::kUsage, "no such profile"));
  Watch(1);
  EXPECT_EQ(status_.error().message, "no such profile") << "that will not get better by itself";
}

TEST_F(WatchTest, StopsWhileItWaits) {
  port_.runs.emplace_back(RunOf({}));
  port_.stop_at_wait = 1;
  Watch(0);
  EXPECT_TRUE(status_.has_value());
  EXPECT_THAT(port_.times, SizeIs(1));
}

TEST(WatchStateTest, IsReadAsItWasWrittenAndDamageIsTold) {
  WatchState state;
  state.Observe(RunOf({WatchedKey("a", Verdict::kFail), WatchedKey("b", Verdict::kPass)}));
  state.AddEvent({"id-1", R"({"a":1})"});
  state.AddChanges({*ParseIso8601("2026-11-24T00:00:00Z"), 3});
  state.open_journal = "/x/run.journal";
  state.open_exceptions_sha256 = "e";
  const std::string text = state.Text();
  const auto again = WatchState::Parse(text, "state");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->Text(), text);
  EXPECT_EQ(again->keys(), 2U);
  EXPECT_EQ(again->ChangedSince(*ParseIso8601("2026-11-23T00:00:00Z")), 3U);
  EXPECT_EQ(again->ChangedSince(*ParseIso8601("2026-11-24T00:00:00Z")), 0U);
  std::string damaged = text;
  damaged[damaged.rfind("PASS")] = 'B';
  EXPECT_THAT(WatchState::Parse(damaged, "state").error().message,
              HasSubstr("state: is damaged (its checksum is wrong); remove it to begin anew"));
  EXPECT_EQ(WatchState::Parse("{}", "state").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace keyturn::control
