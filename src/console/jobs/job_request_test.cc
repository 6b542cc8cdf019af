#include "console/jobs/job_request.h"

#include <gmock/gmock.h>

namespace keyturn::console {
namespace {

using testing::ElementsAre;

TEST(JobRequest, TakesWhatThePagesSend) {
  const auto on = ParseJobRequest(
      R"({"Enabled":true,"PeriodInDays":90,"Justification":" why ","Keys":["a","b","a"]})");
  ASSERT_TRUE(on) << on.error().message;
  EXPECT_EQ(on->wanted, (control::RotationSetting{true, 90}));
  EXPECT_EQ(on->justification, " why ");
  EXPECT_THAT(on->keys, ElementsAre("a", "b"));
  EXPECT_FALSE(on->dry_run);
  EXPECT_EQ(ParseJobRequest(R"({"Enabled":true,"Keys":["a"]})")->wanted.period_days, 365);
  const auto off =
      ParseJobRequest(R"({"Enabled":false,"Justification":"x","Keys":["a"],"DryRun":true})");
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->wanted.enabled);
  EXPECT_TRUE(off->dry_run);
}

TEST(JobRequest, NamesWhatIsWrong) {
  const auto problem = [](std::string_view body) {
    const auto parsed = ParseJobRequest(body);
    return parsed ? "taken" : parsed.error().message.substr(0, parsed.error().message.find(' '));
  };
  EXPECT_EQ(problem("[]"), "");
  EXPECT_EQ(problem("{}"), "Enabled");
  EXPECT_EQ(problem(R"({"Enabled":true})"), "Keys");
  EXPECT_EQ(problem(R"({"Enabled":true,"Keys":[""]})"), "Keys");
  EXPECT_EQ(problem(R"({"Enabled":true,"Keys":["a"],"PeriodInDays":2561})"), "PeriodInDays");
  EXPECT_EQ(problem(R"({"Enabled":false,"Keys":["a"]})"), "Justification:");
  EXPECT_EQ(problem(R"({"Enabled":false,"Keys":["a"],"Justification":" \t"})"), "Justification:");
  EXPECT_EQ(problem(R"({"Enabled":true,"Keys":["a"],"DryRun":1})"), "DryRun");
}

}  // namespace
}  // namespace keyturn::console
