#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string>

namespace keyturn::http {
namespace {

namespace beast = boost::beast;
using Code = beast::error_code;

// What a chunk's size line or the trailer may take before it is complete.
constexpr std::size_t kChunkLineBytesMax = 16384;

// No message ends in fewer bytes after a chunk: "0", an end of line, and an empty line. Beast
// asserts that much when it looks at the last chunk a second time.
constexpr std::size_t kLastChunkBytesMin = 5;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

struct Failure {
  int status = 0;
  std::string_view reason;
};

// GrammarParser hands what Beast recognises to a RequestView, without copying.
class GrammarParser final : public beast::http::basic_parser<true> {
 public:
  GrammarParser(RequestView& view, std::string& chunked_body, std::size_t body_bytes_max)
      : view_(view), chunked_body_(chunked_body) {
    header_limit(static_cast<std::uint32_t>(kHeadBytesMax));
    body_limit(body_bytes_max);
  }

  int version = 11;
  int hosts = 0;
  bool expects_continue = false;
  bool has_transfer_encoding = false;
  std::uint64_t chunk_left = 0;  // data of the present chunk that is still to come
  Failure failure;               // ours, more exact than Beast's code
  const char* input_begin = nullptr;
  const char* input_end = nullptr;

 private:
  void Refuse(Code& ec, int status, std::string_view reason) {
    failure = {status, reason};
    ec = beast::http::error::bad_field;
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int minor_and_major, Code&) override {
    version = minor_and_major;
    view_.method = View(method);
    view_.target = View(target);
  }

  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     Code& ec) override {
    if (is_header_done()) {
      return;  // a trailer: its fields mean nothing to us
    }
    // Beast joins folded lines outside of the input.
    if (!value.empty() && (value.data() < input_begin || value.data() >= input_end)) {
      Refuse(ec, 400, "a header line is folded");
      return;
    }
    if (field == beast::http::field::host) {
      ++hosts;
    } else if (field == beast::http::field::transfer_encoding) {
      has_transfer_encoding = true;
      if (!beast::iequals(value, "chunked")) {
        Refuse(ec, 501, "the only transfer coding understood is chunked");
        return;
      }
    } else if (field == beast::http::field::expect) {
      if (!beast::iequals(value, "100-continue")) {
        Refuse(ec, 417, "the only expectation understood is 100-continue");
        return;
      }
      expects_continue = true;
    }
    view_.headers.push_back({View(name), View(value)});
  }

  void on_header_impl(Code& ec) override {
    if (hosts > 1 || (hosts == 0 && version == 11)) {
      Refuse(ec, 400, "exactly one Host header is required");
    } else if (has_transfer_encoding && version == 10) {
      Refuse(ec, 400, "HTTP/1.0 has no Transfer-Encoding");
    }
  }

  std::size_t on_chunk_body_impl(std::uint64_t left, beast::string_view body, Code&) override {
    chunked_body_.append(body.data(), body.size());
    chunk_left = left - body.size();
    return body.size();
  }

  // A body with a Content-Length is taken from the input as it lies; Beast never sees it.
  std::size_t on_body_impl(beast::string_view body, Code&) override { return body.size(); }
  void on_response_impl(int, beast::string_view, int, Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, Code&) override {
    chunk_left = size;
  }
  void on_finish_impl(Code&) override {}

  RequestView& view_;
  std::string& chunked_body_;
};

// SplitTarget sets path and query; false for a target that names no path of this server.
bool SplitTarget(RequestView& view) {
  std::string_view rest = view.target;
  if (rest == "*") {
    view.path = rest;
    view.query = {};
    return view.method == "OPTIONS";
  }
  if (!rest.starts_with('/')) {  // absolute-form: scheme, authority, then the path
    const auto scheme_end = rest.find("://");
    if (scheme_end == std::string_view::npos || scheme_end == 0) {
      return false;
    }
    const auto path_begin = rest.find_first_of("/?", scheme_end + 3);
    rest = path_begin == std::string_view::npos ? "/" : rest.substr(path_begin);
  }
  const auto question = rest.find('?');
  view.path = rest.substr(0, question);
  view.query = question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
  if (view.path.empty()) {
    view.path = "/";
  }
  return true;
}

// NamesOtherVersion: a request line of the right form whose version is not ours, as opposed to one
// that is no HTTP at all.
bool NamesOtherVersion(std::string_view input) {
  const auto target = input.find(' ');
  const auto space = target == std::string_view::npos ? target : input.find(' ', target + 1);
  if (space == std::string_view::npos) {
    return false;
  }
  const std::string_view version = input.substr(space + 1, 8);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
         version[6] == '.' && is_digit(version[7]) && version.substr(5) != "1.1" &&
         version.substr(5) != "1.0";
}

Failure FailureFor(Code ec, std::string_view input) {
  if (ec == beast::http::error::header_limit) {
    return {431, "the request head is larger than 16384 bytes"};
  }
  if (ec == beast::http::error::body_limit) {
    return {413, "the request body is too large"};
  }
  if (ec == beast::http::error::bad_version && NamesOtherVersion(input)) {
    return {505, "the server speaks HTTP/1.1 and HTTP/1.0"};
  }
  return {400, "the request is malformed"};
}

void Rebase(RequestView& view, const char* from, const char* to) {
  const auto move = [from, to](std::string_view& text) {
    if (!text.empty()) {
      text = {to + (text.data() - from), text.size()};
    }
  };
  move(view.method);
  move(view.target);
  for (HeaderView& header : view.headers) {
    move(header.name);
    move(header.value);
  }
}

}  // namespace

struct RequestParser::State {
  explicit State(std::size_t body_max) : body_bytes_max(body_max) {}

  const std::size_t body_bytes_max;
  std::optional<GrammarParser> grammar;
  std::string chunked_body;
  std::size_t parsed = 0;         // bytes of the input that the grammar has taken
  const char* base = nullptr;     // where the input lay when the views were made
  std::size_t message_bytes = 0;  // of the complete request in the input
  bool continue_asked = false;
  bool complete = false;
  Failure failure;

  ParseState Fail(Failure why) {
    failure = why;
    return ParseState::kFailed;
  }
  void SkipEmptyLines(InputBuffer& input);
  ParseState ParseHead(InputBuffer& input, RequestView& view);
  ParseState ParseBody(InputBuffer& input, RequestView& view);
  ParseState ParseChunks(InputBuffer& input);
  ParseState Complete(InputBuffer& input, RequestView& view, std::string_view body);
};

// An empty line before a request line is to be ignored (RFC 9112 section 2.2).
void RequestParser::State::SkipEmptyLines(InputBuffer& input) {
  std::size_t skip = 0;
  while (input.text().substr(skip).starts_with("\r\n")) {
    skip += 2;
  }
  if (skip > 0) {
    input.Erase(0, skip);
  }
}

ParseState RequestParser::State::ParseHead(InputBuffer& input, RequestView& view) {
  grammar->input_begin = input.data();
  grammar->input_end = input.data() + input.size();
  Code ec;
  parsed += grammar->put({input.data() + parsed, input.size() - parsed}, ec);
  if (ec == beast::http::error::need_more) {
    return input.size() >= kHeadBytesMax ? Fail(FailureFor(beast::http::error::header_limit, {}))
                                         : ParseState::kNeedMore;
  }
  if (ec) {
    return Fail(grammar->failure.status != 0 ? grammar->failure : FailureFor(ec, input.text()));
  }
  if (parsed > kHeadBytesMax) {
    return Fail(FailureFor(beast::http::error::header_limit, {}));
  }
  if (!SplitTarget(view)) {
    return Fail({400, "the request target is not a path"});
  }
  base = input.data();
  continue_asked = grammar->expects_continue && grammar->version == 11 && !grammar->is_done();
  return ParseState::kComplete;
}

ParseState RequestParser::State::ParseChunks(InputBuffer& input) {
  while (!grammar->is_done()) {
    Code ec = beast::http::error::need_more;
    std::size_t used = 0;
    if (grammar->chunk_left > 0 || input.size() - parsed >= kLastChunkBytesMin) {
      used = grammar->put({input.data() + parsed, input.size() - parsed}, ec);
    }
    // Framing and data are dropped as they come, so that the input holds one line at most.
    input.Erase(parsed, used);
    if (ec == beast::http::error::need_more || (!ec && used == 0 && !grammar->is_done())) {
      if (input.size() - parsed >= kChunkLineBytesMax) {
        return Fail({400, "a chunk's size line or the trailer is too long"});
      }
      input.Grow(parsed + kChunkLineBytesMax);
      return ParseState::kNeedMore;
    }
    if (ec) {
      return Fail(FailureFor(ec, {}));
    }
  }
  return ParseState::kComplete;
}

ParseState RequestParser::State::ParseBody(InputBuffer& input, RequestView& view) {
  if (grammar->chunked()) {
    const ParseState chunks = ParseChunks(input);
    message_bytes = parsed;
    return chunks == ParseState::kComplete ? Complete(input, view, chunked_body) : chunks;
  }
  const auto length = static_cast<std::size_t>(grammar->content_length().value_or(0));
  message_bytes = parsed + length;
  if (input.size() < message_bytes) {
    if (input.free_space().empty()) {  // grows with what has come, not with what was announced
      input.Grow(std::min(message_bytes, input.capacity() * 2));
    }
    return ParseState::kNeedMore;
  }
  return Complete(input, view, input.text().substr(parsed, length));
}

ParseState RequestParser::State::Complete(InputBuffer& input, RequestView& view,
                                          std::string_view body) {
  if (input.data() != base) {
    Rebase(view, base, input.data());
    base = input.data();
    SplitTarget(view);
  }
  view.body = body;
  complete = true;
  continue_asked = false;
  return ParseState::kComplete;
}

RequestParser::RequestParser(std::size_t body_bytes_max)
    : state_(std::make_unique<State>(body_bytes_max)) {}
RequestParser::~RequestParser() = default;

ParseState RequestParser::Parse(InputBuffer& input, RequestView& view) {
  State& state = *state_;
  if (state.failure.status != 0) {
    return ParseState::kFailed;
  }
  if (!state.grammar) {
    state.SkipEmptyLines(input);
    if (input.empty() || input.text() == "\r") {
      return ParseState::kNeedMore;
    }
    view.headers.clear();
    view.body = {};
    state.chunked_body.clear();
    state.parsed = 0;
    state.complete = false;
    state.grammar.emplace(view, state.chunked_body, state.body_bytes_max);
  }
  if (!state.grammar->is_header_done()) {
    const ParseState head = state.ParseHead(input, view);
    if (head != ParseState::kComplete) {
      return head;
    }
  }
  return state.ParseBody(input, view);
}

bool RequestParser::TakeContinue() { return std::exchange(state_->continue_asked, false); }

bool RequestParser::keep_alive() const { return state_->grammar->keep_alive(); }

bool RequestParser::is_http_1_0() const {
  return state_->grammar && state_->grammar->version == 10;
}

void RequestParser::Finish(InputBuffer& input) {
  KT_CHECK(state_->complete);
  input.Consume(state_->message_bytes);
  state_->grammar.reset();
  state_->complete = false;
  if (state_->chunked_body.capacity() > kHeadBytesMax) {
    state_->chunked_body = {};
  }
}

int RequestParser::failure_status() const { return state_->failure.status; }
std::string_view RequestParser::failure_reason() const { return state_->failure.reason; }

}  // namespace keyturn::http
