// What Organizations, EC2 and STS say, read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/scripted_http.h"
#include "client/sources.h"

namespace keyturn::client {
namespace {

using testing::HasSubstr;

class OrganizationTest : public testing::Test {
 protected:
  Result<std::vector<OrganizationAccount>> List() {
    ScriptedHttp http(clock, [this](const http::ClientRequest& request) {
      requests.push_back(request);
      return pages.at(std::min(requests.size(), pages.size()) - 1);
    });
    ServiceSite site;
    site.region = "us-east-1";
    return ListAccounts(http, site, credentials, clock);
  }

  ManualClock clock{*ParseIso8601("2026-11-24T12:00:00Z")};
  sigv4::Credentials credentials{"AKID", SecretBytes::CopyOf(AsBytes("s")), "token"};
  std::vector<Result<http::ClientResponse>> pages;
  std::vector<http::ClientRequest> requests;
};

TEST_F(OrganizationTest, PagesAreFollowedAlsoEmptyOnes) {
  pages = {JsonReply(200, R"({"Accounts":[{"Id":"222233334444","Name":"b","Status":"SUSPENDED"},)"
                          R"({"Id":"111122223333","Name":"a","State":"ACTIVE","Status":"X"}],)"
                          R"("NextToken":"t1"})"),
           JsonReply(200, R"({"Accounts":[],"NextToken":"t\"2"})"),
           JsonReply(200, R"({"Accounts":[{"Id":"333344445555","Status":"ACTIVE"}]})")};
  const auto accounts = List();
  ASSERT_TRUE(accounts.has_value()) << accounts.error().message;
  ASSERT_EQ(accounts->size(), 3U);
  EXPECT_EQ((*accounts)[0].id, "111122223333");
  EXPECT_EQ((*accounts)[0].state, "ACTIVE") << "State beats Status";
  EXPECT_EQ((*accounts)[1].state, "SUSPENDED");
  EXPECT_EQ(requests[0].url, "https://organizations.us-east-1.amazonaws.com/");
  EXPECT_EQ(HeaderOf(requests[0], "X-Amz-Target"), "AWSOrganizationsV20161128.ListAccounts");
  EXPECT_THAT(HeaderOf(requests[0], "Authorization"), HasSubstr("/us-east-1/organizations/"));
  EXPECT_EQ(HeaderOf(requests[0], "X-Amz-Security-Token"), "token");
  EXPECT_EQ(requests[2].body, R"({"MaxResults":20,"NextToken":"t\"2"})");
}

TEST_F(OrganizationTest, AListThatDoesNotEndAndNonsenseAreErrors) {
  pages = {JsonReply(200, R"({"Accounts":[],"NextToken":"same"})")};
  EXPECT_THAT(List().error().message, HasSubstr("does not end"));
  for (const char* body :
       {"", "{}", R"({"Accounts":{}})", R"({"Accounts":[{"Id":"1","Status":"ACTIVE"}]})",
        R"({"Accounts":[{"Id":"111122223333"}]})", R"({"Accounts":["x"]})"}) {
    pages = {JsonReply(200, body)};
    requests.clear();
    EXPECT_THAT(List().error().message, HasSubstr("cannot be read")) << body;
  }
}

TEST_F(OrganizationTest, ARefusalSaysWhatToDo) {
  pages = {JsonReply(400, R"({"__type":"AccessDeniedException","Message":"no"})")};
  EXPECT_THAT(List().error().message, HasSubstr("organizations:ListAccounts, or name --accounts"));
  EXPECT_EQ(requests.size(), 1U) << "asking again does not help";
}

TEST(DescribeRegionsTest, TellsWhatTheAccountHasOptedInTo) {
  const auto states = ParseDescribeRegions(JsonReply(
      200,
      "<DescribeRegionsResponse xmlns='x'><regionInfo><item><regionName>us-east-1</regionName>"
      "<optInStatus>opt-in-not-required</optInStatus></item><item><regionName>af-south-1"
      "</regionName><optInStatus>not-opted-in</optInStatus></item><item><regionName>me-south-1"
      "</regionName><optInStatus>opted-in</optInStatus></item></regionInfo>"
      "</DescribeRegionsResponse>"));
  ASSERT_TRUE(states.has_value());
  ASSERT_EQ(states->size(), 3U);
  EXPECT_TRUE((*states)[0].enabled);
  EXPECT_FALSE((*states)[1].enabled);
  EXPECT_TRUE((*states)[2].enabled);
}

TEST(DescribeRegionsTest, WhatCannotBeReadIsAnError) {
  for (const char* body : {"", "<x/>", "<DescribeRegionsResponse/>",
                           "<DescribeRegionsResponse><regionInfo><item><regionName>../x"
                           "</regionName></item></regionInfo></DescribeRegionsResponse>"}) {
    EXPECT_EQ(ParseDescribeRegions(JsonReply(200, body)).error().code, ErrorCode::kUsage) << body;
  }
  const auto denied = ParseDescribeRegions(JsonReply(
      403,
      "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>"));
  EXPECT_EQ(denied.error().code, ErrorCode::kAccessDeniedException);
  EXPECT_THAT(denied.error().message, HasSubstr("UnauthorizedOperation"));
  EXPECT_EQ(ParseDescribeRegions(JsonReply(503, "")).error().code, ErrorCode::kNetwork);
}

TEST(AssumeRoleTest, RefusalsAndPassingTroubleAreTold) {
  RoleRequest role;
  role.role_arn = "arn:aws:iam::111122223333:role/R";
  const auto code = [&role](int status, const char* body) {
    return ParseAssumeRole(role, JsonReply(status, body)).error().code;
  };
  EXPECT_EQ(code(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"),
            ErrorCode::kAccessDeniedException);
  EXPECT_EQ(code(400, "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>"),
            ErrorCode::kUsage);
  EXPECT_EQ(code(400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"),
            ErrorCode::kNetwork);
  EXPECT_EQ(code(503, ""), ErrorCode::kNetwork);
  EXPECT_EQ(code(200, "<x/>"), ErrorCode::kUsage);
}

}  // namespace
}  // namespace keyturn::client
