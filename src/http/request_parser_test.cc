#include "http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "http/reply.h"

namespace keyturn::http {
namespace {

constexpr std::size_t kBodyMax = 1000;

// Feed gives text to a parser in pieces of step bytes; returns the last state.
ParseState Feed(std::string_view text, std::size_t step, RequestParser& parser, InputBuffer& input,
                RequestView& view) {
  ParseState state = ParseState::kNeedMore;
  while (!text.empty() && state == ParseState::kNeedMore) {
    const auto space = input.free_space();
    EXPECT_FALSE(space.empty());
    const std::size_t count = std::min({step, text.size(), space.size()});
    std::copy_n(text.data(), count, space.data());
    input.Commit(count);
    text.remove_prefix(count);
    state = parser.Parse(input, view);
  }
  return state;
}

int StatusFor(std::string_view text) {
  RequestParser parser(kBodyMax);
  InputBuffer input(kHeadBytesMax);
  RequestView view;
  return Feed(text, text.size(), parser, input, view) == ParseState::kFailed
             ? parser.failure_status()
             : 0;
}

std::string WithHead(std::string_view headers) {
  return "GET / HTTP/1.1\r\n" + std::string(headers) + "\r\n";
}

TEST(RequestParserTest, ReadsTheSameInAnyPieces) {
  const std::string body(900, 'b');
  const std::string text =
      "\r\nPOST /p/q?a=1&b HTTP/1.1\r\nHost: h\r\nA:\r\nB: \t1 2\t\r\nContent-Length: 900\r\n\r\n" +
      body;
  for (std::size_t step = 1; step <= text.size(); ++step) {
    RequestParser parser(kBodyMax);
    InputBuffer input(kHeadBytesMax);
    RequestView view;
    ASSERT_EQ(Feed(text, step, parser, input, view), ParseState::kComplete) << step;
    EXPECT_EQ(view.method, "POST");
    EXPECT_EQ(view.target, "/p/q?a=1&b");
    EXPECT_EQ(view.path, "/p/q");
    EXPECT_EQ(view.query, "a=1&b");
    ASSERT_EQ(view.headers.size(), 4U);
    EXPECT_EQ(view.headers[1].name, "A");
    EXPECT_EQ(view.headers[1].value, "");
    EXPECT_EQ(view.headers[2].value, "1 2");
    EXPECT_EQ(view.body, body);
    EXPECT_TRUE(parser.keep_alive());
    parser.Finish(input);
    EXPECT_TRUE(input.empty());
  }
}

TEST(RequestParserTest, ReadsChunksInAnyPieces) {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "1\r\na\r\n00B\r\nbcdefghijkl\r\n0;last\r\nContent-Language: x\r\n\r\nGET /next HTTP/1.1\r\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    RequestParser parser(kBodyMax);
    InputBuffer input(kHeadBytesMax);
    RequestView view;
    ASSERT_EQ(Feed(text, step, parser, input, view), ParseState::kComplete) << step;
    EXPECT_EQ(view.body, "abcdefghijkl");
    EXPECT_EQ(view.headers.size(), 2U);  // a trailer is no header
    EXPECT_EQ(view.path, "/");
    parser.Finish(input);
    EXPECT_TRUE(std::string_view("GET /next HTTP/1.1\r\n").starts_with(input.text()));
  }
}

TEST(RequestParserTest, ReadsABodyWithoutChunksInAnyPieces) {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    RequestParser parser(kBodyMax);
    InputBuffer input(kHeadBytesMax);
    RequestView view;
    ASSERT_EQ(Feed(text, step, parser, input, view), ParseState::kComplete) << step;
    EXPECT_EQ(view.body, "");
  }
}

TEST(RequestParserTest, ViewsSurviveTheGrowthOfTheInput) {
  const std::string body(100000, 'x');
  const std::string text =
      "PUT /grow?q HTTP/1.1\r\nHost: h\r\nK: v\r\nContent-Length: 100000\r\n\r\n" + body;
  RequestParser parser(100000);
  InputBuffer input(kHeadBytesMax);
  RequestView view;
  ASSERT_EQ(Feed(text, 5000, parser, input, view), ParseState::kComplete);
  EXPECT_EQ(view.method, "PUT");
  EXPECT_EQ(view.path, "/grow");
  EXPECT_EQ(view.query, "q");
  EXPECT_EQ(view.Header("k"), "v");
  EXPECT_TRUE(view.body == body);
  parser.Finish(input);
  EXPECT_EQ(input.capacity(), kHeadBytesMax);  // the memory is given back
}

TEST(RequestParserTest, SplitsTargets) {
  struct Case {
    const char* method;
    const char* target;
    const char* path;
    const char* query;
  };
  for (const Case& c :
       {Case{"GET", "/", "/", ""}, Case{"GET", "/?", "/", ""}, Case{"GET", "/a?b?c", "/a", "b?c"},
        Case{"OPTIONS", "*", "*", ""}, Case{"GET", "http://host/a?b", "/a", "b"},
        Case{"GET", "http://host", "/", ""}, Case{"GET", "http://host?q", "/", "q"}}) {
    RequestParser parser(kBodyMax);
    InputBuffer input(kHeadBytesMax);
    RequestView view;
    const std::string text =
        std::string(c.method) + " " + c.target + " HTTP/1.1\r\nHost: h\r\n\r\n";
    ASSERT_EQ(Feed(text, text.size(), parser, input, view), ParseState::kComplete) << c.target;
    EXPECT_EQ(view.target, c.target);
    EXPECT_EQ(view.path, c.path);
    EXPECT_EQ(view.query, c.query);
  }
}

TEST(RequestParserTest, RefusesWhatOthersMightReadDifferently) {
  const std::string cases[] = {
      WithHead(""),                           // no Host
      WithHead("Host: a\r\nHost: a\r\n"),     // two
      WithHead("Host: h\r\nX: a\r\n b\r\n"),  // folded
      WithHead("Host: h\r\nX : a\r\n"),       // blank before the colon
      WithHead("Host: h\r\nno colon\r\n"),
      WithHead("Host: h\nX: a\r\n"),                        // bare line feed
      WithHead(std::string("Host: h\r\nX: a\0b\r\n", 18)),  // NUL
      WithHead("Host: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
      WithHead("Host: h\r\nContent-Length: +1\r\n"),
      WithHead("Host: h\r\nContent-Length: -1\r\n"),
      WithHead("Host: h\r\nContent-Length: 1 1\r\n"),
      WithHead("Host: h\r\nContent-Length:\r\n"),
      WithHead("Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      WithHead("Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
      WithHead("Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      "GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",  // two blanks
      "GET / \r\nHost: h\r\n\r\n",
      "GET a/b HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
      "CONNECT host:443 HTTP/1.1\r\nHost: h\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
  };
  for (const std::string& text : cases) {
    EXPECT_EQ(StatusFor(text), 400) << text;
  }
  EXPECT_EQ(StatusFor(WithHead("Host: h\r\nTransfer-Encoding: xchunked\r\n")), 501);
  EXPECT_EQ(StatusFor(WithHead("Host: h\r\nTransfer-Encoding: identity\r\n")), 501);
}

TEST(RequestParserTest, HeadLimitIsExact) {
  const auto head_of = [](std::size_t size) {
    const std::string rest = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n";
    return "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(size - rest.size(), 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(StatusFor(head_of(kHeadBytesMax)), 0);
  EXPECT_EQ(StatusFor(head_of(kHeadBytesMax + 1)), 431);
  EXPECT_EQ(StatusFor(head_of(kHeadBytesMax * 2)), 431);
}

TEST(RequestParserTest, StaysFailed) {
  RequestParser parser(kBodyMax);
  InputBuffer input(kHeadBytesMax);
  RequestView view;
  const std::string text = "nonsense\r\n\r\n" + WithHead("Host: h\r\n");
  EXPECT_EQ(Feed(text, 12, parser, input, view), ParseState::kFailed);
  EXPECT_EQ(parser.Parse(input, view), ParseState::kFailed);
  EXPECT_EQ(parser.failure_status(), 400);
}

TEST(ReplyTest, AddsTheConnectionHeaderOnlyWhereItIsNeeded) {
  const auto reply = [](ReplyRules rules) {
    std::string out;
    AppendReply("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "body", rules, out);
    return out;
  };
  EXPECT_EQ(reply({}), "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody");
  EXPECT_EQ(reply({.keep_alive = false}),
            "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\nbody");
  EXPECT_EQ(reply({.http_1_0 = true}),
            "HTTP/1.1 200 OK\r\nA: b\r\nConnection: keep-alive\r\n\r\nbody");
  EXPECT_EQ(reply({.head_only = true}), "HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
}

TEST(ReplyTest, RefusalSaysWhy) {
  std::string out;
  AppendRefusal(413, "too much", out);
  EXPECT_EQ(out,
            "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"
            "Connection: close\r\n\r\ntoo much\n");
}

}  // namespace
}  // namespace keyturn::http
