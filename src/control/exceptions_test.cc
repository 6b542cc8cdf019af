// The exceptions file: what it may say, and what is refused with its line.
#include "control/exceptions.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::control {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGood = R"(version: 1
exceptions:
  - id: EX-1
    match:
      alias: alias/billing
      account: "111122223333"
    owner: payments
    approver: ciso
    ticket: SEC-7
    reason: vendor pins the key
    expires: 2027-01-31
  - id: EX-2
    match:
      tag: {key: rotation, value: exempt}
      glob: "arn:aws:kms:eu-*:key/mrk-*"
      region: eu-central-1
    owner: a
    approver: b
    ticket: c
    reason: d
    expires: 2026-02-28
)";

// Replaced is the good text with one thing changed.
std::string Replaced(std::string_view what, std::string_view with) {
  std::string text(kGood);
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string ErrorOf(std::string_view text) {
  const auto list = ParseExceptions(text, "ex.yaml");
  EXPECT_FALSE(list.has_value()) << text;
  if (list) return {};
  EXPECT_EQ(list.error().code, ErrorCode::kUsage);
  return list.error().message;
}

TEST(ExceptionsFileTest, IsRead) {
  const auto list = ParseExceptions(kGood, "ex.yaml");
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->entries.size(), 2U);
  const Exception& first = list->entries[0];
  EXPECT_EQ(first.id, "EX-1");
  EXPECT_EQ(first.owner, "payments");
  EXPECT_EQ(first.approver, "ciso");
  EXPECT_EQ(first.ticket, "SEC-7");
  EXPECT_EQ(first.reason, "vendor pins the key");
  EXPECT_EQ(first.line, 3);
  EXPECT_EQ(DescribeMatch(first.match), "alias alias/billing, account 111122223333");
  EXPECT_FALSE(first.ExpiredAt(*ParseIso8601("2027-01-31T23:59:59.999Z")));
  EXPECT_TRUE(first.ExpiredAt(*ParseIso8601("2027-02-01T00:00:00Z")));
  EXPECT_TRUE(list->UsesTags());
  EXPECT_EQ(list->sha256.size(), 64U);
}

TEST(ExceptionsFileTest, AnEmptyListIsFine) {
  for (const char* text : {"version: 1\nexceptions: []\n", "version: 1\nexceptions:\n"}) {
    const auto list = ParseExceptions(text, "x");
    ASSERT_TRUE(list.has_value());
    EXPECT_TRUE(list->entries.empty());
  }
}

TEST(ExceptionsFileTest, EveryFieldIsMandatory) {
  for (const char* field : {"owner: payments", "approver: ciso", "ticket: SEC-7",
                            "reason: vendor pins the key", "expires: 2027-01-31"}) {
    const std::string name(field, std::string_view(field).find(':'));
    EXPECT_THAT(ErrorOf(Replaced(std::string("    ") + field + "\n", "")),
                HasSubstr("ex.yaml:3: '" + name + "' is missing"));
    EXPECT_THAT(ErrorOf(Replaced(field, name + ": ''")), HasSubstr("'" + name + "' is empty"));
  }
  EXPECT_THAT(ErrorOf(Replaced("id: EX-1", "no: 1")), HasSubstr("unknown field 'no'"));
}

TEST(ExceptionsFileTest, ErrorsNameTheLine) {
  EXPECT_THAT(ErrorOf(Replaced("ticket: SEC-7", "tickets: SEC-7")),
              StartsWith("ex.yaml:9: unknown field 'tickets'"));
  EXPECT_THAT(ErrorOf(Replaced("2027-01-31", "next year")), StartsWith("ex.yaml:11: 'expires'"));
  EXPECT_THAT(ErrorOf(Replaced("2027-01-31", "2027-02-30")), StartsWith("ex.yaml:11: 'expires'"));
  EXPECT_THAT(ErrorOf(Replaced("2027-01-31", "2027-01-31T00:00:00Z")), HasSubstr("'expires'"));
  EXPECT_THAT(ErrorOf(Replaced("id: EX-2", "id: EX-1")),
              HasSubstr("ex.yaml:12: id 'EX-1' appears"));
  EXPECT_THAT(ErrorOf(Replaced("\"111122223333\"", "12")), HasSubstr("ex.yaml:6: 'account'"));
  EXPECT_THAT(ErrorOf(Replaced("alias: alias/billing", "alias: billing")), HasSubstr("alias/"));
  for (const char* arn :
       {"'*'", "arn:aws:s3:eu-west-1:111122223333:key/a", "arn:aws:kms:eu-west:111122223333:key/a",
        "arn:aws:kms:eu-west-1:11112222333:key/a", "arn:aws:kms:eu-west-1:111122223333:alias/a",
        "arn:aws:kms:eu-west-1:111122223333:key/", "arn:aws:kms:eu-west-1:111122223333:key/a b"}) {
    EXPECT_THAT(ErrorOf(Replaced("alias: alias/billing", fmt::format("arn: {}", arn))),
                HasSubstr("whole ARN"))
        << arn;
  }
  EXPECT_THAT(ErrorOf(Replaced("alias: alias/billing", "region: Frankfurt")),
              HasSubstr("a region's name"));
  EXPECT_THAT(ErrorOf(Replaced("owner: payments", "owner: [a]")), HasSubstr("must be a text"));
  EXPECT_THAT(ErrorOf(Replaced("owner: payments", "owner: a\n    owner: b")),
              HasSubstr("appears twice"));
  EXPECT_THAT(ErrorOf(Replaced("{key: rotation, value: exempt}", "{key: rotation}")),
              HasSubstr("'value' is missing"));
}

TEST(ExceptionsFileTest, AMatchOfNothingIsNotAMatchOfEverything) {
  EXPECT_THAT(
      ErrorOf(Replaced("match:\n      alias: alias/billing\n      account: \"111122223333\"",
                       "match: {}")),
      HasSubstr("at least one of"));
}

TEST(ExceptionsFileTest, OtherTextsAreRefused) {
  for (const char* text :
       {"", "[]", "just text", "version: 2\nexceptions: []", "version: 1",
        "version: 1\nexceptions: 7", "version: 1\nexceptions: [1]", "version: 1\nexceptions: [",
        "a: &a [*a]", "version: 1\n\texceptions:"}) {
    EXPECT_THAT(ErrorOf(text), StartsWith("ex.yaml:"));
  }
  EXPECT_THAT(ErrorOf(std::string(100000, '[')), StartsWith("ex.yaml:"));
}

TEST(ExceptionsFileTest, AFileThatIsNotThereIsNamed) {
  const auto list = ReadExceptions("/nonexistent/ex.yaml");
  ASSERT_FALSE(list.has_value());
  EXPECT_THAT(list.error().message, HasSubstr("/nonexistent/ex.yaml"));
}

TEST(MatchesTest, EveryFieldThatIsGivenMustMatch) {
  KeyFacts facts;
  facts.arn = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1";
  facts.account = "111122223333";
  facts.region = "eu-central-1";
  facts.aliases = {"alias/a", "alias/b"};
  facts.tags = {{"rotation", "exempt"}};
  const auto with = [&facts](const ExceptionMatch& match) { return Matches(match, facts); };
  ExceptionMatch match;
  match.arn = facts.arn;
  EXPECT_TRUE(with(match));
  match.alias = "alias/b";
  EXPECT_TRUE(with(match));
  match.alias = "alias/c";
  EXPECT_FALSE(with(match));
  match = {};
  match.account = "111122223334";
  EXPECT_FALSE(with(match));
  match = {};
  match.region = "eu-central-1";
  match.glob = "alias/?";
  EXPECT_TRUE(with(match));
  match.region = "eu-central-2";
  EXPECT_FALSE(with(match));
  match = {};
  match.tag_key = "rotation";
  match.tag_value = "exempt";
  EXPECT_TRUE(with(match));
  match.tag_value = "exempted";
  EXPECT_FALSE(with(match));
}

TEST(GlobTest, StarsAndQuestionMarks) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("a*c", "abbbc"));
  EXPECT_TRUE(GlobMatches("*:key/mrk-*", "arn:aws:kms:x:1:key/mrk-1"));
  EXPECT_TRUE(GlobMatches("a?c", "abc"));
  EXPECT_TRUE(GlobMatches("**b**", "aabaa"));
  EXPECT_FALSE(GlobMatches("", "a"));
  EXPECT_FALSE(GlobMatches("a?c", "ac"));
  EXPECT_FALSE(GlobMatches("a*c", "ab"));
  EXPECT_FALSE(GlobMatches("[ab]", "a"));
  EXPECT_FALSE(GlobMatches(std::string(200, '*') + "x", std::string(5000, 'a')));
}

}  // namespace
}  // namespace keyturn::control
