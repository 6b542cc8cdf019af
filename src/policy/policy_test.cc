// What a policy may say, what is refused and why, and how GetKeyPolicy prints it.
#include "policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kKeyArn[] =
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

model::AccountId Account(std::string_view digits = "111122223333") {
  return *model::AccountId::Parse(digits);
}

Error KeyPolicyError(std::string_view text) {
  auto policy = Compile(text, Kind::kKeyPolicy);
  EXPECT_FALSE(policy) << text;
  return policy ? Error{} : policy.error();
}

Error IdentityPolicyError(std::string_view text) {
  auto policy = Compile(text, Kind::kIdentityPolicy);
  EXPECT_FALSE(policy) << text;
  return policy ? Error{} : policy.error();
}

// KeyStatement is a key policy of one statement with these members behind Effect and Principal.
std::string KeyStatement(std::string_view members) {
  return R"({"Statement":{"Effect":"Allow","Principal":"*",)" + std::string(members) + "}}";
}

std::string WithPrincipal(std::string_view principal) {
  return R"({"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":)" +
         std::string(principal) + "}]}";
}

std::string IdentityStatement(std::string_view members) {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)" + std::string(members) +
         "}]}";
}

void ExpectMalformed(const Error& error, std::string_view part) {
  EXPECT_EQ(error.code, ErrorCode::kMalformedPolicyDocumentException);
  EXPECT_THAT(error.message, HasSubstr(part));
}

TEST(Compile, TakesEveryFormOfTheSupportedLanguage) {
  for (const char* text : {
           R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}})",
           R"({"Version":"2008-10-17","Id":"x","Statement":[
               {"Sid":"Two words","Effect":"Deny","Principal":{"AWS":["*","111122223333"]},
                "NotAction":["kms:Get?","KMS:*"],"NotResource":["arn:aws:kms:*"]}]})",
           R"({"Statement":[{"Sid":"","Effect":"Allow","Principal":"*"},
                            {"Sid":"","Effect":"Allow","Principal":"*"}]})",
       }) {
    EXPECT_TRUE(Compile(text, Kind::kKeyPolicy)) << text;
  }
  for (const char* text : {
           R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
           R"({"Statement":[{"Sid":"A1","Effect":"Deny","Action":["s3:GetObject","keyturn:*"],
                             "Resource":"arn:aws:s3:::bucket/*"}]})",
       }) {
    EXPECT_TRUE(Compile(text, Kind::kIdentityPolicy)) << text;
  }
}

TEST(Compile, RefusesWhatIsNoPolicy) {
  ExpectMalformed(KeyPolicyError(""), "not valid JSON");
  ExpectMalformed(KeyPolicyError("{"), "not valid JSON");
  ExpectMalformed(KeyPolicyError(R"({"Statement":[],"Statement":[]})"), "not valid JSON");
  ExpectMalformed(KeyPolicyError("[]"), "must be a JSON object");
  ExpectMalformed(KeyPolicyError("{}"), "Statement is missing");
  ExpectMalformed(KeyPolicyError(R"({"Statement":[]})"), "not empty");
  ExpectMalformed(KeyPolicyError(R"({"Statement":"x"})"), "Statement must be");
  ExpectMalformed(KeyPolicyError(R"({"Statement":[7]})"), "Statement[0]: A statement must be");
  ExpectMalformed(KeyPolicyError(R"({"Version":"2020-01-01","Statement":[]})"), "Version must be");
  ExpectMalformed(KeyPolicyError(R"({"Version":2012,"Statement":[]})"), "Version must be");
  ExpectMalformed(KeyPolicyError(R"({"Id":1,"Statement":[{}]})"), "Id must be a string");
  ExpectMalformed(KeyPolicyError(R"({"Extra":1,"Statement":[{}]})"), "unknown element");
}

TEST(Compile, RefusesStatementsThatAreWrongAndSaysWhere) {
  ExpectMalformed(KeyPolicyError(R"({"Statement":[{"Principal":"*"}]})"), "Effect is missing");
  ExpectMalformed(KeyPolicyError(R"({"Statement":[{"Effect":"allow","Principal":"*"}]})"),
                  "Effect must be Allow or Deny");
  ExpectMalformed(KeyPolicyError(R"({"Statement":[{"Effect":true,"Principal":"*"}]})"),
                  "Effect must be Allow or Deny");
  ExpectMalformed(
      KeyPolicyError(R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"),
      "Statement[0]: Principal is missing");
  ExpectMalformed(KeyPolicyError(KeyStatement(R"("Action":"*","NotAction":"*")")),
                  "Action and NotAction exclude each other");
  ExpectMalformed(KeyPolicyError(KeyStatement(R"("Resource":"*","NotResource":"*")")),
                  "Resource and NotResource exclude each other");
  ExpectMalformed(KeyPolicyError(KeyStatement(R"("Colour":"red")")), "unknown element");
  ExpectMalformed(KeyPolicyError(KeyStatement(R"("Sid":4)")), "Sid must be a string");
  const Error place = KeyPolicyError(R"({"Statement":[
      {"Sid":"Good","Effect":"Allow","Principal":"*"},
      {"Action":"Encrypt","Effect":"Allow","Principal":"*","Sid":"Bad one"}]})");
  EXPECT_EQ(place.message,
            "Statement[1] (Sid 'Bad one'): Action must be \"*\" or like kms:Encrypt.");
  ExpectMalformed(KeyPolicyError(R"({"Statement":[{"Sid":"A","Effect":"Allow","Principal":"*"},
                                                  {"Sid":"A","Effect":"Allow","Principal":"*"}]})"),
                  "Statement[1] (Sid 'A'): Sid must be unique");
}

TEST(Compile, RefusesActionsThatAreNone) {
  for (const char* action :
       {"\"\"", "\"Encrypt\"", "\"kms:\"", "\":Encrypt\"", "\"kms:En crypt\"", "\"k*:Encrypt\"",
        "\"kms:a:b\"", "[]", "7", "[\"kms:*\",7]", "[[\"kms:*\"]]", "null", "{}", "\"kms*\""}) {
    const std::string member = std::string("\"Action\":") + action;
    EXPECT_EQ(KeyPolicyError(KeyStatement(member)).code,
              ErrorCode::kMalformedPolicyDocumentException)
        << action;
    EXPECT_EQ(IdentityPolicyError(IdentityStatement(member + R"(,"Resource":"*")")).code,
              ErrorCode::kMalformedPolicyDocumentException)
        << action;
  }
}

TEST(Compile, KeyPoliciesTakeOnlyActionsOfKms) {
  ExpectMalformed(KeyPolicyError(KeyStatement(R"("Action":"s3:GetObject")")), "vendor kms");
  ExpectMalformed(KeyPolicyError(KeyStatement(R"("NotAction":["kms:*","keyturn:CreateUser"])")),
                  "vendor kms");
}

TEST(Compile, RefusesResourcesThatAreNoArn) {
  for (const char* resource : {"\"\"", "\"key/1\"", "\"**\"", "[]", "1", "[1]"}) {
    const std::string member = std::string("\"Resource\":") + resource;
    ExpectMalformed(KeyPolicyError(KeyStatement(member)), "Resource");
    ExpectMalformed(IdentityPolicyError(IdentityStatement(R"("Action":"*",)" + member)),
                    "Resource");
  }
}

TEST(Compile, IdentityPoliciesNeedActionAndResourceAndNameNoPrincipal) {
  ExpectMalformed(IdentityPolicyError(IdentityStatement(R"("Resource":"*")")),
                  "Action or NotAction is missing");
  ExpectMalformed(IdentityPolicyError(IdentityStatement(R"("Action":"*")")),
                  "Resource or NotResource is missing");
  ExpectMalformed(
      IdentityPolicyError(IdentityStatement(R"("Action":"*","Resource":"*","Principal":"*")")),
      "must not name a principal");
  ExpectMalformed(
      IdentityPolicyError(IdentityStatement(R"("Action":"*","Resource":"*","Sid":"a b")")),
      "letters and digits");
}

TEST(Compile, DollarBraceIsPlainTextInTheOldVersion) {
  EXPECT_TRUE(Compile(R"({"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*",
                          "Resource":"arn:aws:kms:*:*:key/${aws:username}"}})",
                      Kind::kIdentityPolicy));
}

TEST(Compile, PrincipalsAreCheckedForForm) {
  for (const char* good : {R"("*")", R"({"AWS":"*"})", R"({"AWS":"111122223333"})",
                           R"({"AWS":"arn:aws:iam::111122223333:root"})",
                           R"({"AWS":"arn:aws-cn:iam::111122223333:user/division/anna"})",
                           R"({"AWS":["arn:aws:iam::111122223333:role/aws-service-role/x/R"]})",
                           R"({"AWS":"arn:aws:sts::111122223333:assumed-role/R/session@x"})",
                           R"({"AWS":"arn:aws:sts::111122223333:federated-user/bob"})"}) {
    EXPECT_TRUE(Compile(WithPrincipal(good), Kind::kKeyPolicy)) << good;
  }
  for (const char* bad :
       {R"("111122223333")", R"({"AWS":"1"})", R"({"AWS":""})", R"({"AWS":"anna"})",
        R"({"AWS":"arn:aws:iam::111122223333:user/*"})", R"({"AWS":"arn:aws:iam::*:root"})",
        R"({"AWS":"arn:aws:iam::111122223333:user/"})",
        R"({"AWS":"arn:aws:iam::111122223333:group/g"})",
        R"({"AWS":"arn:aws:iam:eu-west-1:111122223333:root"})",
        R"({"AWS":"arn:aws:kms::111122223333:user/x"})",
        R"({"AWS":"arn:gcp:iam::111122223333:root"})",
        R"({"AWS":"arn:aws:sts::111122223333:assumed-role/R"})",
        R"({"AWS":"arn:aws:iam::111122223333:user/${aws:username}"})",
        R"({"AWS":"AIDAEXAMPLE"})"}) {
    const Error error = KeyPolicyError(WithPrincipal(bad));
    EXPECT_EQ(error.code, ErrorCode::kMalformedPolicyDocumentException) << bad;
    EXPECT_EQ(error.message, "Policy contains a statement with one or more invalid principals.")
        << bad;
  }
  for (const char* bad : {"{}", "[]", "1", R"({"AWS":[]})", R"({"AWS":[1]})", R"({"Aws":"*"})"}) {
    ExpectMalformed(KeyPolicyError(WithPrincipal(bad)), "Principal");
  }
}

TEST(Principals, AnArnIsOneThatAKeyPolicyMayName) {
  for (const char* good :
       {"arn:aws:iam::111122223333:root", "arn:aws-cn:iam::111122223333:user/staff/anna",
        "arn:aws:iam::111122223333:role/ci/Deploy",
        "arn:aws:sts::111122223333:assumed-role/Deploy/job-7",
        "arn:aws:sts::111122223333:federated-user/pia"}) {
    EXPECT_TRUE(IsPrincipalArn(good)) << good;
  }
  for (const char* bad :
       {"*", "111122223333", "logs.amazonaws.com", "arn:foo:iam::111122223333:root",
        "arn:aws:iam:us-east-1:111122223333:root", "arn:aws:iam::111122223333:group/a",
        "arn:aws:sts::111122223333:assumed-role/Deploy/a/b",
        "arn:aws:sts::111122223333:federated-user/", "arn:aws:sts::111122223333:user/anna"}) {
    EXPECT_FALSE(IsPrincipalArn(bad)) << bad;
  }
}

TEST(Compile, NamesTheUsersRolesAndSessionsOfAKeyPolicy) {
  const auto policy =
      Compile(WithPrincipal(R"({"AWS":["*","111122223333","arn:aws:iam::111122223333:root",
                        "arn:aws:iam::111122223333:user/a","arn:aws:iam::111122223333:role/p/r"]})"),
              Kind::kKeyPolicy);
  ASSERT_TRUE(policy);
  EXPECT_THAT(NamedPrincipals(**policy), ElementsAre("arn:aws:iam::111122223333:user/a",
                                                     "arn:aws:iam::111122223333:role/p/r"));
}

TEST(Compile, LongKeyPoliciesExceedALimit) {
  const std::string text = KeyStatement(R"("Action":"*","Resource":"*")");
  std::string longest = text + std::string(32'768 - text.size(), ' ');
  EXPECT_TRUE(Compile(longest, Kind::kKeyPolicy));
  longest += ' ';
  EXPECT_EQ(KeyPolicyError(longest).code, ErrorCode::kLimitExceededException);
  EXPECT_TRUE(CompileStored(longest));
  const std::string identity = IdentityStatement(R"("Action":"*","Resource":"*")");
  EXPECT_TRUE(Compile(identity + std::string(100'000, ' '), Kind::kIdentityPolicy));
  ExpectMalformed(IdentityPolicyError(identity + std::string(131'072, ' ')), "JSON");
}

TEST(Text, DefaultKeyPolicyIsAwssAndStandsAsPrinted) {
  const std::string text = DefaultKeyPolicy("aws-cn", Account());
  EXPECT_EQ(text, R"({
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws-cn:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
})");
  EXPECT_EQ(Reserialize(text), text);
  EXPECT_TRUE(Compile(text, Kind::kKeyPolicy));
}

TEST(Text, AwsManagedKeysCanBeUsedAndReadButNotChanged) {
  const std::string text = AwsManagedKeyPolicy("aws", Account(), "sqs");
  EXPECT_EQ(Reserialize(text), text);
  const auto policy = Compile(text, Kind::kKeyPolicy);
  ASSERT_TRUE(policy);
  const Principal user{Account(), "arn:aws:iam::111122223333:user/anna"};
  const auto effect = [&](std::string_view action) {
    return Evaluate(**policy, Request{action, kKeyArn, &user});
  };
  for (const char* action :
       {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
        "kms:GetKeyRotationStatus", "kms:ListKeyRotations"}) {
    EXPECT_EQ(effect(action), Effect::kAllowAccount) << action;
  }
  for (const char* action :
       {"kms:PutKeyPolicy", "kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKeyRotation",
        "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:RotateKeyOnDemand"}) {
    EXPECT_EQ(effect(action), Effect::kNone) << action;
  }
  const Principal stranger{Account("444455556666"), "arn:aws:iam::444455556666:user/eve"};
  EXPECT_EQ(Evaluate(**policy, Request{"kms:Encrypt", kKeyArn, &stranger}), Effect::kNone);
}

TEST(Text, ReserializePrintsListsInLineAndObjectsOverLines) {
  EXPECT_EQ(Reserialize(R"({"b":[1,"x",[true,null]],"a":[{"k":{}},{"l":[]}],"c":"\u00fc\n/"})"),
            "{\n"
            "  \"b\" : [ 1, \"x\", [ true, null ] ],\n"
            "  \"a\" : [ {\n"
            "    \"k\" : { }\n"
            "  }, {\n"
            "    \"l\" : [ ]\n"
            "  } ],\n"
            "  \"c\" : \"\u00fc\\n/\"\n"
            "}");
  const auto bad = Reserialize("{");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kMalformedPolicyDocumentException);
}

}  // namespace
}  // namespace keyturn::policy
