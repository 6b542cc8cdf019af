// Calls: what is sent, what is retried, what is final.
#include "client/kms_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "client/scripted_http.h"

namespace keyturn::client {
namespace {

using http::ClientRequest;
using http::ClientResponse;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kThrottlingBody =
    R"({"__type":"ThrottlingException","message":"Rate exceeded"})";

class KmsClientTest : public testing::Test {
 protected:
  void Start(ScriptedHttp::Reply reply) { Start(std::move(reply), options_); }
  void Start(ScriptedHttp::Reply reply, const KmsClientOptions& options) {
    http_ = std::make_unique<ScriptedHttp>(clock_, std::move(reply));
    auto made = KmsClient::Create(*http_, credentials_, clock_, random_, options);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    client_ = std::move(*made);
  }

  // CallOne makes a call and waits for it.
  CallResult CallOne(std::string_view operation = "DescribeKey") {
    CallResult result = tl::unexpected(CallError{"not called", {}, {}, 0});
    client_->Call(operation, "eu-central-1", "{}", [&](CallResult r) { result = std::move(r); });
    while (client_->Pump(Millis(1000)) > 0) {
    }
    return result;
  }

  // AfterFailures answers the first n requests with reply, the others with success.
  static ScriptedHttp::Reply AfterFailures(int n, Result<ClientResponse> reply) {
    return [n, reply, seen = 0](const ClientRequest&) mutable -> Result<ClientResponse> {
      return seen++ < n ? reply : JsonReply(200, "{}");
    };
  }

  ManualClock clock_{*ParseIso8601("2026-11-24T00:00:00Z")};
  FixedRandom random_{0x80};
  sigv4::Credentials credentials_{"AKIDEXAMPLE", SecretBytes::CopyOf(AsBytes("secret")), {}};
  KmsClientOptions options_ = [this] {
    auto options = ScriptedHttp::Options(clock_);
    options.endpoint_url = "http://127.0.0.1:4566";
    return options;
  }();
  std::unique_ptr<ScriptedHttp> http_;
  std::unique_ptr<KmsClient> client_;
};

TEST_F(KmsClientTest, ACallIsASignedPostOfJson11) {
  ClientRequest sent;
  Start([&sent](const ClientRequest& request) {
    sent = request;
    return JsonReply(200, R"({"ok":true})", "id-7");
  });
  const auto result = CallOne();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->body, R"({"ok":true})");
  EXPECT_EQ(result->request_id, "id-7");
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "http://127.0.0.1:4566/");
  EXPECT_EQ(sent.body, "{}");
  EXPECT_EQ(HeaderOf(sent, "Host"), "127.0.0.1:4566");
  EXPECT_EQ(HeaderOf(sent, "X-Amz-Target"), "TrentService.DescribeKey");
  EXPECT_EQ(HeaderOf(sent, "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(HeaderOf(sent, "X-Amz-Date"), "20261124T000000Z");
  EXPECT_THAT(HeaderOf(sent, "Authorization"),
              StartsWith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/eu-central-1/kms/"));
  EXPECT_EQ(HeaderOf(sent, "X-Amz-Security-Token"), "");
}

TEST_F(KmsClientTest, TheServersSideOfTheSignatureAcceptsIt) {
  credentials_.session_token = "token/with+signs=";
  Status verified = Fail(ErrorCode::kInternal, "nothing was sent");
  Start([&](const ClientRequest& request) {
    std::vector<sigv4::Header> headers;
    for (const auto& [name, value] : request.headers) headers.push_back({name, value});
    const sigv4::Request seen{.method = "POST",
                              .path = "/",
                              .query = {},
                              .headers = headers,
                              .body = AsBytes(request.body)};
    const auto authorization = sigv4::ParseAuthorization(seen, "kms", clock_.Now());
    verified = authorization
                   ? sigv4::VerifySignature(
                         seen, *authorization,
                         crypto::HmacKey(sigv4::SigningKey(credentials_.secret_access_key.reveal(),
                                                           "20261124", "eu-central-1", "kms")
                                             .reveal()))
                   : Status(Fail(authorization.error()));
    EXPECT_EQ(authorization->security_token, credentials_.session_token);
    return JsonReply(200, "{}");
  });
  ASSERT_TRUE(CallOne().has_value());
  EXPECT_TRUE(verified.has_value()) << verified.error().message;
}

TEST_F(KmsClientTest, AwsIsAddressedByRegion) {
  options_.endpoint_url.clear();
  std::string url;
  Start([&url](const ClientRequest& request) {
    url = request.url;
    return JsonReply(200, "{}");
  });
  EXPECT_TRUE(client_->is_aws());
  ASSERT_TRUE(CallOne().has_value());
  EXPECT_EQ(url, "https://kms.eu-central-1.amazonaws.com/");
}

TEST_F(KmsClientTest, TransientFailuresAreTriedAgain) {
  const std::vector<Result<ClientResponse>> failures = {
      Fail(ErrorCode::kNetwork, "refused"),
      Fail(ErrorCode::kTimeout, "too slow"),
      JsonReply(500, R"({"__type":"KMSInternalException"})"),
      JsonReply(503, "no JSON"),
      JsonReply(400, R"({"__type":"DependencyTimeoutException"})"),
  };
  for (const auto& failure : failures) {
    Start(AfterFailures(3, failure));
    EXPECT_TRUE(CallOne().has_value());
    EXPECT_EQ(client_->counts().at("DescribeKey").calls, 4U);
    EXPECT_EQ(client_->counts().at("DescribeKey").failed, 0U);
  }
}

TEST_F(KmsClientTest, AttemptsEnd) {
  options_.attempts_max = 3;
  Start(AfterFailures(100, Fail(ErrorCode::kNetwork, "connection refused")));
  const auto result = CallOne();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, kNetworkError);
  EXPECT_EQ(result.error().message, "connection refused");
  EXPECT_EQ(client_->counts().at("DescribeKey").calls, 3U);
  EXPECT_EQ(client_->counts().at("DescribeKey").failed, 1U);
}

TEST_F(KmsClientTest, AnEndpointThatIsDownIsNotWaitedForAgainAndAgain) {
  bool up = false;
  Start([&up](const ClientRequest&) -> Result<ClientResponse> {
    if (up) return JsonReply(200, "{}");
    return Fail(ErrorCode::kNetwork, "refused");
  });
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(CallOne().has_value());
  const auto before = client_->counts().at("DescribeKey").calls;
  EXPECT_FALSE(CallOne().has_value());
  EXPECT_EQ(client_->counts().at("DescribeKey").calls, before + 1);
  up = true;
  EXPECT_TRUE(CallOne().has_value());
  up = false;
  const auto again = client_->counts().at("DescribeKey").calls;
  EXPECT_FALSE(CallOne().has_value());
  EXPECT_EQ(client_->counts().at("DescribeKey").calls, again + 8);
}

TEST_F(KmsClientTest, WhatCannotSucceedIsNotTriedAgain) {
  for (const char* name :
       {"AccessDeniedException", "NotFoundException", "LimitExceededException",
        "KMSInvalidStateException", "DisabledException", "ValidationException"}) {
    Start(AfterFailures(1, JsonReply(400, std::string(R"({"__type":")") + name + R"("})")));
    const auto result = CallOne();
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().code, name);
    EXPECT_EQ(client_->counts().at("DescribeKey").calls, 1U) << name;
  }
}

TEST_F(KmsClientTest, ThrottledCallsComeBackUntilTheySucceed) {
  Start(AfterFailures(20, JsonReply(400, std::string(kThrottlingBody))));
  const TimePoint begin = clock_.Now();
  EXPECT_TRUE(CallOne().has_value());
  EXPECT_EQ(client_->counts().at("DescribeKey").throttled, 20U);
  EXPECT_GE(clock_.Now() - begin, Millis(20 * 750)) << "each throttling holds the lane";
}

TEST_F(KmsClientTest, ThrottlingForeverEndsWithItsName) {
  options_.throttle_patience = std::chrono::seconds(30);
  Start([](const ClientRequest&) { return JsonReply(400, std::string(kThrottlingBody)); });
  const auto result = CallOne();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, kThrottled);
  EXPECT_THAT(result.error().message, HasSubstr("Rate exceeded"));
}

TEST_F(KmsClientTest, AWrongClockIsCorrectedOnceFromTheAnswersDate) {
  std::vector<std::string> dates;
  Start([&](const ClientRequest& request) {
    dates.push_back(HeaderOf(request, "X-Amz-Date"));
    if (dates.size() > 1) return JsonReply(200, "{}");
    auto reply = JsonReply(400, R"({"__type":"InvalidSignatureException","message":"expired"})");
    reply.headers.emplace_back("date", "Tue, 24 Nov 2026 01:00:00 GMT");
    return reply;
  });
  EXPECT_TRUE(CallOne().has_value());
  ASSERT_EQ(dates.size(), 2U);
  EXPECT_EQ(dates[0], "20261124T000000Z");
  EXPECT_THAT(dates[1], StartsWith("20261124T01"));
  EXPECT_TRUE(CallOne().has_value());
  EXPECT_THAT(dates[2], StartsWith("20261124T01")) << "and it stays corrected";
}

TEST_F(KmsClientTest, AWrongSecretIsNoWrongClock) {
  int sent = 0;
  Start([&sent](const ClientRequest&) {
    ++sent;
    auto reply = JsonReply(400, R"({"__type":"InvalidSignatureException"})");
    reply.headers.emplace_back("date", "Tue, 24 Nov 2026 00:00:01 GMT");
    return reply;
  });
  const auto result = CallOne();
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().IsBadCredentials());
  EXPECT_EQ(sent, 1);
}

TEST_F(KmsClientTest, NoMoreThanTheLimitAreInFlight) {
  options_.in_flight_max = 5;
  Start([](const ClientRequest&) { return JsonReply(200, "{}"); });
  int done = 0;
  for (int i = 0; i < 100; ++i) {
    client_->Call("DescribeKey", "r-1", "{}", [&done](const CallResult&) { ++done; });
  }
  while (client_->Pump(Millis(10)) > 0) {
  }
  EXPECT_EQ(done, 100);
  EXPECT_EQ(http_->most_in_flight(), 5U);
}

TEST_F(KmsClientTest, AwsIsPacedByItsQuotaAndOthersAreNot) {
  for (const bool aws : {true, false}) {
    if (aws) options_.endpoint_url.clear();
    if (!aws) options_.endpoint_url = "http://localhost:1";
    options_.quota_share = 0.3;
    Start([](const ClientRequest&) { return JsonReply(200, "{}"); });
    http_->call_time = Millis(0);
    const TimePoint begin = clock_.Now();
    for (int i = 0; i < 45; ++i) {
      client_->Call("EnableKeyRotation", "eu-central-1", "{}", [](const CallResult&) {});
    }
    while (client_->Pump(Millis(1000)) > 0) {
    }
    const double seconds = std::chrono::duration<double>(clock_.Now() - begin).count();
    if (aws) {
      // 45 calls at 15 x 0.3 a second, and a slow start.
      EXPECT_GE(seconds, 9.5);
      EXPECT_LE(seconds, 14.0);
    } else {
      EXPECT_LT(seconds, 0.5);
    }
  }
}

TEST_F(KmsClientTest, ADelayedCallWaitsItsTime) {
  Start([](const ClientRequest&) { return JsonReply(200, "{}"); });
  const TimePoint begin = clock_.Now();
  TimePoint end;
  client_->Call(
      "DescribeKey", "r-1", "{}", [&](const CallResult&) { end = clock_.Now(); }, Millis(5000));
  while (client_->Pump(Millis(100)) > 0) {
  }
  EXPECT_GE(end - begin, Millis(5000));
  EXPECT_LT(end - begin, Millis(5200));
}

TEST_F(KmsClientTest, CancellingEndsEveryCallOnce) {
  Start([](const ClientRequest&) { return JsonReply(200, "{}"); });
  std::vector<std::string> codes;
  const auto note = [&codes](const CallResult& result) {
    codes.push_back(result ? "ok" : result.error().code);
  };
  for (int i = 0; i < 40; ++i) client_->Call("DescribeKey", "r-1", "{}", note);
  client_->Call("DescribeKey", "r-1", "{}", note, Millis(60000));
  client_->Pump(Millis(1));  // one is answered, others are in flight, the rest is queued
  client_->CancelAll();
  EXPECT_EQ(codes.size(), 41U);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "ok"), 1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), kCancelled), 40);
  EXPECT_EQ(client_->Pump(Millis(1)), 0U);
}

TEST_F(KmsClientTest, ACallbackMayCall) {
  Start([](const ClientRequest&) { return JsonReply(200, "{}"); });
  int done = 0;
  std::function<void(const CallResult&)> next = [&](const CallResult&) {
    if (++done < 10) client_->Call("ListKeys", "r-1", "{}", next);
  };
  client_->Call("ListKeys", "r-1", "{}", next);
  while (client_->Pump(Millis(1)) > 0) {
  }
  EXPECT_EQ(done, 10);
}

TEST_F(KmsClientTest, ARegionThatIsNoneFailsItsCallsOnly) {
  options_.endpoint_url.clear();
  Start([](const ClientRequest&) { return JsonReply(200, "{}"); });
  std::string code;
  client_->Call("ListKeys", "evil.example.org/", "{}",
                [&code](const CallResult& result) { code = result.error().code; });
  while (client_->Pump(Millis(1)) > 0) {
  }
  EXPECT_EQ(code, kBadEndpoint);
  EXPECT_TRUE(CallOne().has_value());
}

TEST_F(KmsClientTest, OptionsAreChecked) {
  ScriptedHttp http(clock_, [](const ClientRequest&) { return JsonReply(200, "{}"); });
  for (const double share : {0.0, -1.0, 1.01}) {
    options_.quota_share = share;
    EXPECT_FALSE(KmsClient::Create(http, credentials_, clock_, random_, options_).has_value());
  }
  options_.quota_share = 1.0;
  EXPECT_TRUE(KmsClient::Create(http, credentials_, clock_, random_, options_).has_value());
  options_.endpoint_url = "localhost:4566";
  EXPECT_FALSE(KmsClient::Create(http, credentials_, clock_, random_, options_).has_value());
}

TEST(ParseCallErrorTest, NamesAreCutOutOfTheirForms) {
  const auto code = [](std::string body) { return ParseCallError(JsonReply(400, body)).code; };
  EXPECT_EQ(code(R"({"__type":"NotFoundException"})"), "NotFoundException");
  EXPECT_EQ(code(R"({"__type":"com.amazonaws.kms#NotFoundException"})"), "NotFoundException");
  EXPECT_EQ(code(R"({"__type":"aws.kms#NotFoundException:http://internal/x#y"})"),
            "NotFoundException");
  EXPECT_EQ(code(R"({"code":"NotFoundException"})"), "NotFoundException");
}

TEST(ParseCallErrorTest, BothSpellingsOfTheMessageAreRead) {
  EXPECT_EQ(ParseCallError(JsonReply(400, R"({"__type":"X","message":"m"})")).message, "m");
  EXPECT_EQ(ParseCallError(JsonReply(400, R"({"__type":"X","Message":"M"})")).message, "M");
  EXPECT_EQ(ParseCallError(JsonReply(400, R"({"__type":"X"})")).message, "");
}

TEST(ParseCallErrorTest, TheHeaderNamesTheErrorWhenTheBodyDoesNot) {
  auto reply = JsonReply(400, "");
  reply.headers.emplace_back("x-amzn-errortype", "ThrottlingException:");
  EXPECT_EQ(ParseCallError(reply).code, "ThrottlingException");
}

TEST(ParseCallErrorTest, AProxysPageIsNoAwsError) {
  const auto error = ParseCallError(JsonReply(404, "<html>"));
  EXPECT_EQ(error.code, kMalformedAnswer);
  EXPECT_EQ(error.http_status, 404);
  EXPECT_THAT(error.message, HasSubstr("404"));
}

}  // namespace
}  // namespace keyturn::client
