#include "http/response_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>

namespace keyturn::http {
namespace {

namespace beast = boost::beast::http;
using Code = boost::system::error_code;
using Text = boost::beast::string_view;

constexpr std::size_t kAnswerHeadMax = 256 << 10;
constexpr std::uint64_t kReserveMax = 1 << 20;

// AnswerParser puts what Beast finds where it belongs; Beast calls it by these names.
class AnswerParser final : public beast::basic_parser<false> {
 public:
  AnswerParser(ClientResponse& response, std::size_t bytes_max, bool without_body)
      : response_(response), bytes_left_(bytes_max) {
    header_limit(static_cast<std::uint32_t>(std::min(bytes_max, kAnswerHeadMax)));
    body_limit(bytes_max);
    eager(true);
    skip(without_body);
  }

 private:
  void on_request_impl(beast::verb, Text, Text, int, Code&) override {}
  void on_response_impl(int status, Text, int, Code&) override { response_.status = status; }
  void on_field_impl(beast::field, Text name, Text value, Code& error) override {
    if (!Fits(name.size() + value.size(), error)) return;
    auto& [lower, kept] = response_.headers.emplace_back();
    lower.resize(name.size());
    std::transform(name.begin(), name.end(), lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    kept.assign(value.data(), value.size());
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Code& error) override {
    // A length that is announced is memory that is not there yet.
    if (length && Fits(*length, error)) {
      bytes_left_ += static_cast<std::size_t>(*length);
      response_.body.reserve(static_cast<std::size_t>(std::min(*length, kReserveMax)));
    }
  }
  std::size_t on_body_impl(Text text, Code& error) override {
    if (!Fits(text.size(), error)) return 0;
    response_.body.append(text.data(), text.size());
    return text.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text text, Code& error) override {
    return on_body_impl(text, error);
  }
  void on_finish_impl(Code&) override {}

  bool Fits(std::uint64_t more, Code& error) {
    if (more > bytes_left_) {
      error = beast::error::body_limit;
      return false;
    }
    bytes_left_ -= static_cast<std::size_t>(more);
    return true;
  }

  ClientResponse& response_;
  std::size_t bytes_left_;
};

bool IsTooLarge(const Code& error) {
  return error == beast::error::body_limit || error == beast::error::header_limit;
}

}  // namespace

struct ResponseReader::Impl {
  ClientResponse response;
  std::optional<AnswerParser> parser;
  std::string held;  // of a head that is not whole yet
  std::size_t bytes_max = 0;
  bool without_body = false;
  bool has_begun = false;
  bool has_rest = false;

  // Expect makes ready for one answer, of which several may come: interim ones.
  void Expect() {
    response.headers.clear();
    response.body.clear();
    parser.emplace(response, bytes_max, without_body);
  }
  State Parse(std::string_view& bytes);
};

ResponseReader::ResponseReader() : impl_(std::make_unique<Impl>()) {}
ResponseReader::~ResponseReader() = default;

void ResponseReader::Begin(std::size_t bytes_max, bool without_body) {
  impl_->bytes_max = bytes_max;
  impl_->without_body = without_body;
  impl_->has_begun = false;
  impl_->has_rest = false;
  impl_->held.clear();
  impl_->Expect();
}

// Parse takes from bytes what it understands.
ResponseReader::State ResponseReader::Impl::Parse(std::string_view& bytes) {
  while (!bytes.empty()) {
    Code error;
    const std::size_t used = parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(std::min(used, bytes.size()));
    if (error == beast::error::need_more) return State::kMore;
    if (error) return IsTooLarge(error) ? State::kTooLarge : State::kMalformed;
    if (parser->is_done()) {
      // 101 would end HTTP; nobody here asks for it.
      if (response.status / 100 != 1 || response.status == 101) return State::kDone;
      Expect();
    } else if (used == 0) {
      return State::kMore;
    }
  }
  return State::kMore;
}

ResponseReader::State ResponseReader::Put(std::string_view bytes) {
  Impl& impl = *impl_;
  impl.has_begun = impl.has_begun || !bytes.empty();
  std::string joined;
  std::string_view view = bytes;
  if (!impl.held.empty()) {
    joined = std::move(impl.held);
    impl.held.clear();
    joined += bytes;
    view = joined;
  }
  const State state = impl.Parse(view);
  if (state == State::kMore) {
    if (view.size() > std::min(impl.bytes_max, kAnswerHeadMax)) return State::kTooLarge;
    impl.held.assign(view);
  }
  if (state == State::kDone) impl.has_rest = !view.empty();
  return state;
}

ResponseReader::State ResponseReader::End() {
  Code error;
  if (!impl_->has_begun || !impl_->parser->is_header_done()) return State::kMalformed;
  impl_->parser->put_eof(error);
  return error || !impl_->parser->is_done() ? State::kMalformed : State::kDone;
}

bool ResponseReader::has_begun() const { return impl_->has_begun; }
bool ResponseReader::keep_alive() const {
  return !impl_->has_rest && impl_->parser->keep_alive() && !impl_->parser->need_eof();
}

ClientResponse ResponseReader::Take() { return std::move(impl_->response); }

}  // namespace keyturn::http
