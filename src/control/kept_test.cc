// What audits keep in files: facts that never change, and how far a stopped run has come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/audit.h"
#include "control/audit_state.h"
#include "control/facts_cache.h"
#include "control/fake_kms.h"

namespace keyturn::control {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class KeptTest : public testing::Test, protected KmsBench {
 protected:
  KeptTest() {
    std::string name = testing::TempDir() + "keyturn-kept-XXXXXX";
    directory_ = mkdtemp(name.data());
    options.tool_version = "test";
  }
  ~KeptTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const char* name) const { return directory_ + "/" + name; }
  static std::string Content(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  Result<AuditRun> TryAudit() {
    Reconnect();
    kms.calls.clear();
    Target target;
    target.endpoint_url = kUrl;
    target.regions = {"eu-central-1"};
    SingleAccess access(*client);
    return RunAudit(access, {target}, options, {}, clock, random, monitor);
  }
  AuditRun Audit() {
    auto run = TryAudit();
    EXPECT_TRUE(run.has_value()) << run.error().message;
    return run ? *std::move(run) : AuditRun{};
  }
  static std::map<std::string, std::string> Verdicts(const AuditRun& run) {
    std::map<std::string, std::string> verdicts;
    for (const KeyResult& key : run.keys) {
      verdicts[key.facts.key_id] = VerdictName(key.judgement.verdict);
    }
    return verdicts;
  }
  void AddSeveralKinds() {
    kms.Add({.id = "on", .enabled = true});
    kms.Add({.id = "off"});
    kms.Add({.id = "rsa", .spec = "RSA_2048"});
    kms.Add({.id = "hsm", .origin = "AWS_CLOUDHSM"});
    kms.Add({.id = "imported", .origin = "EXTERNAL"});
    kms.Add({.id = "aws", .manager = "AWS"});
  }

  std::string directory_;
  AuditOptions options;
  Monitor monitor;
};

// --- Cache --------------------------------------------------------------------------------------

TEST_F(KeptTest, KindsThatNeverRotateAreNotAskedAboutAgain) {
  AddSeveralKinds();
  options.cache_path = Path("cache");
  const AuditRun first = Audit();
  EXPECT_EQ(kms.Count("DescribeKey"), 6U);
  const AuditRun second = Audit();
  EXPECT_EQ(Verdicts(second), Verdicts(first));
  EXPECT_EQ(kms.Count("DescribeKey"), 3U);
  for (const char* id : {"rsa", "hsm", "aws"}) EXPECT_EQ(kms.Count("DescribeKey", id), 0U) << id;
  EXPECT_THAT(second.notes, IsEmpty());
}

TEST_F(KeptTest, StateIsReadEachTime) {
  AddSeveralKinds();
  options.cache_path = Path("cache");
  Audit();
  kms.Find("on", "eu-central-1").state = "PendingDeletion";
  kms.Find("off", "eu-central-1").state = "Disabled";
  const auto verdicts = Verdicts(Audit());
  EXPECT_EQ(verdicts.at("on"), "SKIPPED");
  EXPECT_EQ(verdicts.at("off"), "SKIPPED");
}

TEST_F(KeptTest, KeysThatAreGoneAreForgotten) {
  AddSeveralKinds();
  options.cache_path = Path("cache");
  Audit();
  EXPECT_EQ(FactsCache::Read(Path("cache"))->size(), 6U);
  kms.keys.pop_front();
  Audit();
  EXPECT_EQ(FactsCache::Read(Path("cache"))->size(), 5U);
  // A listing that failed proves nothing.
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "ListKeys") return FakeKms::Denied(call);
    return std::nullopt;
  };
  Audit();
  EXPECT_EQ(FactsCache::Read(Path("cache"))->size(), 5U);
}

TEST_F(KeptTest, ADamagedCacheIsMadeAnewAndSaysSo) {
  AddSeveralKinds();
  options.cache_path = Path("cache");
  const auto verdicts = Verdicts(Audit());
  std::string text = Content(Path("cache"));
  // A hostile or broken cache must not be able to hide a key: "off" as a kind that never rotates.
  const auto at = text.find("SYMMETRIC_DEFAULT");
  text.replace(at, 17, "RSA_2048_________");
  std::ofstream(Path("cache")) << text;
  const AuditRun run = Audit();
  EXPECT_EQ(Verdicts(run), verdicts);
  EXPECT_THAT(run.notes, Contains(HasSubstr("is damaged (its checksum is wrong)")));
  EXPECT_EQ(kms.Count("DescribeKey"), 6U);
  EXPECT_THAT(Audit().notes, IsEmpty());
}

TEST_F(KeptTest, AFileThatIsNoCacheIsLeftAlone) {
  options.cache_path = Path("notes.txt");
  std::ofstream(Path("notes.txt")) << "do not lose this\n";
  const auto run = TryAudit();
  ASSERT_FALSE(run.has_value());
  EXPECT_THAT(run.error().message, HasSubstr("notes.txt: is no cache of keyturn"));
  EXPECT_EQ(Content(Path("notes.txt")), "do not lose this\n");
  EXPECT_THAT(kms.calls, IsEmpty());
}

TEST_F(KeptTest, ACacheThatCannotBeWrittenSpoilsNothing) {
  AddSeveralKinds();
  options.cache_path = Path("missing/cache");
  const AuditRun run = Audit();
  EXPECT_EQ(run.totals.listed, 6U);
  EXPECT_THAT(run.notes, Contains(HasSubstr("the cache is not kept")));
}

// --- State --------------------------------------------------------------------------------------

TEST_F(KeptTest, AStoppedAuditGoesOnWhereItWas) {
  for (int i = 0; i < 900; ++i) kms.Add({.enabled = i % 3 == 0});
  options.state_path = Path("state");
  std::atomic<bool> stop{false};
  monitor.cancelled = &stop;
  int described = 0;
  kms.intercept = [&](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "DescribeKey" && ++described == 500) stop = true;
    return std::nullopt;
  };
  const AuditRun first = Audit();
  EXPECT_TRUE(first.cancelled);
  EXPECT_THAT(first.notes, Contains(HasSubstr("the same command goes on from")));
  stop = false;
  kms.intercept = nullptr;
  clock.Advance(std::chrono::hours(2));
  const AuditRun second = Audit();
  EXPECT_LT(kms.Count("DescribeKey"), 700U);
  EXPECT_THAT(second.notes, Contains(HasSubstr("goes on with")));
  EXPECT_EQ(second.started, first.started) << "some facts are of then";
  EXPECT_EQ(second.totals.by_verdict.at(Verdict::kPass), 300U);
  EXPECT_EQ(second.totals.by_verdict.at(Verdict::kFail), 600U);
  EXPECT_FALSE(std::filesystem::exists(Path("state")));
  EXPECT_EQ(Verdicts(Audit()), Verdicts(second)) << "as in one go";
}

TEST_F(KeptTest, WhatFailedIsReadAgain) {
  kms.Add({.id = "denied"});
  kms.Add({.id = "good"});
  options.state_path = Path("state");
  std::atomic<bool> stop{false};
  monitor.cancelled = &stop;
  kms.intercept = [&](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.key == "denied" && call.operation == "DescribeKey") return FakeKms::Denied(call);
    if (call.operation == "GetKeyRotationStatus") stop = true;
    return std::nullopt;
  };
  Audit();
  stop = false;
  kms.intercept = nullptr;
  EXPECT_EQ(Verdicts(Audit()).at("denied"), "FAIL");
  EXPECT_EQ(kms.Count("DescribeKey", "denied"), 1U);
}

TEST_F(KeptTest, ATornLastLineOfAStateIsDroppedAndDamageIsRefused) {
  KeyFacts facts;
  facts.arn = "arn:aws:kms:eu-central-1:111122223333:key/a";
  facts.key_id = "a";
  facts.key_manager = "CUSTOMER";
  {
    auto state = AuditState::Open(Path("state"), clock);
    ASSERT_TRUE(state.has_value());
    (*state)->Note(facts);
    ASSERT_TRUE((*state)->Flush().has_value());
    EXPECT_EQ(AuditState::Open(Path("state"), clock).error().code, ErrorCode::kLocked);
  }
  const std::string whole = Content(Path("state"));
  std::ofstream(Path("state")) << whole << "{\"arn\":\"arn:a";
  EXPECT_EQ((*AuditState::Open(Path("state"), clock))->known(), 1U);
  EXPECT_EQ(Content(Path("state")), whole);
  std::ofstream(Path("state")) << whole << "{}\n";
  const auto damaged = AuditState::Open(Path("state"), clock);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_THAT(damaged.error().message, HasSubstr("line 3: member 'arn' is missing or wrong"));
}

TEST_F(KeptTest, AStateOfYesterdayAndOtherFilesAreRefused) {
  ASSERT_TRUE(AuditState::Open(Path("state"), clock).has_value());
  clock.Advance(std::chrono::hours(25));
  const auto old = AuditState::Open(Path("state"), clock);
  ASSERT_FALSE(old.has_value());
  EXPECT_THAT(old.error().message, HasSubstr("more than a day ago; remove it to begin anew"));
  std::ofstream(Path("notes.txt")) << "do not lose this\n";
  const auto other = AuditState::Open(Path("notes.txt"), clock);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::kUsage);
  EXPECT_EQ(Content(Path("notes.txt")), "do not lose this\n");
}

}  // namespace
}  // namespace keyturn::control
