// Evidence: what is recorded, and what a bundle proves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/apply.h"
#include "control/plan.h"
#include "report/evidence_bench.h"

namespace keyturn::control {

fs::path SigningFile(const std::string& name) {
  return fs::path(KEYTURN_SOURCE_DIR) / "tests/data/signing" / name;
}

namespace {

using testing::HasSubstr;

TEST_F(EvidenceTest, ABundleProvesItsVerdicts) {
  AddKeys();
  const AuditRun run = Record();
  const auto checked = VerifyEvidence(dir_.string(), Auditor(), clock.Now());
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(report::RenderTable(*checked->run, {}), report::RenderTable(run, {}));
  EXPECT_TRUE(checked->is_signed);
  ASSERT_EQ(checked->signatures.size(), 1U);
  EXPECT_THAT(checked->signatures[0], HasSubstr("auditor@example.com"));
  for (const auto& entry : fs::directory_iterator(dir_)) {
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << entry.path();
  }
  EXPECT_EQ(fs::status(dir_).permissions(), fs::perms::owner_all);
}

TEST_F(EvidenceTest, NoSecretIsInIt) {
  AddKeys();
  kms.intercept = [](const FakeCall&) -> std::optional<FakeKms::Reply> {
    http::ClientResponse response{400,
                                  {{"x-amzn-requestid", "r"},
                                   {"set-cookie", "SESSIONTOKEN"},
                                   {"x-amz-security-token", "SESSIONTOKEN"}},
                                  R"({"__type":"AccessDeniedException"})"};
    return FakeKms::Reply(std::move(response));
  };
  Record();
  std::string all;
  for (const auto& entry : fs::directory_iterator(dir_)) all += ReadText(entry.path());
  for (const char* secret : {"SESSIONTOKEN", "AWS4-HMAC", "Credential=", "Authorization", "AKID"}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

TEST_F(EvidenceTest, TroubleIsRecordedAndJudgedTheSame) {
  AddKeys();
  kms.Add({.id = "mrk", .enabled = true, .primary_region = "eu-central-1"});
  kms.Add({.id = "mrk", .region = "us-east-1", .primary_region = "eu-central-1"});
  kms.Add({.id = "denied"});
  kms.page_size = 2;
  int throttles = 3;
  int drops = 2;
  kms.intercept = [&](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "DescribeKey" && throttles-- > 0) {
      return FakeKms::Error("ThrottlingException");
    }
    if (call.operation == "GetKeyRotationStatus" && drops-- > 0) {
      return FakeKms::Reply(Fail(ErrorCode::kNetwork, "connection reset"));
    }
    if (call.key == "denied") return FakeKms::Denied(call);
    if (call.region == "sa-east-1") return FakeKms::Error("UnrecognizedClientException");
    return std::nullopt;
  };
  const AuditRun run = Record({TargetOf({"eu-central-1", "us-east-1", "sa-east-1"})});
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kUnknown), 1U);
  EXPECT_EQ(Verdict(), "ok");
  EXPECT_THAT(Text(kRecordsFile), HasSubstr("\"outcome\":\"retried\""));
  EXPECT_THAT(Text(kRecordsFile), HasSubstr("connection reset"));
}

TEST_F(EvidenceTest, ExceptionsByTagAreJudgedAgain) {
  kms.Add({.id = "off", .tags = {{"team", "legacy"}}});
  kms.Add({.id = "bad"});
  const std::string exceptions =
      "version: 1\nexceptions:\n  - id: one\n    match:\n      tag:\n        key: team\n        "
      "value: legacy\n    owner: a\n    approver: b\n    ticket: T\n    reason: r\n    expires: "
      "2099-01-01\n";
  ASSERT_TRUE(ParseExceptions(exceptions, "x")) << ParseExceptions(exceptions, "x").error().message;
  const AuditRun run = Record({TargetOf()}, true, exceptions);
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kExcepted), 1U);
  EXPECT_EQ(Verdict(), "ok");
}

TEST_F(EvidenceTest, ACancelledRunIsEvidenceOfWhatItReached) {
  for (int i = 0; i < 40; ++i) kms.Add({.id = "k" + std::to_string(100 + i)});
  std::atomic<bool> cancelled{false};
  kms.intercept = [&](const FakeCall&) -> std::optional<FakeKms::Reply> {
    if (kms.calls.size() == 20) cancelled = true;
    return std::nullopt;
  };
  Monitor monitor;
  monitor.cancelled = &cancelled;
  const AuditRun run = Record({TargetOf()}, true, {}, monitor);
  EXPECT_TRUE(run.cancelled);
  EXPECT_EQ(Verdict(), "ok");
  EXPECT_TRUE(VerifyEvidence(dir_.string(), {}, clock.Now())->cancelled);
}

TEST_F(EvidenceTest, ARunThatIsStoppedBeforeItReadsTagsIsEvidence) {
  for (int i = 0; i < 5; ++i) {
    kms.Add({.id = "k" + std::to_string(i), .tags = {{"team", "legacy"}}});
  }
  std::atomic<bool> cancelled{false};
  kms.intercept = [&](const FakeCall&) -> std::optional<FakeKms::Reply> {
    cancelled = cancelled || kms.Count("GetKeyRotationStatus") == 3;
    return std::nullopt;
  };
  Monitor monitor;
  monitor.cancelled = &cancelled;
  const std::string exceptions =
      "version: 1\nexceptions:\n  - id: one\n    match:\n      tag:\n        key: team\n        "
      "value: legacy\n    owner: a\n    approver: b\n    ticket: T\n    reason: r\n    expires: "
      "2099-01-01\n";
  const AuditRun run = Record({TargetOf()}, true, exceptions, monitor);
  EXPECT_TRUE(run.cancelled);
  EXPECT_EQ(run.totals.by_verdict.at(Verdict::kUnknown), 5U);
  EXPECT_EQ(Verdict(), "ok");
}

TEST_F(EvidenceTest, ATargetThatIsClosedIsRecorded) {
  AddKeys();
  Target closed = TargetOf();
  closed.account = "444455556666";
  closed.closed = Target::Closed{RegionStatus::kError, "the account is suspended"};
  Record({TargetOf(), closed});
  EXPECT_EQ(Verdict(), "ok");
}

TEST_F(EvidenceTest, ARunThatDidNotFinishSaysSo) {
  AddKeys();
  {
    auto recorder = Recorder();
    SingleAccess single(*client);
    RecordingAccess access(single, *recorder);
    AuditOptions options;
    options.run_id = kRunId;
    ASSERT_TRUE(RunAudit(access, {TargetOf()}, options, {}, clock, random, {}));
  }
  const auto checked = VerifyEvidence(dir_.string(), {}, clock.Now());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(checked.error().message, HasSubstr("did not finish"));
  EXPECT_THAT(checked.error().message, HasSubstr("whole records are chained"));
}

TEST_F(EvidenceTest, NoTwoRunsGetMixed) {
  Record();
  const auto again = EvidenceRecorder::Create({.directory = dir_.string(),
                                               .run_id = kRunId,
                                               .command = "audit",
                                               .tool_version = "test",
                                               .arguments = {}},
                                              clock);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kUsage);
  const auto nowhere = EvidenceRecorder::Create({.directory = "/dev/null/x",
                                                 .run_id = kRunId,
                                                 .command = "audit",
                                                 .tool_version = "test",
                                                 .arguments = {}},
                                                clock);
  ASSERT_FALSE(nowhere);
}

// FaultySink fails one of its operations.
class FaultySink final : public EvidenceSink {
 public:
  FaultySink(int appends, int syncs) : appends_(appends), syncs_(syncs) {}
  Status Append(std::string_view) override {
    return appends_-- == 0 ? Status(Fail(ErrorCode::kNoSpace, "records: no space left")) : Status();
  }
  Status Sync() override {
    return syncs_-- == 0 ? Status(Fail(ErrorCode::kIo, "records: cannot flush")) : Status();
  }

 private:
  int appends_;
  int syncs_;
};

TEST_F(EvidenceTest, ARunThatCannotBeRecordedStops) {
  for (int i = 0; i < 300; ++i) kms.Add({.id = "k" + std::to_string(1000 + i)});
  for (const int at : {0, 1, 2, 3, 10, 100}) {
    Reconnect();
    kms.calls.clear();
    auto recorder = EvidenceRecorder::CreateWith({.directory = dir_.string(),
                                                  .run_id = kRunId,
                                                  .command = "audit",
                                                  .tool_version = "test",
                                                  .arguments = {}},
                                                 clock, std::make_unique<FaultySink>(at, -1));
    if (at == 0) {
      ASSERT_FALSE(recorder);
      EXPECT_EQ(recorder.error().code, ErrorCode::kNoSpace);
      continue;
    }
    ASSERT_TRUE(recorder);
    SingleAccess single(*client);
    RecordingAccess access(single, **recorder);
    AuditOptions options;
    options.run_id = kRunId;
    ASSERT_TRUE(RunAudit(access, {TargetOf()}, options, {}, clock, random, {}));
    EXPECT_TRUE((*recorder)->failed()) << at;
    // What was under way ends; nothing like the 600 calls of the whole run is made.
    EXPECT_LT(kms.calls.size(), static_cast<std::size_t>(at) + 40) << at;
    const Status done = (*recorder)->Finish({}, {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kNoSpace);
  }
}

TEST_F(EvidenceTest, AFailedFlushIsAnError) {
  AddKeys();
  for (const int at : {0, 1}) {
    Reconnect();
    auto recorder = EvidenceRecorder::CreateWith({.directory = dir_.string(),
                                                  .run_id = kRunId,
                                                  .command = "audit",
                                                  .tool_version = "test",
                                                  .arguments = {}},
                                                 clock, std::make_unique<FaultySink>(-1, at));
    ASSERT_TRUE(recorder);
    SingleAccess single(*client);
    RecordingAccess access(single, **recorder);
    AuditOptions options;
    options.run_id = kRunId;
    ASSERT_TRUE(RunAudit(access, {TargetOf()}, options, {}, clock, random, {}));
    clock.Advance(Millis(1500));
    (*recorder)->AddTarget(TargetOf({"us-east-1"}));
    const Status done = (*recorder)->Finish({}, {});
    ASSERT_FALSE(done) << at;
    EXPECT_EQ(done.error().code, ErrorCode::kIo);
    EXPECT_FALSE(fs::exists(dir_ / kManifestFile));
  }
}

TEST_F(EvidenceTest, AnUnwritableDirectoryLeavesNoManifest) {
  auto recorder = Recorder();
  ASSERT_NE(recorder, nullptr);
  fs::remove_all(dir_);
  const Status done =
      recorder->Finish({.cancelled = false, .policy = {}, .files = {{"x", "y"}}}, {});
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace keyturn::control
