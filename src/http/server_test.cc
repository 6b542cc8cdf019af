#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>
#include <set>
#include <stdexcept>
#include <thread>

#include "http/test_peer.h"

namespace keyturn::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kGetReply = ReplyText("GET /a ?b=c ");

TEST(ServerTest, KeepsTheConnectionForTheNextRequest) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.Send(kGet));
    EXPECT_EQ(peer.ReadReply(), kGetReply);
  }
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests +=
        "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  }
  ASSERT_TRUE(peer.Send(requests));
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(peer.ReadReply(), ReplyText("POST /" + std::to_string(i) + " ? abc"));
  }
}

TEST(ServerTest, PipelinedRequestsWaitForALateReply) {
  HoldingHandler holding;
  auto server = StartServer(holding);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(std::string(kGet) + "GET /second HTTP/1.1\r\nHost: h\r\n\r\n"));
  for (const std::string path : {"/a", "/second"}) {
    auto exchange = holding.Take();
    EXPECT_EQ(exchange->request().path, path);
    Loop& loop = exchange->loop();
    loop.Post([held = std::move(exchange)] { held->Reply(HeadFor("late"), "late"); });
    EXPECT_EQ(peer.ReadReply(), ReplyText("late"));
  }
}

// More connections than one call receives or sends for; with the kernel's ring and without.
TEST(ServerTest, ServesManyConnectionsTogether) {
  const std::string large(3 << 20, 'l');
  FunctionHandler handler([&](std::shared_ptr<Exchange> exchange) {
    const std::string body =
        exchange->request().path == "/large" ? large : Describe(exchange->request());
    exchange->Reply(HeadFor(body), body);
  });
  for (const bool shares_calls : {true, false}) {
    ServerOptions options;
    options.shares_calls = shares_calls;
    auto server = StartServer(handler, options);
    std::deque<TestPeer> peers;
    for (int i = 0; i < 150; ++i) {
      peers.emplace_back(server->port());
    }
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < peers.size(); ++i) {
        const std::string path = i % 50 == 7 ? "large" : std::to_string(i);
        ASSERT_TRUE(peers[i].Send("GET /" + path + " HTTP/1.1\r\nHost: h\r\n\r\n"));
      }
      for (std::size_t i = peers.size(); i-- > 0;) {  // who waits is not in the way of the others
        const std::string body = i % 50 == 7 ? large : "GET /" + std::to_string(i) + " ? ";
        ASSERT_EQ(peers[i].ReadReply(), ReplyText(body)) << i;
      }
    }
  }
}

TEST(ServerTest, ReadsARequestThatComesByteByByte) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  for (const char c :
       std::string_view("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")) {
    ASSERT_TRUE(peer.Send({&c, 1}));
  }
  EXPECT_EQ(peer.ReadReply(), ReplyText("PUT /x ? body"));
}

TEST(ServerTest, ReadsAChunkedBody) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(
      peer.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\nTrailer: t\r\n\r\n"));
  ASSERT_TRUE(peer.Send(kGet));
  EXPECT_EQ(peer.ReadReply(), ReplyText("POST / ? Wikipedia"));
  EXPECT_EQ(peer.ReadReply(), kGetReply);
}

TEST(ServerTest, ReadsABodyAsLargeAsTheLimitAndTheHeadersBesideIt) {
  std::string seen;
  FunctionHandler handler([&](std::shared_ptr<Exchange> exchange) {
    seen = exchange->request().Header("x-late-BOUND");
    exchange->Reply(HeadFor("ok"), "ok");
  });
  ServerOptions options;
  options.body_bytes_max = 300000;
  auto server = StartServer(handler, options);
  TestPeer peer(server->port());
  ASSERT_TRUE(
      peer.Send("POST / HTTP/1.1\r\nHost: h\r\nX-Late-Bound: kept\r\n"
                "Content-Length: 300000\r\n\r\n" +
                std::string(300000, 'b')));
  EXPECT_EQ(peer.ReadReply(), ReplyText("ok"));
  EXPECT_EQ(seen, "kept");
}

TEST(ServerTest, DeliversAReplyLargerThanTheSocketBuffers) {
  const std::string body(8 << 20, 'r');
  FunctionHandler handler(
      [&](std::shared_ptr<Exchange> exchange) { exchange->Reply(HeadFor(body), body); });
  auto server = StartServer(handler);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(std::string(kGet) + std::string(kGet)));
  EXPECT_TRUE(peer.ReadReply() == ReplyText(body));
  EXPECT_TRUE(peer.ReadReply() == ReplyText(body));
}

TEST(ServerTest, GivesTheRequestAsItCame) {
  std::string seen;
  FunctionHandler handler([&](std::shared_ptr<Exchange> exchange) {
    const RequestView& request = exchange->request();
    seen = std::string(request.target) + " from " + std::string(request.remote_address);
    for (const HeaderView& header : request.headers) {
      seen.append("; ").append(header.name).append("=").append(header.value);
    }
    EXPECT_FALSE(request.tls.has_value());
    exchange->Reply(HeadFor(""), "");
  });
  auto server = StartServer(handler);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(
      "GET /a%2Fb/?x&x=%20 HTTP/1.1\r\nhost: h\r\nX-B:  two words \r\nX-b: again\r\n\r\n"));
  EXPECT_EQ(peer.ReadReply(), ReplyText(""));
  EXPECT_EQ(seen, "/a%2Fb/?x&x=%20 from 127.0.0.1; host=h; X-B=two words; X-b=again");
}

TEST(ServerTest, SaysContinueToAClientThatWaits) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(
      peer.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(peer.ReadReply(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(peer.Send("ok"));
  EXPECT_EQ(peer.ReadReply(), ReplyText("POST / ? ok"));
}

TEST(ServerTest, ClosesWhenTheClientAsksForIt) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(peer.ReadToEnd(),
            "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nGET / ? ");
}

TEST(ServerTest, ClosesAfterHttp10UnlessAskedToKeep) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer closing(server->port());
  ASSERT_TRUE(closing.Send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(closing.ReadToEnd(), HasSubstr("Connection: close\r\n"));
  TestPeer keeping(server->port());
  ASSERT_TRUE(keeping.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_THAT(keeping.ReadReply(), HasSubstr("Connection: keep-alive\r\n"));
  ASSERT_TRUE(keeping.Send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(keeping.ReadToEnd(), HasSubstr("Connection: close\r\n"));
}

TEST(ServerTest, SendsNoBodyForHead) {
  EchoHandler echo;
  auto server = StartServer(echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(peer.ReadToEnd(), EndsWith("Content-Length: 9\r\nConnection: close\r\n\r\n"));
}

TEST(ServerTest, BatchOfRepliesFromAPostedFunction) {
  std::vector<std::shared_ptr<Exchange>> batch;
  FunctionHandler handler([&](std::shared_ptr<Exchange> exchange) {
    if (batch.empty()) {
      exchange->loop().Post([&] {
        for (auto& held : std::exchange(batch, {})) {
          held->Reply(HeadFor("b"), "b");
        }
      });
    }
    batch.push_back(std::move(exchange));
  });
  auto server = StartServer(handler);
  std::vector<std::unique_ptr<TestPeer>> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(std::make_unique<TestPeer>(server->port()));
    ASSERT_TRUE(peers.back()->Send(std::string(kGet) + std::string(kGet)));
  }
  for (const auto& peer : peers) {
    EXPECT_EQ(peer->ReadReply(), ReplyText("b"));
    EXPECT_EQ(peer->ReadReply(), ReplyText("b"));
  }
}

TEST(ServerTest, DroppedExchangeClosesTheConnection) {
  FunctionHandler handler([](std::shared_ptr<Exchange>) {});
  auto server = StartServer(handler);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST(ServerTest, ExchangeDroppedOnAnotherThreadClosesTheConnection) {
  HoldingHandler holding;
  auto server = StartServer(holding);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  holding.Take().reset();
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST(ServerTest, HandlerThatThrowsClosesItsConnectionOnly) {
  FunctionHandler handler([](std::shared_ptr<Exchange> exchange) {
    if (exchange->request().path == "/throw") {
      throw std::runtime_error("out of something");
    }
    exchange->Reply(HeadFor("ok"), "ok");
  });
  auto server = StartServer(handler);
  TestPeer bystander(server->port());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(peer.ReadToEnd(), "");
  ASSERT_TRUE(bystander.Send(kGet));
  EXPECT_EQ(bystander.ReadReply(), ReplyText("ok"));
}

TEST(ServerTest, ReplyToAClientThatHasGoneDoesNothing) {
  HoldingHandler holding;
  auto server = StartServer(holding);
  std::shared_ptr<Exchange> exchange;
  {
    TestPeer peer(server->port());
    ASSERT_TRUE(peer.Send(kGet));
    exchange = holding.Take();
  }
  Loop& loop = exchange->loop();
  std::promise<void> replied;
  loop.Post([&, held = std::move(exchange)] {
    held->Reply(HeadFor("late"), "late");
    replied.set_value();
  });
  replied.get_future().wait();
  TestPeer next(server->port());
  ASSERT_TRUE(next.Send(kGet));
  EXPECT_NE(holding.Take(), nullptr);
}

TEST(ServerTest, SeveralThreadsServeOnePort) {
  HoldingHandler holding;
  ServerOptions options;
  options.threads = 3;
  auto server = StartServer(holding, options);
  std::set<std::size_t> loops;
  std::vector<std::unique_ptr<TestPeer>> peers;
  // The kernel spreads connections by hash; 200 that all miss a loop would be a wonder.
  for (int i = 0; i < 200; ++i) {
    peers.push_back(std::make_unique<TestPeer>(server->port()));
    ASSERT_TRUE(peers.back()->Send(kGet));
    auto exchange = holding.Take();
    Loop& loop = exchange->loop();
    loops.insert(loop.index());
    loop.Post([held = std::move(exchange)] { held->Reply(HeadFor("x"), "x"); });
    EXPECT_EQ(peers.back()->ReadReply(), ReplyText("x"));
  }
  EXPECT_EQ(loops, (std::set<std::size_t>{0, 1, 2}));
}

TEST(ServerTest, StopWaitsForTheReplyUnderWay) {
  HoldingHandler holding;
  auto server = StartServer(holding);
  TestPeer idle(server->port());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  auto exchange = holding.Take();
  auto stopped = std::async(std::launch::async, [&] { server->Stop(60); });
  EXPECT_EQ(idle.ReadToEnd(), "");  // idle connections end at once, so the drain has begun
  EXPECT_FALSE(TestPeer(server->port()).connected());
  Loop& loop = exchange->loop();
  loop.Post([held = std::move(exchange)] { held->Reply(HeadFor("last"), "last"); });
  EXPECT_EQ(peer.ReadToEnd(),
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast");
  stopped.get();
}

// A reply that its client has not read yet when the server stops: the connection ends behind it.
TEST(ServerTest, StopEndsAConnectionWhoseReplyIsOnItsWay) {
  const std::string large(32 << 20, 'l');
  std::promise<void> asked;
  FunctionHandler handler([&](std::shared_ptr<Exchange> exchange) {
    exchange->Reply(HeadFor(large), large);
    asked.set_value();
  });
  auto server = StartServer(handler);
  TestPeer idle(server->port());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  asked.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server->Stop(60); });
  EXPECT_EQ(idle.ReadToEnd(), "");  // so the drain has begun
  EXPECT_TRUE(peer.ReadToEnd() == ReplyText(large));
  stopped.get();
}

TEST(ServerTest, StopClosesWhatIsNotRepliedInTime) {
  HoldingHandler holding;
  auto server = StartServer(holding);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(kGet));
  auto exchange = holding.Take();
  server->Stop(0);
  EXPECT_EQ(peer.ReadToEnd(), "");
  server->Stop(0);
  server.reset();
  bool ran = false;
  exchange->loop().Post([&ran] { ran = true; });
  exchange.reset();  // after the server: neither runs nor crashes
  EXPECT_FALSE(ran);
}

TEST(ServerTest, RefusesAPortThatIsTaken) {
  EchoHandler echo;
  for (const unsigned threads : {1U, 2U}) {
    ServerOptions options;
    options.threads = threads;
    auto first = StartServer(echo, options);
    options.port = first->port();
    for (const unsigned second_threads : {1U, 2U}) {
      options.threads = second_threads;
      auto second = Server::Start(options, echo);
      ASSERT_FALSE(second.has_value());
      EXPECT_EQ(second.error().code, ErrorCode::kIo);
      EXPECT_EQ(second.error().message,
                "cannot listen on 127.0.0.1:" + std::to_string(first->port()) +
                    ": Address already in use");
    }
  }
}

TEST(ServerTest, PortIsFreeAgainAfterStop) {
  EchoHandler echo;
  ServerOptions options;
  options.threads = 2;
  auto first = StartServer(echo, options);
  options.port = first->port();
  TestPeer peer(first->port());
  ASSERT_TRUE(peer.Send(kGet));
  EXPECT_EQ(peer.ReadReply(), kGetReply);
  first->Stop(0);
  auto second = Server::Start(options, echo);
  EXPECT_TRUE(second.has_value());
}

TEST(ServerTest, RefusesToBeReachableWithoutTls) {
  EchoHandler echo;
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1"}) {
    ServerOptions options;
    options.address = address;
    auto server = Server::Start(options, echo);
    ASSERT_FALSE(server.has_value());
    EXPECT_EQ(server.error().code, ErrorCode::kUsage);
    EXPECT_THAT(server.error().message, HasSubstr("without TLS: give a TLS certificate and key"));
  }
}

TEST(ServerTest, ListensOnIpv6Loopback) {
  EchoHandler echo;
  ServerOptions options;
  options.address = "::1";
  auto server = Server::Start(options, echo);
  if (server) {
    EXPECT_NE((*server)->port(), 0);
  } else {  // a machine without IPv6 says so
    EXPECT_EQ(server.error().code, ErrorCode::kIo);
    EXPECT_THAT(server.error().message, StartsWith("cannot listen on [::1]:0: "));
  }
}

TEST(ListenAddressTest, SplitsAddressAndPort) {
  EXPECT_EQ(*SplitListen("127.0.0.1:8080"),
            (std::pair<std::string, std::uint16_t>("127.0.0.1", 8080)));
  EXPECT_EQ(*SplitListen("[::1]:0"), (std::pair<std::string, std::uint16_t>("::1", 0)));
  EXPECT_EQ(SplitListen("0.0.0.0:65535")->second, 65535);
}

TEST(ListenAddressTest, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "give an IP address and a port"},
      {"127.0.0.1", "give an IP address and a port"},
      {"[::1]", "give an IP address and a port"},
      {"::1:80", "put an IPv6 address in brackets"},
      {"localhost:80", "must be an IP address, not a name"},
      {"[127.0.0.1]:80", "must be an IP address"},
      {"127.0.0.1:", "the port must be a number"},
      {"127.0.0.1:65536", "the port must be a number"},
      {"127.0.0.1:-1", "the port must be a number"},
      {"127.0.0.1:80x", "the port must be a number"},
  };
  for (const auto& [text, reason] : cases) {
    const auto split = SplitListen(text);
    ASSERT_FALSE(split.has_value()) << text;
    EXPECT_EQ(split.error().code, ErrorCode::kUsage);
    EXPECT_THAT(split.error().message, HasSubstr(reason)) << text;
  }
}

TEST(ListenAddressTest, KnowsLoopbackLiteralsOnly) {
  EXPECT_TRUE(IsLoopbackAddress("127.0.0.1"));
  EXPECT_TRUE(IsLoopbackAddress("127.255.0.9"));
  EXPECT_TRUE(IsLoopbackAddress("::1"));
  for (const char* other :
       {"", "localhost", "128.0.0.1", "0.0.0.0", "::", "::2", "127.1", "127.0.0.1 "}) {
    EXPECT_FALSE(IsLoopbackAddress(other)) << other;
  }
}

}  // namespace
}  // namespace keyturn::http
