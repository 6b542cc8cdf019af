// ChangeTest: an audit, a plan of it and its journal over a FakeKms, for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "control/apply.h"
#include "control/audit.h"
#include "control/fake_kms.h"

namespace keyturn::control {

class ChangeTest : public testing::Test, protected KmsBench {
 protected:
  ChangeTest() {
    std::string name = testing::TempDir() + "keyturn-change-XXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ + "/rotation.journal";
  }
  ~ChangeTest() override { std::filesystem::remove_all(directory_); }

  AuditRun Audit(int max_period = 365, const ExceptionList& exceptions = {}) {
    AuditOptions options;
    options.policy.max_period_days = max_period;
    options.tool_version = "test";
    Target target;
    target.endpoint_url = kUrl;
    target.regions = {"eu-central-1", "us-east-1"};
    SingleAccess access(*client);
    return *RunAudit(access, {target}, options, exceptions, clock, random, monitor_);
  }
  Plan MakeTestPlan(int max_period = 365, const ExceptionList& exceptions = {}) {
    auto plan =
        MakePlan(Audit(max_period, exceptions),
                 {.quota_share = 0.3, .exceptions_sha256 = {}, .period_days = std::nullopt});
    EXPECT_TRUE(plan.has_value());
    return *std::move(plan);
  }
  void Journalize(const Plan& plan) {
    auto sink = CreateJournal(path_, plan, clock, "test");
    ASSERT_TRUE(sink.has_value()) << sink.error().message;
  }

  using PhaseFunction =
      std::function<Result<ChangeRecord>(const Journal&, JournalSink&, const ChangeContext&)>;
  Result<ChangeRecord> Run(const PhaseFunction& phase) {
    auto journal = ReadJournal(path_);
    if (!journal) return Fail(journal.error());
    auto sink = OpenJournal(*journal);
    if (!sink) return Fail(sink.error());
    SingleAccess access(*client);
    return phase(*journal, **sink, {access, clock, monitor_});
  }
  static PhaseFunction Applying() {
    return [](const Journal& j, JournalSink& s, const ChangeContext& c) { return Apply(j, s, c); };
  }
  static PhaseFunction Verifying() {
    return [](const Journal& j, JournalSink& s, const ChangeContext& c) { return Verify(j, s, c); };
  }
  static PhaseFunction BackingOut(const std::string& reason = "OPS-1") {
    return [reason](const Journal& j, JournalSink& s, const ChangeContext& c) {
      return Backout(j, s, reason, c);
    };
  }
  ChangeRecord Do(const PhaseFunction& phase) {
    auto record = Run(phase);
    EXPECT_TRUE(record.has_value()) << record.error().message;
    return record ? *std::move(record) : ChangeRecord{};
  }

  // Lines: "id outcome" of each line.
  static std::vector<std::string> Lines(const ChangeRecord& record) {
    std::vector<std::string> lines;
    for (const ChangeLine& line : record.lines) {
      lines.push_back(line.arn.substr(line.arn.rfind('/') + 1) + " " +
                      std::string(ChangeOutcomeName(line.outcome)));
    }
    return lines;
  }
  static std::string DetailOf(const ChangeRecord& record, const std::string& id) {
    for (const ChangeLine& line : record.lines) {
      if (line.arn.ends_with("/" + id)) return line.detail;
    }
    return "no line";
  }
  // DenyEnabling: the rotation of one key may not be enabled.
  void DenyEnabling(const std::string& id) {
    kms.intercept = [id](const FakeCall& call) -> std::optional<FakeKms::Reply> {
      if (call.operation == "EnableKeyRotation" && call.key.ends_with("/" + id)) {
        return FakeKms::Denied(call);
      }
      return std::nullopt;
    };
  }
  FakeKey& Key(const std::string& id) { return kms.Find(id, "eu-central-1"); }
  std::string JournalFile() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::string directory_;
  std::string path_;
  Monitor monitor_;
};

}  // namespace keyturn::control
