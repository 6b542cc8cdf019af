// The targets file: what it may say, and what is refused with its line.
#include "control/targets_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kGood = R"(version: 1
targets:
  - profile: audit
    organization: true
    role_name: security/KeyturnAudit
    role_external_id: x-1
    regions: all
  - role_arn: arn:aws:iam::111122223333:role/Audit
    external_id: e-1
    accounts: ["111122223333"]
    regions: [eu-central-1, us-east-1]
  - endpoint_url: https://kms.internal:8181
    ca_bundle: /etc/keyturn/ca.pem
    variables:
      access_key_id: BERLIN_ID
      secret_access_key: BERLIN_SECRET
      session_token: BERLIN_TOKEN
)";

// Replaced is the good text with one thing changed.
std::string Replaced(std::string_view what, std::string_view with) {
  std::string text(kGood);
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string ErrorOf(std::string_view text) {
  const auto entries = ParseTargetsFile(text, "t.yaml");
  EXPECT_FALSE(entries.has_value()) << text;
  if (entries) return {};
  EXPECT_EQ(entries.error().code, ErrorCode::kUsage);
  return entries.error().message;
}

TEST(TargetsFileTest, IsRead) {
  const auto entries = ParseTargetsFile(kGood, "t.yaml");
  ASSERT_TRUE(entries.has_value()) << entries.error().message;
  ASSERT_EQ(entries->size(), 3U);
  const FleetEntry& first = (*entries)[0];
  EXPECT_EQ(first.place, "t.yaml:3");
  EXPECT_EQ(first.flags.profile, "audit");
  EXPECT_TRUE(first.flags.only_endpoint_url) << "the environment's endpoint is not the file's";
  EXPECT_TRUE(first.organization);
  EXPECT_EQ(first.role_name, "security/KeyturnAudit");
  EXPECT_EQ(first.role_external_id, "x-1");
  EXPECT_THAT(first.regions, ElementsAre("all"));
  const FleetEntry& second = (*entries)[1];
  EXPECT_EQ(second.flags.role_arn, "arn:aws:iam::111122223333:role/Audit");
  EXPECT_EQ(second.flags.external_id, "e-1");
  EXPECT_THAT(second.accounts, ElementsAre("111122223333"));
  EXPECT_THAT(second.regions, ElementsAre("eu-central-1", "us-east-1"));
  const FleetEntry& third = (*entries)[2];
  EXPECT_EQ(third.flags.endpoint_url, "https://kms.internal:8181");
  EXPECT_EQ(third.flags.sts_endpoint_url, "https://kms.internal:8181");
  EXPECT_EQ(third.flags.ca_bundle_file, "/etc/keyturn/ca.pem");
  EXPECT_EQ(third.flags.key_id_variable, "BERLIN_ID");
  EXPECT_EQ(third.flags.secret_variable, "BERLIN_SECRET");
  EXPECT_EQ(third.flags.token_variable, "BERLIN_TOKEN");
}

TEST(TargetsFileTest, ErrorsNameTheLine) {
  EXPECT_EQ(ErrorOf(Replaced("version: 1", "version: 2")), "t.yaml:1: version must be 1");
  EXPECT_EQ(ErrorOf(Replaced("version: 1\n", "")), "t.yaml:1: 'version' is missing");
  EXPECT_EQ(ErrorOf("version: 1\n"), "t.yaml:1: 'targets' is missing");
  EXPECT_EQ(ErrorOf("version: 1\ntargets: []\n"),
            "t.yaml:2: 'targets' must be a list with at least one entry");
  EXPECT_EQ(ErrorOf(Replaced("profile: audit", "profil: audit")),
            "t.yaml:3: unknown field 'profil'");
  EXPECT_EQ(ErrorOf(Replaced("regions: all", "regions: any")),
            "t.yaml:7: 'regions' must be 'all' or a list");
  EXPECT_EQ(ErrorOf(Replaced("us-east-1]", "all]")),
            "t.yaml:11: an entry of 'regions' must be the name of a region");
  EXPECT_EQ(ErrorOf(Replaced("us-east-1]", "eu-central-1]")),
            "t.yaml:11: 'eu-central-1' appears twice in 'regions'");
  EXPECT_EQ(ErrorOf(Replaced("\"111122223333\"", "\"11112222333\"")),
            "t.yaml:10: an entry of 'accounts' must be 12 digits, in quotes");
  EXPECT_EQ(ErrorOf(Replaced("[\"111122223333\"]", "[\"111122223333\", \"222233334444\"]")),
            "t.yaml:8: several accounts need 'role_name', the role to take on in each");
  EXPECT_EQ(
      ErrorOf(Replaced("    role_name: security/KeyturnAudit\n    role_external_id: x-1\n", "")),
      "t.yaml:3: several accounts need 'role_name', the role to take on in each");
  EXPECT_EQ(ErrorOf(Replaced("role_name: security/KeyturnAudit", "role_name: 'a b'")),
            "t.yaml:5: 'role_name' is not the name of a role");
  EXPECT_EQ(ErrorOf(Replaced("organization: true", "organization: maybe")),
            "t.yaml:4: 'organization' must be true or false");
  EXPECT_EQ(ErrorOf(Replaced("organization: true",
                             "organization: true\n    accounts: [\"111122223333\"]")),
            "t.yaml:5: give 'accounts' or 'organization', not both");
  EXPECT_EQ(ErrorOf(Replaced("https://kms.internal:8181", "kms.internal")),
            "t.yaml:12: 'endpoint_url' must be http(s)://HOST[:PORT]");
  EXPECT_EQ(ErrorOf(Replaced("      secret_access_key: BERLIN_SECRET\n", "")),
            "t.yaml:15: 'variables' must name the variables of access_key_id and "
            "secret_access_key");
  EXPECT_EQ(ErrorOf(Replaced("    ca_bundle: /etc/keyturn/ca.pem", "    profile: p")),
            "t.yaml:15: give 'profile' or 'variables', not both");
  EXPECT_EQ(
      ErrorOf(Replaced("  - role_arn: arn:aws:iam::111122223333:role/Audit\n    external_id: e-1",
                       "  - external_id: e-1")),
      "t.yaml:8: 'external_id' goes with 'role_arn'");
  EXPECT_THAT(ErrorOf("version: 1\ntargets: [\n"), HasSubstr("t.yaml:"));
}

}  // namespace
}  // namespace keyturn::control
