// The policy file: what it may say, what is refused with its line, and which keys it is about.
#include "control/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kPolicy = R"(version: 1
name: Example Corp
max_period_days: 365
also_judge: [90, 180]
disabled_keys: judge
imported_keys:
  judge: true
  max_age_days: 400
on_demand_rotation:
  counts: true
scope:
  include:
    - account: "111122223333"
  exclude:
    - tag: {key: env, value: sandbox}
    - alias: alias/scratch
exceptions: exceptions.yaml
watch:
  apply:
    enabled: true
    keys_per_run_max: 5
    hours_utc: [22, 4]
)";

std::string With(std::string_view what, std::string_view with) {
  std::string text(kPolicy);
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string PolicyErrorOf(std::string_view text) {
  const auto policy = ParsePolicyFile(text, "p.yaml");
  EXPECT_FALSE(policy.has_value()) << text;
  return policy ? std::string() : policy.error().message;
}

TEST(PolicyFileTest, IsRead) {
  const auto policy = ParsePolicyFile(kPolicy, "etc/p.yaml");
  ASSERT_TRUE(policy.has_value()) << policy.error().message;
  EXPECT_EQ(policy->name, "Example Corp");
  EXPECT_EQ(policy->evaluation.max_period_days, 365);
  EXPECT_THAT(policy->also_judge, ElementsAre(180, 90));
  EXPECT_TRUE(policy->evaluation.strict_disabled);
  EXPECT_EQ(policy->evaluation.imported_max_age_days, 400);
  EXPECT_TRUE(policy->evaluation.on_demand_counts);
  EXPECT_EQ(policy->evaluation.on_demand_max_age_days, std::nullopt);
  EXPECT_EQ(policy->exceptions_path, "etc/exceptions.yaml");
  EXPECT_TRUE(policy->watch.apply);
  EXPECT_EQ(policy->watch.keys_per_run_max, 5);
  EXPECT_EQ(policy->watch.keys_per_day_max, 50);
  EXPECT_EQ(policy->sha256.size(), 64U);
  EXPECT_THAT(
      policy->Rules(),
      ElementsAre("disabled keys are judged",
                  "imported key material is rotated on demand at least every 400 days",
                  "a rotation on demand counts for 365 days", "only keys with account 111122223333",
                  "no keys with tag env=sandbox; alias alias/scratch"));
}

TEST(PolicyFileTest, TheLeastIsAMaximum) {
  const auto policy = ParsePolicyFile("version: 1\nmax_period_days: 180\n", "p.yaml");
  ASSERT_TRUE(policy.has_value());
  EXPECT_FALSE(policy->watch.apply);
  EXPECT_TRUE(policy->Rules().empty());
  EXPECT_TRUE(policy->evaluation.scope.empty());
  EXPECT_EQ(PolicyErrorOf("version: 1\n"), "p.yaml:1: 'max_period_days' is missing");
}

TEST(PolicyFileTest, ErrorsNameTheLine) {
  EXPECT_THAT(PolicyErrorOf(With("version: 1", "version: 2")), StartsWith("p.yaml:1: version"));
  EXPECT_THAT(PolicyErrorOf(With("name:", "names:")), StartsWith("p.yaml:2: unknown field"));
  EXPECT_EQ(PolicyErrorOf(With("max_period_days: 365", "max_period_days: 89")),
            "p.yaml:3: 'max_period_days' must be a whole number of 90 to 2560");
  EXPECT_EQ(PolicyErrorOf(With("[90, 180]", "[90, 365]")), "p.yaml:4: 365 days are judged already");
  EXPECT_THAT(PolicyErrorOf(With("[90, 180]", "90")), StartsWith("p.yaml:4: 'also_judge'"));
  EXPECT_THAT(PolicyErrorOf(With("disabled_keys: judge", "disabled_keys: fail")),
              StartsWith("p.yaml:5: 'disabled_keys'"));
  EXPECT_THAT(PolicyErrorOf(With("max_age_days: 400", "max_age_days: 0")), StartsWith("p.yaml:8:"));
  EXPECT_THAT(PolicyErrorOf(With("counts: true", "counts: maybe")),
              StartsWith("p.yaml:10: 'counts' must be true or false"));
  EXPECT_THAT(PolicyErrorOf(With("\"111122223333\"", "1111")), StartsWith("p.yaml:13: 'account'"));
  EXPECT_THAT(PolicyErrorOf(With("value: sandbox", "values: x")), StartsWith("p.yaml:15: unknown"));
  EXPECT_THAT(PolicyErrorOf(With("enabled: true", "on: true")), StartsWith("p.yaml:20: unknown"));
  EXPECT_THAT(PolicyErrorOf(With("    enabled: true\n", "")), HasSubstr("'enabled' is missing"));
  EXPECT_THAT(PolicyErrorOf(With("[22, 4]", "[22, 25]")), StartsWith("p.yaml:22: 'hours_utc'"));
  EXPECT_THAT(PolicyErrorOf(With("[22, 4]", "[4, 4]")), HasSubstr("two different hours"));
}

TEST(PolicyFileTest, HoursMayGoOverMidnight) {
  WatchBounds bounds;
  EXPECT_TRUE(bounds.MayApplyAt(*ParseIso8601("2026-11-24T00:00:00Z")));
  bounds.from_hour = 22;
  bounds.to_hour = 4;
  EXPECT_TRUE(bounds.MayApplyAt(*ParseIso8601("2026-11-24T23:10:00Z")));
  EXPECT_TRUE(bounds.MayApplyAt(*ParseIso8601("2026-11-24T03:59:59Z")));
  EXPECT_FALSE(bounds.MayApplyAt(*ParseIso8601("2026-11-24T04:00:00Z")));
  bounds.from_hour = 2;
  EXPECT_TRUE(bounds.MayApplyAt(*ParseIso8601("2026-11-24T02:00:00Z")));
  EXPECT_FALSE(bounds.MayApplyAt(*ParseIso8601("2026-11-24T22:00:00Z")));
}

KeyFacts SomeKey() {
  KeyFacts facts;
  facts.arn = "arn:aws:kms:eu-central-1:111122223333:key/1";
  facts.account = "111122223333";
  facts.region = "eu-central-1";
  facts.aliases = {"alias/pay"};
  return facts;
}

TEST(ScopeTest, ExcludeBeatsIncludeAndWhatIsNotKnownIsNotGuessed) {
  Scope scope;
  scope.include = {{.account = "111122223333"}};
  scope.exclude = {{.tag_key = "env", .tag_value = "sandbox"}, {.alias = "alias/scratch"}};
  KeyFacts facts = SomeKey();
  EXPECT_TRUE(ScopeNeedsTags(scope, facts));
  EXPECT_EQ(FindScope(scope, facts).answer, ScopeAnswer::kIn);
  facts.tags = {{"env", "sandbox"}};
  EXPECT_EQ(FindScope(scope, facts).answer, ScopeAnswer::kOut);
  EXPECT_THAT(FindScope(scope, facts).reason, HasSubstr("tag env=sandbox"));
  facts.tags.clear();
  facts.tags_failure = CallFailure{"ListResourceTags", "AccessDeniedException", "no", {}};
  EXPECT_EQ(FindScope(scope, facts).answer, ScopeAnswer::kUnknown);
  EXPECT_THAT(FindScope(scope, facts).reason, HasSubstr("AccessDeniedException"));
  facts.tags_failure.reset();
  facts.aliases_unknown = true;
  EXPECT_EQ(FindScope(scope, facts).answer, ScopeAnswer::kUnknown);
  // Another account is out of it whatever its tags are: they are not asked for.
  facts.account = "999988887777";
  EXPECT_EQ(FindScope(scope, facts).answer, ScopeAnswer::kOut);
  EXPECT_FALSE(ScopeNeedsTags(scope, facts));
}

}  // namespace
}  // namespace keyturn::control
