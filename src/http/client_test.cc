#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "http/curl_client.h"
#include "http/pooled_client.h"
#include "http/server.h"
#include "http/test_peer.h"

namespace keyturn::http {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

// Both clients are held to the same.
enum class Kind { kPooled, kCurl };

class ClientTest : public ::testing::TestWithParam<Kind> {
 protected:
  ClientTest() { setenv("no_proxy", "*", 1); }  // a proxy of the machine's must not come between
  // Serve makes a handler that lives as long as the server.
  template <typename SomeHandler, typename... Args>
  SomeHandler& Serve(Args&&... args) {
    auto handler = std::make_unique<SomeHandler>(std::forward<Args>(args)...);
    SomeHandler& result = *handler;
    handler_ = std::move(handler);
    server_ = StartServer(result);
    return result;
  }
  void Connect(const ClientOptions& options = {}) {
    client_ = GetParam() == Kind::kCurl ? *CreateCurlClient(options)
                                        : *CreatePooledClient(options, ProxyRules());
  }
  ClientRequest To(std::string path) const {
    ClientRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + std::move(path);
    return request;
  }
  void PumpAll() {
    while (client_->Pump(1000ms) > 0) {
    }
  }
  Result<ClientResponse> Call(ClientRequest request) {
    Result<ClientResponse> result = Fail(ErrorCode::kInternal, "done did not run");
    client_->Submit(std::move(request), [&](Result<ClientResponse> r) { result = std::move(r); });
    PumpAll();
    return result;
  }

  std::unique_ptr<Handler> handler_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
};

// RawHandler replies with the request as it was received: request line, headers, body.
class RawHandler : public Handler {
 public:
  void OnRequest(std::shared_ptr<Exchange> exchange) override {
    const RequestView& request = exchange->request();
    std::string text = std::string(request.method) + " " + std::string(request.target) + "\n";
    for (const HeaderView& header : request.headers) {
      text.append(header.name).append("=").append(header.value).append("\n");
    }
    text.append(request.body);
    std::string head = HeadFor(text);
    exchange->Reply(std::move(head), std::move(text));
  }
};

TEST_P(ClientTest, SendsTheHeadersGivenAndNothingElse) {
  Serve<RawHandler>();
  Connect();
  ClientRequest request = To("/p?q=%2F");
  request.headers = {{"X-Amz-Target", "TrentService.Encrypt"}, {"Empty", ""}, {"User-Agent", "kt"}};
  request.body = std::string("{\0}", 3);
  const auto response = Call(std::move(request));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "POST /p?q=%2F\nHost=127.0.0.1:" + std::to_string(server_->port()) +
                                "\nX-Amz-Target=TrentService.Encrypt\nEmpty=\nUser-Agent=kt\n"
                                "Content-Length=3\n" +
                                std::string("{\0}", 3));
}

TEST_P(ClientTest, HostGivenReplacesTheOneOfTheUrl) {
  Serve<RawHandler>();
  Connect();
  ClientRequest request = To("/");
  request.headers = {{"Host", "kms.eu-west-1.amazonaws.com"}};
  EXPECT_EQ(Call(std::move(request))->body,
            "POST /\nHost=kms.eu-west-1.amazonaws.com\nContent-Length=0\n");
}

TEST_P(ClientTest, MethodsDoNotStickToAConnection) {
  Serve<RawHandler>();
  Connect();
  const std::string host = "\nHost=127.0.0.1:" + std::to_string(server_->port()) + "\n";
  const auto call = [&](const char* method, const char* body) {
    ClientRequest request = To("/");
    request.method = method;
    request.body = body;
    return Call(std::move(request))->body;
  };
  EXPECT_EQ(call("GET", ""), "GET /" + host);
  EXPECT_EQ(call("POST", "b"), "POST /" + host + "Content-Length=1\nb");
  EXPECT_EQ(call("PUT", ""), "PUT /" + host + "Content-Length=0\n");
  EXPECT_EQ(call("HEAD", ""), "");
  EXPECT_EQ(call("DELETE", "d"), "DELETE /" + host + "Content-Length=1\nd");
  EXPECT_EQ(call("GET", ""), "GET /" + host);
  EXPECT_EQ(call("POST", ""), "POST /" + host + "Content-Length=0\n");
}

TEST_P(ClientTest, GivesStatusAndHeadersOfAnyAnswer) {
  Serve<FunctionHandler>([](std::shared_ptr<Exchange> exchange) {
    exchange->Reply(
        "HTTP/1.1 400 Bad Request\r\nX-Amzn-RequestId:  id-1 \r\nTwice: a\r\nTwice: b\r\n"
        "Content-Length: 2\r\n\r\n",
        "{}");
  });
  Connect();
  const auto response = Call(To("/"));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(response->Header("x-amzn-requestid"), "id-1");
  EXPECT_EQ(response->Header("twice"), "a");
  EXPECT_EQ(response->Header("absent"), "");
  EXPECT_EQ(response->body, "{}");
}

TEST_P(ClientTest, DoesNotFollowRedirects) {
  Serve<FunctionHandler>([](std::shared_ptr<Exchange> exchange) {
    EXPECT_EQ(exchange->request().path, "/");
    exchange->Reply("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", "");
  });
  Connect();
  EXPECT_EQ(Call(To("/"))->status, 302);
}

TEST_P(ClientTest, ReusesItsConnectionsAndKeepsToTheirNumber) {
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::vector<std::shared_ptr<Exchange>> batch;
  handler_ = std::make_unique<FunctionHandler>([&](std::shared_ptr<Exchange> exchange) {
    most = std::max(most.load(), ++under_way);
    if (batch.empty()) {
      exchange->loop().Post([&] {
        for (auto& held : std::exchange(batch, {})) {
          --under_way;
          held->Reply(HeadFor("x"), "x");
        }
      });
    }
    batch.push_back(std::move(exchange));
  });
  ServerOptions options;
  options.connections_max = 3;  // a fourth would be closed and fail its request
  server_ = StartServer(*handler_, options);
  ClientOptions client_options;
  client_options.connections_per_host_max = 3;
  Connect(client_options);
  int answered = 0;
  for (int i = 0; i < 200; ++i) {
    client_->Submit(To("/" + std::to_string(i)), [&](Result<ClientResponse> response) {
      answered += response.has_value() && response->body == "x" ? 1 : 0;
    });
  }
  PumpAll();
  EXPECT_EQ(answered, 200);
  EXPECT_LE(most, 3);
}

TEST_P(ClientTest, DoneMaySubmitTheNext) {
  Serve<EchoHandler>();
  Connect();
  int left = 10;
  std::function<void(Result<ClientResponse>)> next = [&](Result<ClientResponse> response) {
    ASSERT_TRUE(response.has_value());
    if (--left > 0) {
      client_->Submit(To("/"), next);
    }
  };
  client_->Submit(To("/"), next);
  PumpAll();
  EXPECT_EQ(left, 0);
}

TEST_P(ClientTest, ServerThatNeverAnswersTimesOut) {
  Serve<HoldingHandler>();
  Connect();
  ClientRequest request = To("/");
  request.timeout = 20ms;
  const auto response = Call(std::move(request));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kTimeout);
  EXPECT_EQ(response.error().message, "no answer within 20 ms");
}

TEST_P(ClientTest, WaitingForAConnectionDoesNotCountAgainstTheTimeout) {
  HoldingHandler& holding = Serve<HoldingHandler>();
  ClientOptions options;
  options.connections_per_host_max = 1;
  Connect(options);
  ClientRequest hopeless = To("/hopeless");
  hopeless.timeout = 100ms;
  ErrorCode first = ErrorCode::kInternal;
  client_->Submit(std::move(hopeless), [&](Result<ClientResponse> r) { first = r.error().code; });
  bool answered = false;
  ClientRequest behind = To("/behind");
  behind.timeout = 60s;
  client_->Submit(std::move(behind), [&](Result<ClientResponse> r) { answered = r.has_value(); });
  while (first == ErrorCode::kInternal) {
    client_->Pump(1000ms);
  }
  EXPECT_EQ(first, ErrorCode::kTimeout);
  EXPECT_EQ(client_->Pump(0ms), 1U);
  std::thread replier([&holding] {
    for (bool replied = false; !replied;) {
      auto exchange = holding.Take();
      replied = exchange->request().path == "/behind";
      Loop& loop = exchange->loop();
      loop.Post([held = std::move(exchange)] { held->Reply(HeadFor("x"), "x"); });
    }
  });
  PumpAll();
  replier.join();
  EXPECT_TRUE(answered);
}

TEST_P(ClientTest, RefusedConnectionIsANetworkError) {
  Serve<EchoHandler>();
  Connect();
  const ClientRequest request = To("/");
  server_->Stop(0);
  const auto response = Call(request);
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kNetwork);
  EXPECT_THAT(response.error().message, HasSubstr("onnect"));
}

TEST_P(ClientTest, ConnectionClosedWithoutAnAnswerIsANetworkError) {
  Serve<FunctionHandler>([](std::shared_ptr<Exchange>) {});
  Connect();
  const auto response = Call(To("/"));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kNetwork);
  EXPECT_FALSE(response.error().message.empty());
}

TEST_P(ClientTest, AnswerAboveTheLimitIsRefused) {
  Serve<FunctionHandler>([](std::shared_ptr<Exchange> exchange) {
    const std::string body(exchange->request().path == "/large" ? 3000 : 500, 'x');
    exchange->Reply(HeadFor(body), body);
  });
  ClientOptions options;
  options.response_bytes_max = 1000;
  Connect(options);
  EXPECT_TRUE(Call(To("/small")).has_value());
  const auto response = Call(To("/large"));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kNetwork);
  EXPECT_EQ(response.error().message, "the answer is larger than 1000 bytes");
  EXPECT_TRUE(Call(To("/small")).has_value());
}

TEST_P(ClientTest, CancelAllFinishesWhatIsUnderWayAndWhatWaits) {
  Serve<HoldingHandler>();
  ClientOptions options;
  options.connections_per_host_max = 2;
  Connect(options);
  std::vector<ErrorCode> codes;
  for (int i = 0; i < 5; ++i) {
    client_->Submit(To("/"), [&](Result<ClientResponse> response) {
      ASSERT_FALSE(response.has_value());
      codes.push_back(response.error().code);
    });
  }
  EXPECT_EQ(client_->Pump(0ms), 5U);
  client_->CancelAll();
  EXPECT_EQ(codes, std::vector<ErrorCode>(5, ErrorCode::kCancelled));
  EXPECT_EQ(client_->Pump(0ms), 0U);
}

TEST_P(ClientTest, ClientMayEndWithRequestsUnderWay) {
  Serve<HoldingHandler>();
  Connect();
  bool ran = false;
  for (int i = 0; i < 3; ++i) {
    client_->Submit(To("/"), [&](Result<ClientResponse>) { ran = true; });
  }
  client_->Pump(0ms);
  client_.reset();
  EXPECT_FALSE(ran);
}

TEST_P(ClientTest, RefusesWhatIsNoRequest) {
  Serve<EchoHandler>();
  Connect();
  std::vector<ClientRequest> wrong(7, To("/"));
  wrong[0].url = "ftp://127.0.0.1/";
  wrong[1].url = "/path";
  wrong[2].url += "\r\nX: y";
  wrong[3].headers = {{"X", "a\r\nY: b"}};
  wrong[4].headers = {{"X: y", "a"}};
  wrong[5].headers = {{"", "a"}};
  wrong[6].method = "GET / HTTP/1.1\r\nX: y\r\n";
  for (const ClientRequest& request : wrong) {
    const auto response = Call(request);
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, ErrorCode::kUsage);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, ClientTest, ::testing::Values(Kind::kPooled, Kind::kCurl),
                         [](const auto& each) {
                           return each.param == Kind::kCurl ? "Curl" : "Pooled";
                         });

TEST(Client, CreateNamesABundleThatCannotBeRead) {
  ClientOptions options;
  options.ca_bundle_file = "/nonexistent/ca.pem";
  const auto client = Client::Create(options);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, ErrorCode::kUsage);
  EXPECT_EQ(client.error().message,
            "cannot read the CA bundle /nonexistent/ca.pem: No such file or directory");
}

}  // namespace
}  // namespace keyturn::http
