// The control's commands over an engine that answers from memory: what is checked first, what is
// asked, what is printed, and which exit code ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/control_engine.h"

namespace keyturn::cli {
namespace {

using report::ChangeReport;
using report::Outcome;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ChangeReport Changes(report::ChangeKind kind, std::vector<Outcome> outcomes) {
  ChangeReport report;
  report.kind = kind;
  for (const Outcome outcome : outcomes) {
    report.lines.push_back({.arn = "arn:aws:kms:us-east-1:111122223333:key/k",
                            .region = "us-east-1",
                            .before = "off",
                            .after = "on",
                            .outcome = outcome,
                            .detail = {},
                            .request_id = {}});
  }
  return report;
}

// MemoryEngine records which calls were made.
class MemoryEngine final : public ControlEngine {
 public:
  Result<control::AuditRun> Audit(const ConnectionFlags& connection, const PolicyFlags&,
                                  const std::string&, const RecordFlags&, const Watch&) override {
    calls.push_back("audit");
    regions = connection.regions;
    return audit;
  }
  Result<std::optional<control::PolicyFile>> PolicyOf(const PolicyFlags&) override {
    return std::optional<control::PolicyFile>();
  }
  Status PlanFor(const control::AuditRun&, const PlanFlags&,
                 const std::set<std::string>&) override {
    return {};
  }
  Result<std::string> ExceptionsPathOf(const PolicyFlags& policy) override {
    return policy.exceptions_path;
  }
  Result<std::vector<report::ExceptionEntry>> ReadExceptions(const std::string& path) override {
    return Fail(ErrorCode::kUsage, path + ":3: expiry is missing");
  }
  Result<std::vector<ChangeReport>> ReadJournal(const std::string&) override {
    return std::vector<ChangeReport>{Changes(report::ChangeKind::kApply, {Outcome::kDone})};
  }
  Result<control::PreflightRun> Preflight(const PreflightFlags&, const Watch&) override {
    calls.push_back("preflight");
    return preflight;
  }
  Result<PlanView> MakePlan(const PlanFlags&, const Watch&) override {
    calls.push_back("plan");
    return plan;
  }
  Result<PlanView> ReadPlan(const std::string&) override { return plan; }
  Result<ChangeReport> Apply(const ApplyFlags& flags, const Watch&) override {
    calls.push_back(flags.resume ? "resume" : "apply");
    return done;
  }
  Result<ChangeReport> Verify(const VerifyFlags&, const Watch&) override { return done; }
  Result<PlanView> PreviewBackout(const BackoutFlags&) override { return plan; }
  Result<ChangeReport> Backout(const BackoutFlags& flags, const Watch&) override {
    calls.push_back("backout: " + flags.reason);
    return done;
  }

  Result<control::AuditRun> audit;
  Result<control::PreflightRun> preflight;
  Result<PlanView> plan;
  Result<ChangeReport> done;
  std::vector<std::string> calls;
  std::vector<std::string> regions;
};

std::shared_ptr<MemoryEngine> engine;

void AddWithMemoryEngine(CLI::App& app, Invocation& invocation) {
  AddControlCommandsWith([] { return engine; }, app, invocation);
}

struct Ended {
  int code = 0;
  std::string out;
  std::string err;
};

class ControlCommands : public testing::Test {
 protected:
  void SetUp() override {
    engine = std::make_shared<MemoryEngine>();
    std::string name = testing::TempDir() + "/commandsXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const char* name) const { return directory_ + "/" + name; }

  static Ended Keyturn(std::vector<std::string> words) {
    std::vector<const char*> argv = {"keyturn"};
    for (const auto& word : words) {
      argv.push_back(word.c_str());
    }
    constexpr std::array<AddCommands, 1> kGroups = {AddWithMemoryEngine};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Ended ended;
    ended.code = RunProgram(static_cast<int>(argv.size()), argv.data(), kGroups);
    ended.out = testing::internal::GetCapturedStdout();
    ended.err = testing::internal::GetCapturedStderr();
    return ended;
  }

  std::string directory_;
};

TEST_F(ControlCommands, AWrongCommandLineCallsNothing) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"audit", "--bogus"},
                                             {"audit", "extra"},
                                             {"audit", "--max-period", "89"},
                                             {"audit", "--max-period", "2561"},
                                             {"audit", "--max-period", "soon"},
                                             {"audit", "--quota-share", "0"},
                                             {"audit", "--format"},
                                             {"audit", "--format", "yaml"},
                                             {"audit", "--out", Path("report.pdf")},
                                             {"audit", "--out", Path("missing/report.html")},
                                             {"audit", "--exceptions", "e.yaml"},
                                             {"audit", "--accounts", "111122223333"},
                                             {"audit", "--accounts", "1", "--role-name", "R"},
                                             {"audit", "--organization"},
                                             {"audit", "--region", "a", "--regions", "b"},
                                             {"audit", "--regions", "all,us-east-1"},
                                             {"audit", "--targets", "t", "--profile", "p"},
                                             {"audit", "--targets", "t", "--region", "r"},
                                             {"audit", "--role-arn", "a", "--role-name", "b"},
                                             {"audit", "--role-name", "a b"},
                                             {"audit", "--external-id", "x"},
                                             {"audit", "--deadline", "soon"},
                                             {"audit", "--deadline", "0h"},
                                             {"audit", "--progress", "loud"},
                                             {"apply", "p", "--journal", "j", "--external-id", "x"},
                                             {"plan"},
                                             {"plan", "--out", Path("missing/p")},
                                             {"apply"},
                                             {"apply", "p"},
                                             {"apply", "--journal", Path("j")},
                                             {"apply", "p", "--resume", "--journal", Path("j")},
                                             {"apply", "--resume", "--journal=j", "--policy", "p"},
                                             {"verify"},
                                             {"backout", "--journal", "j"},
                                             {"backout", "--journal", "j", "--reason", ""},
                                             {"backout", "--journal", "j", "--reason", "  "}}) {
    const Ended ended = Keyturn(words);
    EXPECT_EQ(ended.code, control::kExitUsage) << words.back();
    EXPECT_THAT(ended.out, IsEmpty());
    EXPECT_THAT(ended.err, testing::StartsWith("keyturn: " + words.front() + ": "));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    EXPECT_THAT(engine->calls, IsEmpty());
  }
}

TEST_F(ControlCommands, HelpOfEachHasAnExample) {
  for (const char* command : {"audit", "plan", "apply", "verify", "backout"}) {
    const Ended ended = Keyturn({command, "--help"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, HasSubstr(std::string("\n  keyturn ") + command));
    std::size_t start = 0;
    while (start < ended.out.size()) {
      const std::size_t end = ended.out.find('\n', start);
      EXPECT_LE(end - start, 100U) << ended.out.substr(start, end - start);
      start = end + 1;
    }
  }
}

TEST_F(ControlCommands, AuditWritesEveryReportAndTheTable) {
  engine->audit = control::AuditRun{};
  const Ended ended =
      Keyturn({"audit", "--region", "us-east-1,eu-central-1", "--region", "eu-west-1", "--out",
               Path("r.html"), "--out", Path("r.json"), "--journal", "j"});
  EXPECT_EQ(ended.code, control::AuditExitCode(*engine->audit));
  EXPECT_THAT(ended.out, HasSubstr("KMS key rotation"));
  EXPECT_THAT(engine->regions, testing::ElementsAre("us-east-1", "eu-central-1", "eu-west-1"));
  std::ifstream file(Path("r.html"));
  const std::string html{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(html.find("What was changed"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(Path("r.json")));
}

TEST_F(ControlCommands, AnAuditThatCannotRunIsOneLine) {
  engine->audit = Fail(ErrorCode::kUsage, "no region is given");
  const Ended ended = Keyturn({"audit"});
  EXPECT_EQ(ended.code, control::kExitUsage);
  EXPECT_EQ(ended.err, "keyturn: audit: no region is given\n");
  EXPECT_THAT(ended.out, IsEmpty());
}

TEST_F(ControlCommands, PlanSaysHowToGoOn) {
  engine->plan = PlanView{Changes(report::ChangeKind::kPlan, {Outcome::kPending}), false};
  const Ended ended = Keyturn({"plan", "--out", Path("p")});
  EXPECT_EQ(ended.code, control::kExitCompliant);
  EXPECT_THAT(ended.out, HasSubstr("1 key would change."));
  EXPECT_THAT(ended.out, HasSubstr("keyturn apply " + Path("p")));
}

TEST_F(ControlCommands, AnIncompletePlanIsNoSuccess) {
  engine->plan = PlanView{Changes(report::ChangeKind::kPlan, {}), true};
  const Ended ended = Keyturn({"plan", "--out", Path("p")});
  EXPECT_EQ(ended.code, control::kExitIncomplete);
  EXPECT_THAT(ended.out, Not(HasSubstr("keyturn apply")));
}

TEST_F(ControlCommands, ApplyWithoutATerminalNeedsApproval) {
  if (isatty(STDIN_FILENO) == 1) {
    ASSERT_NE(std::freopen("/dev/null", "r", stdin), nullptr);
  }
  engine->plan = PlanView{Changes(report::ChangeKind::kPlan, {Outcome::kPending}), false};
  const Ended ended = Keyturn({"apply", "p", "--journal", Path("j")});
  EXPECT_EQ(ended.code, control::kExitUsage);
  EXPECT_THAT(ended.err, HasSubstr("--auto-approve"));
  EXPECT_THAT(engine->calls, IsEmpty());
}

TEST_F(ControlCommands, ApplyEndsAsItsWorstKey) {
  engine->plan = PlanView{Changes(report::ChangeKind::kPlan, {Outcome::kPending}), false};
  const std::vector<std::pair<std::vector<Outcome>, int>> cases = {
      {{}, control::kExitCompliant},
      {{Outcome::kDone, Outcome::kUnchanged}, control::kExitCompliant},
      {{Outcome::kDone, Outcome::kPending}, control::kExitIncomplete},
      {{Outcome::kDone, Outcome::kRefused}, control::kExitChangeFailed},
      {{Outcome::kFailed, Outcome::kPending}, control::kExitChangeFailed}};
  for (const auto& [outcomes, code] : cases) {
    engine->done = Changes(report::ChangeKind::kApply, outcomes);
    EXPECT_EQ(Keyturn({"apply", "p", "--journal", Path("j"), "--auto-approve"}).code, code);
    EXPECT_EQ(Keyturn({"verify", "--journal", Path("j")}).code, code);
  }
}

TEST_F(ControlCommands, ResumeNeedsNoPlanAndNoQuestion) {
  engine->done = Changes(report::ChangeKind::kApply, {Outcome::kDone});
  EXPECT_EQ(Keyturn({"apply", "--resume", "--journal", Path("j")}).code, 0);
  EXPECT_THAT(engine->calls, testing::ElementsAre("resume"));
}

TEST_F(ControlCommands, BackoutHandsOverTheReason) {
  if (isatty(STDIN_FILENO) == 1) {
    ASSERT_NE(std::freopen("/dev/null", "r", stdin), nullptr);
  }
  engine->done = Changes(report::ChangeKind::kBackout, {Outcome::kDone});
  const Ended ended =
      Keyturn({"backout", "--journal", "j", "--reason", "OPS-77", "--format", "json"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(engine->calls, testing::ElementsAre("backout: OPS-77"));
  EXPECT_THAT(ended.out, HasSubstr("\"kind\": \"backout\""));
}

}  // namespace
}  // namespace keyturn::cli
