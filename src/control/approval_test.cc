// Approval of a plan: its hash, and a second person's signature over it. That what stock ssh-keygen
// signs is accepted is shown by tests/control/approval.test.mjs.
#include "control/approval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "control/change_bench.h"
#include "crypto/digest.h"

namespace keyturn::control {
namespace {

using testing::HasSubstr;

// Rehashed is a plan's text with another content and the hash that belongs to it.
std::string Rehashed(std::string text, std::string_view what, std::string_view other) {
  json::Parser parser(json::Limits{.bytes_max = 1 << 20, .depth_max = 16});
  text.replace(text.find(what), what.size(), other);
  const auto root = parser.Parse(text);
  const std::string content = root->Find("content")->ToJson();
  return R"({"format":"keyturn-plan","version":3,"sha256":")" +
         HexEncode(crypto::Sha256(AsBytes(content))) + R"(","content":)" + content + "}";
}

class ApprovalTest : public ChangeTest {};

TEST_F(ApprovalTest, AHashApprovesOnePlanOnly) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan();
  EXPECT_TRUE(CheckApprovedHash(plan, plan.sha256).has_value());
  std::string upper = plan.sha256;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(CheckApprovedHash(plan, upper).has_value());
  std::string other = plan.sha256;
  other[63] = other[63] == '0' ? '1' : '0';
  EXPECT_THAT(CheckApprovedHash(plan, other).error().message, HasSubstr("another plan"));
  for (const std::string& wrong :
       {std::string(), plan.sha256.substr(0, 63), plan.sha256 + "0", std::string(64, 'g')}) {
    EXPECT_THAT(CheckApprovedHash(plan, wrong).error().message, HasSubstr("no SHA-256"));
  }
}

TEST_F(ApprovalTest, TheJournalTellsWhoApproved) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan();
  const Approval approval{"signature", "alice@example.org", "ssh-ed25519 SHA256:x", "armor\n"};
  ASSERT_TRUE(CreateJournal(path_, plan, clock, "test", approval).has_value());
  const auto journal = ReadJournal(path_);
  ASSERT_TRUE(journal.has_value()) << journal.error().message;
  EXPECT_EQ(journal->header.approval, approval);
  EXPECT_EQ(Do(Applying()).approval, "signed by alice@example.org (ssh-ed25519 SHA256:x)");
  EXPECT_EQ(RecordsOf(*ReadJournal(path_))[0].approval, Do(Applying()).approval);
}

TEST_F(ApprovalTest, APlanWithAMemberThatIsWrongOrNotKnownIsRefusedByName) {
  kms.Add({.id = "off"});
  Plan made = MakeTestPlan();
  made.changes[0].endpoint_url.clear();  // AWS's own
  const std::string text = PlanText(made);
  const auto with = [&text](std::string_view what, std::string_view other) {
    const auto plan = ParsePlan(Rehashed(text, what, other), "my.plan");
    return plan ? "read" : plan.error().message;
  };
  EXPECT_EQ(with("\"reason\"", "\"treason\""), "my.plan: member 'changes[0].treason' is not known");
  EXPECT_EQ(with("\"run_id\"", "\"ran_id\""), "my.plan: member 'ran_id' is not known");
  EXPECT_EQ(with("\"key_state\": \"Enabled\"", "\"key_state\": 1"),
            "my.plan: member 'changes[0].before.key_state' is missing or wrong");
  EXPECT_EQ(with("\"period_days\": 365", "\"period_days\": 3650"),
            "my.plan: member 'changes[0].wanted' is missing or wrong");
  EXPECT_EQ(with("\"calls\"", "\"balls\""), "my.plan: member 'preview.balls' is not known");
  EXPECT_EQ(with("\"changes\": [", "\"changes\": [7,"),
            "my.plan: member 'changes[0]' is missing or wrong");
  // A key of another region or account than the call would go to.
  for (const char* arn : {"arn:aws:kms:eu-west-1:111122223333:key/off", "off",
                          "arn:aws:kms:eu-central-1:444455556666:key/off",
                          "arn:aws:kms:eu-central-1:111122223333:alias/off",
                          "arn:aws:s3:eu-central-1:111122223333:key/off"}) {
    EXPECT_EQ(with("arn:aws:kms:eu-central-1:111122223333:key/off", arn),
              "my.plan: member 'changes[0].arn' is missing or wrong");
  }
}

}  // namespace
}  // namespace keyturn::control
