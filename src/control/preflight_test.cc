// What is missing before a run, and that finding it out changes nothing. The command against a
// server that enforces policies is tests/control/preflight.test.mjs.
#include "control/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/fake_kms.h"

namespace keyturn::control {
namespace {

using testing::HasSubstr;

class PreflightTest : public testing::Test, protected KmsBench {
 protected:
  PreflightTest() { Intercept({}); }

  // Intercept denies an operation, and says of asymmetric keys what KMS says.
  void Intercept(const std::string& denied) {
    kms.intercept = [this, denied](const FakeCall& call) -> std::optional<FakeKms::Reply> {
      if (call.operation == denied) return FakeKms::Denied(call);
      if (call.operation == "ListKeyRotations")
        return client::JsonReply(200, R"({"Rotations":[]})");
      const bool write = call.operation.find("ableKeyRotation") != std::string::npos;
      if (write && kms.Find(call.key, call.region).spec != "SYMMETRIC_DEFAULT") {
        return FakeKms::Error("UnsupportedOperationException", "");
      }
      return std::nullopt;
    };
  }
  PreflightRun Look(PreflightOptions options = {}) {
    Target target;
    target.endpoint_url = kUrl;
    target.regions = {"eu-central-1", "us-east-1"};
    SingleAccess access(*client);
    return *RunPreflight(access, {target}, options, clock, Monitor{});
  }
  static const PermissionCheck& CheckOf(const PreflightRun& run, const std::string& action,
                                        std::size_t place = 0) {
    for (const PermissionCheck& check : run.places.at(place).checks) {
      if (check.action == "kms:" + action) return check;
    }
    ADD_FAILURE() << action;
    return run.places[0].checks[0];
  }
};

TEST_F(PreflightTest, NothingIsMissingAndNothingIsChanged) {
  kms.Add({.id = "off"});
  kms.Add({.id = "rsa", .spec = "RSA_2048"});
  const PreflightRun run = Look();
  EXPECT_EQ(PreflightExitCode(run), kExitCompliant);
  EXPECT_EQ(CheckOf(run, "EnableKeyRotation").found, Found::kAllowed);
  EXPECT_EQ(CheckOf(run, "GetKeyRotationStatus", 1).found, Found::kNothing) << "an empty region";
  EXPECT_EQ(kms.Count("EnableKeyRotation", "off") + kms.Count("DisableKeyRotation", "off"), 0U);
  EXPECT_FALSE(kms.Find("off", "eu-central-1").enabled);
}

TEST_F(PreflightTest, WritesThatCannotBeTriedAreUnknown) {
  kms.Add({.id = "off"});
  kms.Add({.id = "hmac", .spec = "HMAC_256"});
  const PreflightRun run = Look();
  EXPECT_EQ(PreflightExitCode(run), kExitIncomplete);
  EXPECT_EQ(CheckOf(run, "DisableKeyRotation").found, Found::kUnknown);
  EXPECT_THAT(CheckOf(run, "DisableKeyRotation").detail, HasSubstr("without trying"));
  EXPECT_EQ(kms.Count("EnableKeyRotation") + kms.Count("DisableKeyRotation"), 0U);
  PreflightOptions audit;
  audit.apply = audit.backout = false;
  EXPECT_EQ(PreflightExitCode(Look(audit)), kExitCompliant);
}

TEST_F(PreflightTest, ASampleDoesNotSpeakForTheKeysThatItLeavesOut) {
  for (int i = 0; i < 30; ++i) kms.Add({});
  EXPECT_THAT(CheckOf(Look(), "EnableKeyRotation").detail, HasSubstr("no asymmetric key here"));
  kms.Add({.id = "rsa", .spec = "RSA_2048"});
  EXPECT_THAT(CheckOf(Look(), "EnableKeyRotation").detail,
              HasSubstr("no asymmetric key among the 30 keys looked at"));
}

TEST_F(PreflightTest, WhatIsDeniedIsMissing) {
  kms.Add({.id = "off"});
  kms.Add({.id = "rsa", .spec = "RSA_2048"});
  for (const char* action : {"ListKeys", "ListAliases", "DescribeKey", "GetKeyRotationStatus",
                             "EnableKeyRotation", "DisableKeyRotation"}) {
    Intercept(action);
    const PreflightRun run = Look();
    EXPECT_EQ(PreflightExitCode(run), kExitFindings) << action;
    EXPECT_EQ(CheckOf(run, action).found, Found::kMissing);
    EXPECT_THAT(CheckOf(run, action).detail, HasSubstr("not authorized"));
  }
  Intercept("ListResourceTags");
  EXPECT_EQ(PreflightExitCode(Look()), kExitCompliant) << "it is optional";
}

TEST_F(PreflightTest, AnOrganizationThatCannotBeListed) {
  const Error denied{ErrorCode::kAccessDeniedException, "no", {}};
  EXPECT_EQ(PreflightExitCode(OrganizationRefused(denied, {}, clock.Now())), kExitFindings);
  const Error other{ErrorCode::kUsage, "no answer", {}};
  EXPECT_EQ(PreflightExitCode(OrganizationRefused(other, {}, clock.Now())), kExitIncomplete);
}

}  // namespace
}  // namespace keyturn::control
