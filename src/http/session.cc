#include "http/session.h"

#include <utility>

#include "base/check.h"
#include "http/reply.h"

namespace keyturn::http {
namespace {

// The memory of a larger reply is given back.
constexpr std::size_t kOutputBytesKept = 65536;

}  // namespace

void OutputBuffer::Sent(std::size_t count) {
  KT_CHECK(count <= text_.size() - sent_);
  sent_ += count;
  if (sent_ == text_.size() && !sending_) {
    sent_ = 0;
    text_.clear();
    if (text_.capacity() > kOutputBytesKept) {
      text_ = {};
    }
  }
}

void OutputBuffer::EndSending() {
  sending_ = false;
  text_.append(waiting_);
  waiting_.clear();
  Sent(0);
}

Session::Session(std::size_t body_bytes_max, const TlsContext* tls, std::string remote_address)
    : remote_address_(std::move(remote_address)), parser_(body_bytes_max), is_tls_(tls != nullptr) {
  view_.remote_address = remote_address_;
  if (is_tls_) {
    tls_ = TlsSession::Create(*tls);
    wire_.reset(new char[kHeadBytesMax]);
  }
}

std::span<char> Session::receive_space() {
  return is_tls_ ? std::span<char>(wire_.get(), kHeadBytesMax) : input_.free_space();
}

void Session::Received(std::size_t count) {
  if (is_tls_) {
    tls_->Feed({wire_.get(), count});
    tls_drained_ = false;
  } else {
    input_.Commit(count);
  }
}

// Decrypt moves what fits from the TLS session to the input; false when it has ended.
bool Session::Decrypt() {
  bool ended = false;
  while (!ended && !tls_drained_ && !input_.free_space().empty()) {
    std::size_t count = 0;
    switch (tls_->Read(input_.free_space(), count)) {
      case TlsRead::kData:
        input_.Commit(count);
        break;
      case TlsRead::kWantMore:
        tls_drained_ = true;
        break;
      case TlsRead::kClosed:
        tls_drained_ = true;
        ended = input_.empty();  // requests that came before the end still count
        break;
      case TlsRead::kFailed:
        ended = true;
        break;
    }
  }
  if (!view_.tls && tls_->handshake_done()) {
    view_.tls = tls_->details();
  }
  tls_->TakeOutput(output_.tail());
  return !ended;
}

Session::Step Session::Next() {
  for (;;) {
    if (is_tls_ && !Decrypt()) {
      return Step::kEnded;
    }
    switch (parser_.Parse(input_, view_)) {
      case ParseState::kComplete:
        return Step::kRequest;
      case ParseState::kFailed:
        Refuse(parser_.failure_status(), parser_.failure_reason());
        return Step::kRefused;
      case ParseState::kNeedMore:
        if (parser_.TakeContinue()) {
          Output("HTTP/1.1 100 Continue\r\n\r\n");
        }
        if (tls_drained_) {
          return Step::kNeedMore;
        }
        break;  // the parser has made room for more of what is decrypted
    }
  }
}

bool Session::Reply(std::string_view head, std::string_view body, bool keeps) {
  const ReplyRules rules{keeps && parser_.keep_alive(), parser_.is_http_1_0(),
                         view_.method == "HEAD"};
  if (is_tls_) {
    plain_.clear();
    AppendReply(head, body, rules, plain_);
    Output(plain_);
  } else {
    AppendReply(head, body, rules, output_.tail());
  }
  return rules.keep_alive;
}

void Session::Finish() { parser_.Finish(input_); }

void Session::Refuse(int status, std::string_view reason) {
  std::string text;
  AppendRefusal(status, reason, text);
  Output(text);
}

// A TLS session cannot send when the client has broken it, or stopped within a message of its own.
void Session::Output(std::string_view text) {
  if (is_tls_) {
    cannot_send_ = !tls_->Write(text) || cannot_send_;
    tls_->TakeOutput(output_.tail());
  } else {
    output_.tail().append(text);
  }
}

void Session::EndOutput() {
  if (is_tls_) {
    tls_->Shutdown();
    tls_->TakeOutput(output_.tail());
  }
}

}  // namespace keyturn::http
