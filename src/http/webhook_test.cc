// Webhook: where it may go, how an event is signed, what counts as taken, and that it ends at once.
#include "http/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <future>

#include "http/scripted_server.h"

namespace keyturn::http {
namespace {

using testing::HasSubstr;

WebhookTarget TargetAt(std::uint16_t port) {
  return {"http://127.0.0.1:" + std::to_string(port) + "/kms",
          SecretBytes::CopyOf(AsBytes("0123456789abcdef"))};
}

class WebhookTest : public testing::Test {
 protected:
  ~WebhookTest() override { unsetenv("http_proxy"); }
  const std::atomic<bool> going_{false};
};

TEST_F(WebhookTest, GoesToHttpsOrToThisMachine) {
  for (const char* good : {"https://example.com/kms", "https://example.com", "http://127.0.0.1/",
                           "http://127.0.0.2:81/x", "http://[::1]:8080/x"}) {
    EXPECT_TRUE(CheckWebhookUrl(good).has_value()) << good;
  }
  for (const char* bad :
       {"http://example.com/", "ftp://127.0.0.1/", "http://127.0.0.1@example.com/", "https://", "",
        "http://127.0.0.1.example.com/", "https://name:secret@example.com/", "https:///path"}) {
    EXPECT_EQ(CheckWebhookUrl(bad).error().code, ErrorCode::kUsage) << bad;
  }
}

TEST_F(WebhookTest, SignsTheEventAndTakesAnAnswerOfTwoHundreds) {
  std::promise<std::string> head;
  ScriptedServer receiver([&head](ScriptedServer::Talk& talk) {
    head.set_value(talk.ReadHead());
    talk.Send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  auto webhook = Webhook::Open(TargetAt(receiver.port()));
  ASSERT_TRUE(webhook.has_value());
  EXPECT_TRUE(webhook->Send("id-1", R"({"a":1})", going_).has_value());
  const std::string got = head.get_future().get();
  EXPECT_THAT(got, HasSubstr("POST /kms HTTP/1.1\r\n"));
  EXPECT_THAT(got, HasSubstr("x-keyturn-event-id: id-1\r\n"));
  // printf '{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
  EXPECT_THAT(
      got,
      HasSubstr("x-keyturn-signature: "
                "sha256=1c76fbb930d3aa8b1633728fae212c68ca68a6752bb319b98be6fe17e86cf5b8\r\n"));
}

TEST_F(WebhookTest, NoProxyComesBetweenItAndThisMachine) {
  ScriptedServer receiver([](ScriptedServer::Talk& talk) {
    if (talk.ReadHead().starts_with("POST /kms "))
      talk.Send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  unsetenv("no_proxy");  // which other tests of this room set
  setenv("http_proxy", "http://127.0.0.1:9", 1);
  auto webhook = Webhook::Open(TargetAt(receiver.port()));
  ASSERT_TRUE(webhook.has_value());
  EXPECT_TRUE(webhook->Send("id", "{}", going_).has_value());
}

TEST_F(WebhookTest, AnythingElseIsNotTaken) {
  ScriptedServer receiver([](ScriptedServer::Talk& talk) {
    talk.ReadHead();
    talk.Send(talk.number == 1 ? "HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                               : "HTTP/1.1 301 No\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n");
  });
  auto webhook = Webhook::Open(TargetAt(receiver.port()));
  ASSERT_TRUE(webhook.has_value());
  EXPECT_EQ(webhook->Send("id", "{}", going_).error().message, "status 503");
  EXPECT_EQ(webhook->Send("id", "{}", going_).error().message, "status 301");
}

TEST_F(WebhookTest, AStopEndsTheAttempt) {
  std::atomic<bool> stopping{false};
  ScriptedServer receiver([&stopping](ScriptedServer::Talk& talk) {
    talk.ReadHead();
    stopping = true;
    talk.ReadHead();  // until the sender hangs up
  });
  auto webhook = Webhook::Open(TargetAt(receiver.port()));
  ASSERT_TRUE(webhook.has_value());
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(webhook->Send("id", "{}", stopping).error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
}

}  // namespace
}  // namespace keyturn::http
