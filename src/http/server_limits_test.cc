// What the server does to clients that send too much, too slowly, or something else than HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "http/server.h"
#include "http/test_peer.h"

namespace keyturn::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kGetReply = ReplyText("GET / ? ");

class ServerLimitsTest : public ::testing::Test {
 protected:
  ServerLimitsTest() {
    options_.body_bytes_max = 100;
    options_.sweep_interval = std::chrono::milliseconds(2);
    options_.steady_now = [this] {
      ++sweeps_;
      sweeps_.notify_all();
      return std::chrono::steady_clock::time_point(std::chrono::seconds(seconds_.load()));
    };
  }
  void Start() { server_ = StartServer(echo_, options_); }
  std::string AnswerTo(std::string_view request) {
    TestPeer peer(server_->port());
    EXPECT_TRUE(peer.Send(request));
    return peer.ReadToEnd();
  }

  // Advance lets time pass and returns when the server has acted on it.
  void Advance(int seconds) {
    seconds_ += seconds;
    for (const int end = sweeps_ + 2; sweeps_ < end;) {
      sweeps_.wait(sweeps_);
    }
  }

  std::atomic<int> seconds_{1000};
  std::atomic<int> sweeps_{0};
  EchoHandler echo_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerLimitsTest, RefusesAndClosesWithTheReasonsStatus) {
  Start();
  const std::string big(17000, 'a');
  const std::pair<std::string, const char*> cases[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + big + "\r\n\r\n", "431 "},
      {"GET /" + big + " HTTP/1.1\r\nHost: h\r\n\r\n", "431 "},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", "413 "},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\nabc", "413 "},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505 "},
      {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", "505 "},
      {"GET / HTTQ/1.1\r\nHost: h\r\n\r\n", "400 "},
      {"\x16\x03\x01\x02hello", "400 "},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501 "},
      {"POST / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\nContent-Length: 1\r\n\r\n", "417 "},
  };
  for (const auto& [request, status] : cases) {
    const std::string reply = AnswerTo(request);
    EXPECT_THAT(reply, StartsWith(std::string("HTTP/1.1 ") + status)) << request.substr(0, 60);
    EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
  }
}

TEST_F(ServerLimitsTest, RefusalReachesAClientThatIsStillSending) {
  Start();
  TestPeer peer(server_->port());
  ASSERT_TRUE(peer.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n"));
  peer.Send(std::string(5000000, 'x'));
  EXPECT_THAT(peer.ReadReply(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerLimitsTest, SumOfChunksIsLimited) {
  Start();
  std::string request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) {
    request += "a\r\n0123456789\r\n";
  }
  EXPECT_THAT(AnswerTo(request), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerLimitsTest, EndlessChunkExtensionIsRefused) {
  Start();
  EXPECT_THAT(AnswerTo("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                       std::string(40000, 'e')),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerLimitsTest, IdleConnectionIsClosedAfterTheTimeoutAndNotBefore) {
  options_.idle_timeout_seconds = 30;
  Start();
  TestPeer fresh(server_->port());
  TestPeer used(server_->port());
  ASSERT_TRUE(used.Send(kGet));
  EXPECT_EQ(used.ReadReply(), kGetReply);
  Advance(29);
  ASSERT_TRUE(used.Send(kGet));
  EXPECT_EQ(used.ReadReply(), kGetReply);
  seconds_ += 31;
  EXPECT_EQ(fresh.ReadToEnd(), "");
  seconds_ += 31;
  EXPECT_EQ(used.ReadToEnd(), "");
}

TEST_F(ServerLimitsTest, SlowRequestIsTold) {
  options_.request_timeout_seconds = 5;
  Start();
  TestPeer peer(server_->port());
  TestPeer other(server_->port());
  ASSERT_TRUE(
      peer.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"));
  EXPECT_EQ(peer.ReadReply(), "HTTP/1.1 100 Continue\r\n\r\n");  // so the server has begun to wait
  seconds_ += 6;
  EXPECT_THAT(peer.ReadReply(), StartsWith("HTTP/1.1 408 "));
  ASSERT_TRUE(other.Send(kGet));  // idle is not slow
  EXPECT_EQ(other.ReadReply(), kGetReply);
}

TEST_F(ServerLimitsTest, HandlerMayTakeLongerThanAllTimeouts) {
  HoldingHandler holding;
  options_.idle_timeout_seconds = 1;
  options_.request_timeout_seconds = 1;
  auto server = StartServer(holding, options_);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  auto exchange = holding.Take();
  Advance(100);
  Loop& loop = exchange->loop();
  loop.Post([held = std::move(exchange)] { held->Reply(HeadFor("slow"), "slow"); });
  EXPECT_EQ(peer.ReadReply(), ReplyText("slow"));
}

TEST_F(ServerLimitsTest, ClientThatReadsNothingIsClosed) {
  std::atomic<bool> replied{false};
  FunctionHandler handler([&](std::shared_ptr<Exchange> exchange) {
    const std::string body(64 << 20, 'r');
    exchange->Reply(HeadFor(body), body);
    replied = true;
    replied.notify_all();
  });
  options_.idle_timeout_seconds = 10;
  auto server = StartServer(handler, options_);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  replied.wait(false);
  Advance(20);
  EXPECT_LT(peer.ReadReply().size(), std::size_t{64} << 20);
}

TEST_F(ServerLimitsTest, ConnectionsBeyondTheMaximumAreClosed) {
  options_.connections_max = 2;
  Start();
  auto first = std::make_unique<TestPeer>(server_->port());
  TestPeer second(server_->port());
  for (TestPeer* peer : {first.get(), &second}) {
    ASSERT_TRUE(peer->Send(kGet));
    EXPECT_EQ(peer->ReadReply(), kGetReply);
  }
  TestPeer third(server_->port());
  EXPECT_EQ(third.ReadToEnd(), "");
  first->FinishSending();
  EXPECT_EQ(first->ReadToEnd(), "");  // its place is free now
  TestPeer fourth(server_->port());
  ASSERT_TRUE(fourth.Send(kGet));
  EXPECT_EQ(fourth.ReadReply(), kGetReply);
}

}  // namespace
}  // namespace keyturn::http
