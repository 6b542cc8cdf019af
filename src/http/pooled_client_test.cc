#include "http/pooled_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "http/proxy_rules.h"
#include "http/response_reader.h"
#include "http/scripted_server.h"
#include "http/test_certificate.h"
#include "http/test_peer.h"

namespace keyturn::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using Talk = ScriptedServer::Talk;

ProxyRules Rules(const std::map<std::string, std::string>& environment) {
  auto rules = ProxyRules::Read([&environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
  EXPECT_TRUE(rules.has_value());
  return rules.value_or(ProxyRules());
}

class PooledClientTest : public ::testing::Test {
 protected:
  void Connect(const ClientOptions& options = {}, const ProxyRules& rules = {}) {
    client_ = *CreatePooledClient(options, rules);
  }
  Result<ClientResponse> Call(const std::string& url, std::chrono::milliseconds timeout = 20s) {
    ClientRequest request;
    request.url = url;
    request.timeout = timeout;
    Result<ClientResponse> result = Fail(ErrorCode::kInternal, "done did not run");
    client_->Submit(std::move(request), [&](Result<ClientResponse> r) { result = std::move(r); });
    while (client_->Pump(1000ms) > 0) {
    }
    return result;
  }
  static std::string Url(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port) + "/";
  }

  std::unique_ptr<Client> client_;
};

TEST_F(PooledClientTest, AKeptConnectionThatWasClosedIsReplacedOnce) {
  ScriptedServer server([](Talk& talk) {
    talk.ReadHead();
    talk.Send(ReplyText("number " + std::to_string(talk.number)));
    if (talk.number == 1) talk.ReadHead();  // and closes without an answer
  });
  Connect();
  EXPECT_EQ(Call(Url(server.port()))->body, "number 1");
  EXPECT_EQ(Call(Url(server.port()))->body, "number 2");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(PooledClientTest, ARequestIsRepeatedOnceAndOnlyOnAKeptConnection) {
  ScriptedServer server([](Talk& talk) {
    talk.ReadHead();
    if (talk.number == 1) talk.Send(ReplyText("kept"));
    if (talk.number == 1) talk.ReadHead();
  });
  Connect();
  EXPECT_EQ(Call(Url(server.port()))->body, "kept");
  const auto twice = Call(Url(server.port()));
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().message, "the connection was closed without an answer");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_FALSE(Call(Url(server.port())).has_value());
  EXPECT_EQ(server.connections(), 3);
}

// What a server does to a connection that is kept, before the next request.
enum class Meanwhile { kEnds, kSpeaks, kSpoke };

class KeptConnectionTest : public PooledClientTest,
                           public ::testing::WithParamInterface<std::tuple<Meanwhile, bool>> {};

TEST_P(KeptConnectionTest, IsNotUsedAgain) {
  const auto [meanwhile, tls] = GetParam();
  const TestCertificate certificate("127.0.0.1");
  const auto context = *TlsContext::Load(certificate.certificate_file(), certificate.key_file());
  std::promise<void> answered;
  std::promise<void> delivered;
  std::promise<std::string> more;
  ScriptedServer server([&, meanwhile = meanwhile, tls = tls](Talk& talk) {
    if (tls) talk.StartTls(*context);
    talk.ReadHead();
    talk.Write(ReplyText("number " + std::to_string(talk.number)));
    if (talk.number > 1) return talk.End();
    if (meanwhile == Meanwhile::kSpoke) talk.Write(ReplyText("forged"));
    talk.Send("");
    answered.get_future().wait();
    if (meanwhile == Meanwhile::kSpeaks) talk.Send(ReplyText("forged"));
    if (meanwhile == Meanwhile::kEnds) talk.End();
    talk.AwaitDelivery();
    delivered.set_value();
    more.set_value(talk.ReadHead());
  });
  ClientOptions options;
  options.ca_bundle_file = certificate.certificate_file();
  Connect(options);
  const std::string url =
      (tls ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(server.port()) + "/";
  const auto first = Call(url);
  answered.set_value();
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->body, "number 1");
  delivered.get_future().wait();
  const auto second = Call(url);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(second->body, "number 2");
  EXPECT_EQ(more.get_future().get(), "");
  EXPECT_EQ(server.connections(), 2);
}

INSTANTIATE_TEST_SUITE_P(Http, KeptConnectionTest,
                         ::testing::Combine(::testing::Values(Meanwhile::kEnds, Meanwhile::kSpeaks,
                                                              Meanwhile::kSpoke),
                                            ::testing::Bool()));

TEST_F(PooledClientTest, AnIdleConnectionThatCloses) {
  ScriptedServer server([](Talk& talk) {
    talk.ReadHead();
    talk.Send(ReplyText("x"));
  });
  Connect();
  for (int i = 0; i < 5; ++i) {
    const auto response = Call(Url(server.port()));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "x");
  }
}

TEST_F(PooledClientTest, AnAnswerThatBrokeOffIsAnError) {
  ScriptedServer server([](Talk& talk) {
    talk.ReadHead();
    talk.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  Connect();
  const auto response = Call(Url(server.port()));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().message, "the connection was closed within the answer");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(PooledClientTest, UnderstandsEveryWayToEndAnAnswer) {
  const std::map<std::string, std::string> answers = {
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
       "abc"},
      {"HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""}};
  for (const auto& each : answers) {
    const std::string& answer = each.first;
    ScriptedServer server([&answer](Talk& talk) {
      talk.ReadHead();
      for (const char c : answer) talk.Send(std::string_view(&c, 1));
    });
    Connect();
    const auto response = Call(Url(server.port()));
    ASSERT_TRUE(response.has_value()) << answer << response.error().message;
    EXPECT_EQ(response->body, each.second);
  }
}

TEST_F(PooledClientTest, WhatIsNotHttpIsRefused) {
  ScriptedServer server([](Talk& talk) { talk.Send("SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n"); });
  Connect();
  EXPECT_EQ(Call(Url(server.port())).error().message, "the answer is not HTTP");
}

TEST_F(PooledClientTest, BytesAfterAnAnswerAreNobodys) {
  ScriptedServer server([](Talk& talk) {
    talk.ReadHead();
    talk.Send(ReplyText("first") + ReplyText("forged"));
    talk.ReadHead();
  });
  Connect();
  EXPECT_EQ(Call(Url(server.port()))->body, "first");
  EXPECT_EQ(Call(Url(server.port()))->body, "first");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(PooledClientTest, KeepsSoManyConnectionsOpen) {
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  for (int i = 0; i < 6; ++i) {
    servers.push_back(std::make_unique<ScriptedServer>([](Talk& talk) {
      while (!talk.ReadHead().empty()) talk.Send(ReplyText(std::to_string(talk.number)));
    }));
  }
  ClientOptions options;
  options.connections_max = 3;
  Connect(options);
  for (const auto& server : servers) EXPECT_EQ(Call(Url(server->port()))->body, "1");
  // The last three are open still, the others were closed.
  EXPECT_EQ(Call(Url(servers[5]->port()))->body, "1");
  EXPECT_EQ(Call(Url(servers[3]->port()))->body, "1");
  EXPECT_EQ(Call(Url(servers[0]->port()))->body, "2");
}

TEST_F(PooledClientTest, NamesAreResolved) {
  ScriptedServer server([](Talk& talk) {
    EXPECT_THAT(talk.ReadHead(), HasSubstr("Host: localhost:"));
    talk.Send(ReplyText("x"));
  });
  Connect();
  const auto response = Call("http://localhost:" + std::to_string(server.port()) + "/");
  ASSERT_TRUE(response.has_value()) << response.error().message;
  const auto nobody = Call("http://nobody.invalid/");
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, ErrorCode::kNetwork);
  EXPECT_THAT(nobody.error().message, StartsWith("cannot resolve host nobody.invalid: "));
}

TEST_F(PooledClientTest, AProxyIsAskedForTheWholeUrl) {
  std::string head;
  ScriptedServer proxy([&head](Talk& talk) {
    head = talk.ReadHead();
    talk.Send(ReplyText("by proxy"));
  });
  Connect({}, Rules({{"http_proxy", "http://me:a%40b@127.0.0.1:" + std::to_string(proxy.port())}}));
  EXPECT_EQ(Call("http://kms.example.com/p?q")->body, "by proxy");
  EXPECT_THAT(head, StartsWith("POST http://kms.example.com/p?q HTTP/1.1\r\n"
                               "Host: kms.example.com\r\n"));
  EXPECT_THAT(head, HasSubstr("Proxy-Authorization: Basic bWU6YUBi\r\n"));
}

TEST_F(PooledClientTest, TlsGoesThroughATunnelAndIsResumed) {
  const TestCertificate certificate("127.0.0.1");
  EchoHandler echo;
  ServerOptions server_options;
  server_options.tls_certificate_file = certificate.certificate_file();
  server_options.tls_key_file = certificate.key_file();
  const auto server = StartServer(echo, server_options);
  std::string head;
  ScriptedServer proxy([&](Talk& talk) {
    head = talk.ReadHead();
    talk.Send("HTTP/1.1 200 Connection established\r\n\r\n");
    talk.Splice(server->port());
  });
  ClientOptions options;
  options.ca_bundle_file = certificate.certificate_file();
  const ProxyRules rules = Rules({{"HTTPS_PROXY", "127.0.0.1:" + std::to_string(proxy.port())}});
  Connect(options, rules);
  const std::string place = "127.0.0.1:" + std::to_string(server->port());
  for (int i = 0; i < 3; ++i) {
    const auto response = Call("https://" + place + "/x");
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "POST /x ? ");
  }
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_THAT(head, StartsWith("CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n"));
  // Several at once go on with the session of the first.
  int answered = 0;
  for (int i = 0; i < 4; ++i) {
    ClientRequest request;
    request.url = "https://" + place + "/";
    client_->Submit(std::move(request), [&answered](const Result<ClientResponse>& response) {
      answered += response.has_value() ? 1 : 0;
    });
  }
  while (client_->Pump(1000ms) > 0) {
  }
  EXPECT_EQ(answered, 4);
  client_.reset();
}

TEST_F(PooledClientTest, AProxyThatRefusesIsNamed) {
  ScriptedServer proxy([](Talk& talk) {
    talk.ReadHead();
    talk.Send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nno!");
  });
  Connect({}, Rules({{"https_proxy", "127.0.0.1:" + std::to_string(proxy.port())}}));
  const auto response = Call("https://kms.example.com/");
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().message, "the proxy 127.0.0.1:" + std::to_string(proxy.port()) +
                                          " refuses to connect to kms.example.com: HTTP 407");
}

TEST_F(PooledClientTest, ATunnelThatStallsTimesOut) {
  ScriptedServer proxy([](Talk& talk) {
    talk.ReadHead();
    talk.ReadHead();
  });
  Connect({}, Rules({{"https_proxy", "127.0.0.1:" + std::to_string(proxy.port())}}));
  EXPECT_EQ(Call("https://kms.example.com/", 20ms).error().code, ErrorCode::kTimeout);
}

TEST(ProxyRules, NoProxyIsReadAsCurlReadsIt) {
  const ProxyRules rules =
      Rules({{"https_proxy", "proxy.corp:3128"},
             {"no_proxy", "example.com, .internal,10.0.0.0/8 ::1 192.168.1.7"}});
  for (const char* direct : {"example.com", "EXAMPLE.com", "kms.example.com", "kms.example.com.",
                             "a.internal", "internal", "10.255.0.1", "::1", "192.168.1.7"}) {
    EXPECT_EQ(rules.For(true, direct), nullptr) << direct;
  }
  for (const char* proxied : {"notexample.com", "example.com.evil", "11.0.0.1", "::2",
                              "192.168.1.70", "kms.eu-central-1.amazonaws.com"}) {
    ASSERT_NE(rules.For(true, proxied), nullptr) << proxied;
    EXPECT_EQ(rules.For(true, proxied)->host, "proxy.corp");
    EXPECT_EQ(rules.For(true, proxied)->port, 3128);
    EXPECT_EQ(rules.For(false, proxied), nullptr) << proxied;
  }
  EXPECT_EQ(Rules({{"all_proxy", "p:1"}, {"NO_PROXY", "*"}}).For(true, "h"), nullptr);
  EXPECT_EQ(Rules({{"ALL_PROXY", "http://p"}}).For(false, "h")->port, 1080);
  EXPECT_EQ(Rules({{"HTTP_PROXY", "p:1"}}).For(false, "h"), nullptr);
  EXPECT_EQ(Rules({{"https_proxy", "[fd00::1]:3128/"}}).For(true, "h")->host, "fd00::1");
}

TEST(ProxyRules, WhatIsNotSpokenIsLeftToLibcurl) {
  for (const char* other : {"socks5://p:1", "https://p:1", "p:0", "p:x", "[::1", "http://", "p:"}) {
    const auto rules = ProxyRules::Read([other](const char* name) {
      return std::string(name) == "https_proxy" ? std::string(other) : std::string();
    });
    EXPECT_FALSE(rules.has_value()) << other;
  }
}

TEST(ResponseReader, HoldsItsLimits) {
  ResponseReader reader;
  reader.Begin(100, false);
  EXPECT_EQ(reader.Put("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
            ResponseReader::State::kTooLarge);
  reader.Begin(100, false);
  EXPECT_EQ(reader.Put("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x')),
            ResponseReader::State::kTooLarge);
  reader.Begin(100, false);
  EXPECT_EQ(reader.Put("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n" +
                       std::string(96, 'x') + "\r\n60\r\n" + std::string(96, 'x')),
            ResponseReader::State::kTooLarge);
}

}  // namespace
}  // namespace keyturn::http
