// Whose code a key belongs to, and what a plan does about it.
#include "control/code_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "control/change_bench.h"

namespace keyturn::control {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ToolOf: the tool that one tag names; "-" for none.
std::string ToolOf(const std::string& name, const std::string& value) {
  const auto owner = OwnerOf({{"Name", "orders"}, {name, value}}, std::nullopt);
  return owner ? owner->tool : "-";
}

TEST(CodeOwnerTest, StacksAreKnownByTheTagsThatCloudFormationSets) {
  const auto owner = OwnerOf({{"aws:cloudformation:stack-id", "arn:aws:cloudformation:..."},
                              {"aws:cloudformation:logical-id", "OrdersKey"},
                              {"aws:cloudformation:stack-name", "kms-prod"}},
                             180);
  ASSERT_TRUE(owner.has_value());
  EXPECT_THAT(OwnerText(*owner), HasSubstr("CloudFormation stack kms-prod, resource OrdersKey"));
  EXPECT_EQ(owner->snippet,
            "Resources:\n  OrdersKey:\n    Type: AWS::KMS::Key\n    Properties:\n"
            "      EnableKeyRotation: true\n      RotationPeriodInDays: 180\n");
}

TEST(CodeOwnerTest, OthersAreKnownByHabit) {
  EXPECT_EQ(ToolOf("ManagedBy", "Terraform"), "Terraform");
  EXPECT_EQ(ToolOf("managed-by", "terraform 1.9 (team kms)"), "Terraform");
  EXPECT_EQ(ToolOf("app.kubernetes.io/managed-by", "crossplane"), "Crossplane");
  EXPECT_EQ(ToolOf("Provisioner", "OpenTofu"), "OpenTofu");
  EXPECT_EQ(ToolOf("created_by", "aws-cdk"), "CloudFormation");
  EXPECT_EQ(ToolOf("terraform", "true"), "Terraform");
  EXPECT_EQ(ToolOf("terraform_module", "kms"), "Terraform");
  EXPECT_EQ(ToolOf("pulumi:project", "keys"), "Pulumi");
  EXPECT_EQ(ToolOf("crossplane-kind", "key.kms.aws"), "Crossplane");
  // What names no tool says nothing, nor does a tag that only looks like one.
  EXPECT_EQ(ToolOf("ManagedBy", "platform team"), "-");
  EXPECT_EQ(ToolOf("terraform", "false"), "-");
  EXPECT_EQ(ToolOf("terraformer", "x"), "-");
  EXPECT_EQ(ToolOf("Description", "made by terraform"), "-");
  EXPECT_EQ(OwnerOf({}, 180), std::nullopt);
}

TEST(CodeOwnerTest, TheSnippetIsInTheLanguageOfTheCode) {
  const auto snippet = [](const std::string& tool, std::optional<int> days) {
    return OwnerOf({{"ManagedBy", tool}}, days)->snippet;
  };
  EXPECT_EQ(snippet("terraform", std::nullopt),
            "resource \"aws_kms_key\" \"KEY\" {\n  enable_key_rotation = true\n}\n");
  EXPECT_THAT(snippet("terraform", 90), HasSubstr("rotation_period_in_days = 90\n"));
  EXPECT_EQ(snippet("pulumi", 90), "enableKeyRotation: true\nrotationPeriodInDays: 90\n");
  EXPECT_THAT(snippet("crossplane", 90), HasSubstr("    rotationPeriodInDays: 90\n"));
  EXPECT_THAT(snippet("cloudformation", std::nullopt), Not(HasSubstr("RotationPeriod")));
}

TEST(CodeOwnerTest, AForeignNameIsNotPutIntoCode) {
  const auto owner = OwnerOf({{"aws:cloudformation:logical-id", "x:\n  Evil: true #"}}, {});
  EXPECT_THAT(owner->snippet, HasSubstr("\n  KEY:\n"));
}

class OwnedKeysTest : public ChangeTest {
 protected:
  OwnedKeysTest() {
    kms.Add({.id = "free", .tags = {{"ManagedBy", "people"}}});
    kms.Add({.id = "owned", .tags = {{"ManagedBy", "terraform"}}});
    kms.Add({.id = "good", .enabled = true, .tags = {{"ManagedBy", "terraform"}}});
  }
  Plan PlanWithTags(bool allow) {
    AuditOptions options;
    options.tool_version = "test";
    options.read_tags = true;
    Target target;
    target.endpoint_url = kUrl;
    target.regions = {"eu-central-1"};
    SingleAccess access(*client);
    const auto run = RunAudit(access, {target}, options, {}, clock, random, monitor_);
    PlanOptions plan_options;
    plan_options.allow_iac_managed = allow;
    return *MakePlan(*run, plan_options);
  }
};

TEST_F(OwnedKeysTest, AreLeftAloneWithWhatToChangeInTheirCode) {
  const Plan plan = PlanWithTags(false);
  ASSERT_EQ(plan.changes.size(), 1U);
  EXPECT_THAT(plan.changes[0].arn, HasSubstr("/free"));
  ASSERT_EQ(plan.left_alone.size(), 1U);
  EXPECT_EQ(plan.left_alone[0].verdict, Verdict::kFail);
  EXPECT_EQ(plan.left_alone[0].owner->tool, "Terraform");
  EXPECT_THAT(plan.left_alone[0].reason, HasSubstr("--allow-iac-managed"));
  EXPECT_THAT(PlanNotes(plan), Contains(HasSubstr("key/owned: Terraform (tag "
                                                  "ManagedBy=terraform): enable_key_rotation = "
                                                  "true")));
  // One call for each key that would change, and none for those that pass.
  EXPECT_EQ(kms.Count("ListResourceTags"), 2U);
  const auto read = ParsePlan(PlanText(plan), "p");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->left_alone[0].owner, plan.left_alone[0].owner);
}

TEST_F(OwnedKeysTest, AreChangedWhenThatIsAskedFor) {
  const Plan plan = PlanWithTags(true);
  ASSERT_EQ(plan.changes.size(), 2U);
  EXPECT_EQ(plan.changes[1].owner->tag, "ManagedBy=terraform");
  EXPECT_THAT(PlanNotes(plan), Contains(HasSubstr("owns 1 of the keys that would change")));
  const auto read = ParsePlan(PlanText(plan), "p");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_TRUE(read->allow_iac_managed);
  EXPECT_EQ(read->changes[1].owner, plan.changes[1].owner);
  Journalize(plan);
  EXPECT_EQ(Do(Applying()).Count(ChangeOutcome::kDone), 2U);
  EXPECT_EQ(ReadJournal(path_)->changes[1].owner, plan.changes[1].owner);
}

TEST_F(OwnedKeysTest, ThatTagsCannotBeReadIsSaid) {
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation == "ListResourceTags") return FakeKms::Denied(call);
    return std::nullopt;
  };
  const Plan plan = PlanWithTags(false);
  ASSERT_EQ(plan.changes.size(), 2U);
  EXPECT_THAT(plan.changes[0].owner_unknown, HasSubstr("AccessDeniedException"));
  EXPECT_THAT(PlanNotes(plan), Contains(HasSubstr("owns 2 of the keys is not known")));
  EXPECT_THAT(plan.left_alone, IsEmpty());
}

TEST_F(OwnedKeysTest, AStoppedRunPlansNoKeyWhoseTagsItHasNotRead) {
  std::atomic<bool> cancelled{false};
  monitor_.cancelled = &cancelled;
  kms.intercept = [&](const FakeCall&) -> std::optional<FakeKms::Reply> {
    cancelled = cancelled || kms.Count("GetKeyRotationStatus") == 2;
    return std::nullopt;
  };
  const Plan plan = PlanWithTags(false);
  EXPECT_THAT(plan.changes, IsEmpty());
  ASSERT_EQ(plan.left_alone.size(), 3U);
  EXPECT_THAT(plan.left_alone[2].reason, HasSubstr("infrastructure code"));
}

TEST_F(OwnedKeysTest, TagsThatDoNotEndAreNotBelieved) {
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation != "ListResourceTags") return std::nullopt;
    return client::JsonReply(
        200, R"({"Tags":[{"TagKey":"a","TagValue":"b"}],"Truncated":true,"NextMarker":"more"})");
  };
  const Plan plan = PlanWithTags(false);
  ASSERT_EQ(plan.changes.size(), 2U);
  EXPECT_THAT(plan.changes[0].owner_unknown, HasSubstr("does not end"));
  EXPECT_LE(kms.Count("ListResourceTags"), 100U);
}

}  // namespace
}  // namespace keyturn::control
