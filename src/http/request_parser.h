// RequestParser: one HTTP/1.1 request after another out of a connection's bytes.
//
// Beast's parser does the grammar; this adds what a server must hold beside it: a limit on the
// whole head, one Host, no folded header lines, no transfer coding but chunked, expectations.
// Strict where leniency helps request smuggling: bare line feeds, Content-Length next to
// Transfer-Encoding and unequal Content-Lengths are refused. Not thread-safe. Source: RFC 9112.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "http/input_buffer.h"
#include "http/server.h"

namespace keyturn::http {

inline constexpr std::size_t kHeadBytesMax = 16384;

enum class ParseState { kNeedMore, kComplete, kFailed };

class RequestParser {
 public:
  explicit RequestParser(std::size_t body_bytes_max);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Parse looks at the whole input again each time bytes were added; at most body and chunk bytes
  // are moved in it. kNeedMore: input has free space for more. kComplete: view holds method to
  // body, valid while the input is left alone. kFailed: failure_status and failure_reason say why,
  // and nothing further can be read from this connection. Input must have been made with capacity
  // kHeadBytesMax.
  ParseState Parse(InputBuffer& input, RequestView& view);

  // TakeContinue is true once when the client waits for 100 Continue before it sends the body.
  bool TakeContinue();

  // After kComplete.
  bool keep_alive() const;
  bool is_http_1_0() const;
  // Finish removes the request from the input and makes ready for the next one.
  void Finish(InputBuffer& input);

  int failure_status() const;
  std::string_view failure_reason() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyturn::http
