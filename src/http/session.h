// Session: a connection without its socket. Received bytes go in, requests come out; replies go in,
// bytes to be sent come out. TLS, when there is some, lies between.
//
// Not thread-safe. Nothing here waits, closes or knows the time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/input_buffer.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/tls.h"

namespace keyturn::http {

// OutputBuffer: text that can be added to while the front of it is being sent: BeginSending pins
// the bytes of pending() where they are until EndSending.
class OutputBuffer {
 public:
  std::string& tail() { return sending_ ? waiting_ : text_; }
  bool sending() const { return sending_; }
  std::string_view pending() const { return std::string_view(text_).substr(sent_); }
  void Sent(std::size_t count);
  void BeginSending() { sending_ = true; }
  void EndSending();

 private:
  std::string text_;
  std::size_t sent_ = 0;
  bool sending_ = false;
  std::string waiting_;
};

class Session {
 public:
  // tls may be null: plain HTTP. valid() is false when there is no memory for the TLS session.
  Session(std::size_t body_bytes_max, const TlsContext* tls, std::string remote_address);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool valid() const { return is_tls_ == (tls_ != nullptr); }
  // receive_space is where bytes from the socket go; Received says how many have come.
  std::span<char> receive_space();
  void Received(std::size_t count);

  enum class Step {
    kNeedMore,  // nothing more can be done with what has been received
    kRequest,   // request() is complete
    kRefused,   // the refusal is in the output; nothing further can be read
    kEnded,     // TLS was ended or broken by the client
  };
  // Next goes on with what has been received. It may add to the output in each case.
  Step Next();
  const RequestView& request() const { return view_; }

  // Reply answers the request; keeps says whether the connection stays open, if the client wants.
  // Returns whether it does. Finish then drops the request, so that Next finds the one behind it.
  bool Reply(std::string_view head, std::string_view body, bool keeps);
  void Finish();
  void Refuse(int status, std::string_view reason);
  // EndOutput says to a TLS client that nothing follows.
  void EndOutput();
  // DropInput makes room without looking at what was received.
  void DropInput() { input_.Consume(input_.size()); }

  // has_unread: received bytes wait to be looked at by Next.
  bool has_unread() const { return !input_.empty() || !tls_drained_; }
  bool handshaking() const { return tls_ != nullptr && !tls_->handshake_done(); }
  OutputBuffer& output() { return output_; }
  // cannot_send: TLS has refused something that was to be sent, for good.
  bool cannot_send() const { return cannot_send_; }

 private:
  bool Decrypt();
  void Output(std::string_view text);

  const std::string remote_address_;
  InputBuffer input_{kHeadBytesMax};
  RequestParser parser_;
  RequestView view_;
  OutputBuffer output_;

  const bool is_tls_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<char[]> wire_;  // encrypted bytes as they come
  bool tls_drained_ = true;
  bool cannot_send_ = false;
  std::string plain_;  // a reply before encryption
};

}  // namespace keyturn::http
