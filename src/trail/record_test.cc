// A record has CloudTrail's members in CloudTrail's order, and is always one line of valid JSON.
#include "trail/record.h"

#include <gtest/gtest.h>

#include <random>

#include "json/json.h"

namespace keyturn::trail {
namespace {

Record EncryptByUser() {
  Record record;
  record.identity = {"IAMUser",      "AIDAEXAMPLE",          "arn:aws:iam::111122223333:user/anna",
                     "111122223333", "AKIAIOSFODNN7EXAMPLE", "anna"};
  record.event_time = FromEpochMillis(1795478106123);
  record.event_name = "Encrypt";
  record.region = "eu-west-1";
  record.source_ip = "192.0.2.1";
  record.user_agent = "aws-cli/2.9";
  record.request_parameters_json = R"({"keyId":"alias/a"})";
  record.request_id = "5e3b0c1a-0000-4000-8000-000000000001";
  record.event_id = "5e3b0c1a-0000-4000-8000-000000000002";
  record.read_only = true;
  record.resources = {{"111122223333", "AWS::KMS::Key",
                       "arn:aws:kms:eu-west-1:111122223333:key/"
                       "1234abcd-12ab-34cd-56ef-1234567890ab"}};
  record.recipient_account_id = "111122223333";
  return record;
}

std::string Line(const Record& record) {
  std::string out;
  AppendLine(record, out);
  return out;
}

TEST(Record, AMessageEndsWithItsFirstKilobyte) {
  Record record = EncryptByUser();
  record.error_code = "ValidationException";
  const auto message = [&](const std::string& text) {
    record.error_message = text;
    json::Parser parser;
    const auto parsed = parser.Parse(Line(record));
    return parsed ? std::string(*parsed->Find("errorMessage")->AsString()) : "no JSON";
  };
  const std::string whole(1024, 'x');
  EXPECT_EQ(message(whole), whole);
  EXPECT_EQ(message(whole + "y"), whole);
  const std::string without_last(1022, 'x');
  EXPECT_EQ(message(without_last + "\xE2\x82\xAC" + "y"), without_last);  // three bytes
  EXPECT_NE(message(std::string(2000, '\x80')), "no JSON");
}

TEST(Record, CallOfAUser) {
  Record record = EncryptByUser();
  record.additional_event_data_json = R"({"keyMaterialId":"00ff"})";
  record.tls_version = "TLSv1.3";
  record.tls_cipher_suite = "TLS_AES_128_GCM_SHA256";
  record.tls_host = "localhost:7000";
  EXPECT_EQ(
      Line(record),
      R"({"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE",)"
      R"("arn":"arn:aws:iam::111122223333:user/anna","accountId":"111122223333",)"
      R"("accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"anna"},)"
      R"("eventTime":"2026-11-23T23:55:06Z","eventSource":"kms.amazonaws.com",)"
      R"("eventName":"Encrypt","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1",)"
      R"("userAgent":"aws-cli/2.9","requestParameters":{"keyId":"alias/a"},)"
      R"("responseElements":null,"additionalEventData":{"keyMaterialId":"00ff"},)"
      R"("requestID":"5e3b0c1a-0000-4000-8000-000000000001",)"
      R"("eventID":"5e3b0c1a-0000-4000-8000-000000000002","readOnly":true,)"
      R"("resources":[{"accountId":"111122223333","type":"AWS::KMS::Key",)"
      R"("ARN":"arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}],)"
      R"("eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",)"
      R"("eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3",)"
      R"("cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"localhost:7000"}})"
      "\n");
}

TEST(Record, RotationByTheServiceItself) {
  Record record;
  record.identity.account_id = "111122223333";
  record.event_time = FromEpochMillis(0);
  record.event_name = "RotateKey";
  record.region = "eu-west-1";
  record.source_ip = "AWS Internal";
  record.user_agent = "AWS Internal";
  record.event_id = "5e3b0c1a-0000-4000-8000-000000000002";
  record.event_type = "AwsServiceEvent";
  record.recipient_account_id = "111122223333";
  record.service_event_details_json = R"({"rotationType":"AUTOMATIC"})";
  EXPECT_EQ(
      Line(record),
      R"({"eventVersion":"1.11","userIdentity":{"accountId":"111122223333",)"
      R"("invokedBy":"AWS Internal"},"eventTime":"1970-01-01T00:00:00Z",)"
      R"("eventSource":"kms.amazonaws.com","eventName":"RotateKey","awsRegion":"eu-west-1",)"
      R"("sourceIPAddress":"AWS Internal","userAgent":"AWS Internal","requestParameters":null,)"
      R"("responseElements":null,"eventID":"5e3b0c1a-0000-4000-8000-000000000002",)"
      R"("readOnly":false,"eventType":"AwsServiceEvent","managementEvent":true,)"
      R"("recipientAccountId":"111122223333","serviceEventDetails":{"rotationType":"AUTOMATIC"},)"
      R"("eventCategory":"Management"})"
      "\n");
}

TEST(Record, FailuresCarryTheErrorAndTwoResourcesAreAList) {
  Record record = EncryptByUser();
  record.error_code = "AccessDenied";
  record.error_message = "User: \"x\"\nis not authorized";
  record.resources.push_back({"111122223333", "AWS::KMS::Alias", "arn:alias"});
  const std::string line = Line(record);
  EXPECT_NE(line.find(R"("errorCode":"AccessDenied","errorMessage":"User: \"x\"\nis not)"),
            std::string::npos);
  json::Parser parser;
  const auto value = parser.Parse(line);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->Find("resources")->size(), 2U);
}

TEST(Record, TimesFollowTheRecordNotTheOneBefore) {
  Record record = EncryptByUser();
  (void)Line(record);
  record.event_time += Millis{877};  // next second
  EXPECT_NE(Line(record).find("23:55:07Z"), std::string::npos);
  record.event_time -= std::chrono::hours{24};
  EXPECT_NE(Line(record).find("2026-11-22T23:55:07Z"), std::string::npos);
}

TEST(Record, NothingThatAClientSendsBreaksTheLine) {
  std::mt19937 random(5);
  json::Parser parser;
  for (int i = 0; i < 5'000; ++i) {
    std::string agent(random() % 40, 'x');
    for (char& c : agent) {
      if (random() % 3 == 0) {
        c = static_cast<char>(random());
      }
    }
    Record record = EncryptByUser();
    record.user_agent = agent;
    const std::string line = Line(record);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const auto value = parser.Parse(line);
    ASSERT_TRUE(value) << line;
    ASSERT_EQ(value->Find("eventCategory")->AsString(), "Management");
  }
}

TEST(Record, TextSurvivesAndOnlyBadUtf8IsReplaced) {
  for (const auto& [given, kept] : std::initializer_list<std::pair<std::string, std::string>>{
           {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x91",
            "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x91"},
           {"quote \" slash \\ tab \t nul \x01", "quote \" slash \\ tab \t nul \x01"},
           {"exactly8", "exactly8"},
           {"1234567\"", "1234567\""},
           {"1234567\\", "1234567\\"},
           {"1234567\x1F", "1234567\x1F"},
           {"1234567\x7F", "1234567\x7F"},
           {"bad \xFF here", "bad \xEF\xBF\xBD here"},
           {"overlong \xC0\xAF", "overlong \xEF\xBF\xBD\xEF\xBF\xBD"},
           {"surrogate \xED\xA0\x80", "surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
           {"cut \xE2\x82", "cut \xEF\xBF\xBD\xEF\xBF\xBD"}}) {
    Record record = EncryptByUser();
    record.user_agent = given;
    json::Parser parser;
    const auto value = parser.Parse(Line(record));
    ASSERT_TRUE(value) << given;
    EXPECT_EQ(value->Find("userAgent")->AsString(), kept);
  }
}

}  // namespace
}  // namespace keyturn::trail
