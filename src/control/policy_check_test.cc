// What policy check finds, and what it leaves alone.
#include "control/policy_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string EntryOf(std::string_view id, std::string_view match, std::string_view expires) {
  return "  - id: " + std::string(id) + "\n    match: {" + std::string(match) +
         "}\n    owner: o\n    approver: ciso\n    ticket: T-1\n    reason: r\n    expires: " +
         std::string(expires) + "\n";
}

ExceptionList ListOf(const std::string& entries) {
  const auto list = ParseExceptions("version: 1\nexceptions:\n" + entries, "ex.yaml");
  EXPECT_TRUE(list.has_value()) << (list ? "" : list.error().message);
  return list ? *list : ExceptionList{};
}

KeyResult KeyOf(std::string_view alias, Verdict raw) {
  KeyResult key;
  key.facts.account = "111122223333";
  key.facts.arn = "arn:aws:kms:us-east-1:111122223333:key/" + std::string(alias.substr(6));
  key.facts.aliases = {std::string(alias)};
  key.judgement.verdict = key.judgement.raw_verdict = raw;
  return key;
}

std::vector<std::string> Told(const PolicyCheck& check) {
  std::vector<std::string> out;
  for (const PolicyFinding& finding : check.findings) {
    out.push_back(std::to_string(finding.line) + " " +
                  std::string(PolicyFindingName(finding.kind)) + " " + finding.id);
  }
  return out;
}

const TimePoint kCheckedAt = *ParseIso8601("2026-11-24T12:00:00Z");

TEST(PolicyCheckTest, FindsWhatIsExpiredUnusedAndSaidTwice) {
  const ExceptionList list = ListOf(EntryOf("old", "alias: alias/a", "2026-11-23") +
                                    EntryOf("soon", "alias: alias/b", "2026-12-01") +
                                    EntryOf("nobody", "alias: alias/c", "2027-12-01") +
                                    EntryOf("account", "account: '111122223333'", "2027-12-01") +
                                    EntryOf("mended", "alias: alias/d", "2027-12-01"));
  AuditRun run;
  run.keys = {KeyOf("alias/a", Verdict::kFail), KeyOf("alias/b", Verdict::kFail),
              KeyOf("alias/d", Verdict::kPass)};
  const PolicyCheck check = CheckPolicy(std::nullopt, list, &run, kCheckedAt);
  EXPECT_THAT(Told(check),
              ElementsAre("3 expired old", "17 unused nobody", "24 overlapping account",
                          "24 overlapping account", "31 unused mended", "31 overlapping mended"));
  EXPECT_THAT(check.findings[0].text, HasSubstr("expired on 2026-11-23"));
  EXPECT_THAT(check.findings[1].text, HasSubstr("matches no key: alias alias/c"));
  EXPECT_THAT(check.findings[2].text, HasSubstr("overlaps with old in line 3"));
  EXPECT_THAT(check.findings[4].text, HasSubstr("does not fail"));
  EXPECT_THAT(check.notes, ElementsAre("soon expires on 2026-12-01 (owner o, T-1)"));
}

TEST(PolicyCheckTest, WhatMayBeAboutAKeyIsNotCalledUnused) {
  AuditRun run;
  run.keys = {KeyOf("alias/a", Verdict::kFail)};
  run.keys[0].facts.aliases.clear();
  run.keys[0].facts.aliases_unknown = true;
  const ExceptionList list = ListOf(EntryOf("a", "alias: alias/a", "2027-12-01"));
  EXPECT_THAT(Told(CheckPolicy(std::nullopt, list, &run, kCheckedAt)), IsEmpty());
  run.keys[0].facts.aliases_unknown = false;
  EXPECT_THAT(Told(CheckPolicy(std::nullopt, list, &run, kCheckedAt)), ElementsAre("3 unused a"));
}

TEST(PolicyCheckTest, WithoutARunOnlyWhatTheFilesSay) {
  const ExceptionList list = ListOf(EntryOf("one", "glob: 'alias/pay*'", "2027-12-01") +
                                    EntryOf("two", "alias: alias/payroll", "2027-12-01") +
                                    EntryOf("other", "alias: alias/x", "2027-12-01"));
  const PolicyCheck check = CheckPolicy(std::nullopt, list, nullptr, kCheckedAt);
  EXPECT_THAT(Told(check), ElementsAre("10 overlapping two"));
  EXPECT_THAT(check.findings[0].text, HasSubstr("which has every key of it"));
  EXPECT_THAT(check.notes, ElementsAre(HasSubstr("--from RUN")));
}

TEST(PolicyCheckTest, AScopeThatIsAboutNoKeyIsTold) {
  const auto policy = ParsePolicyFile(
      "version: 1\nmax_period_days: 365\nscope:\n  exclude:\n    - account: '999988887777'\n"
      "    - alias: alias/a\n",
      "p.yaml");
  ASSERT_TRUE(policy.has_value());
  AuditRun run;
  run.policy.sha256 = policy->sha256;
  run.keys = {KeyOf("alias/a", Verdict::kNotApplicable)};
  const PolicyCheck check = CheckPolicy(*policy, {}, &run, kCheckedAt);
  EXPECT_THAT(Told(check), ElementsAre("5 unused scope "));
  EXPECT_THAT(check.notes, IsEmpty());
  run.policy.sha256 = "other";
  EXPECT_THAT(CheckPolicy(*policy, {}, &run, kCheckedAt).notes,
              ElementsAre(HasSubstr("was judged by the policy with SHA-256 other")));
}

}  // namespace
}  // namespace keyturn::control
