// ResponseReader: HTTP/1.x answers from bytes as they come, on Beast's parser. Beast stays in the
// .cc file.
//
// Limits: head and body together at most bytes_max. Interim answers (1xx) are passed over. One
// thread; errors are states, no input makes it throw or crash.
// Source: RFC 9112.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/client.h"

namespace keyturn::http {

class ResponseReader {
 public:
  enum class State { kMore, kDone, kMalformed, kTooLarge };

  ResponseReader();
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // Begin expects a new answer; to HEAD and to CONNECT it has no body, whatever its head says.
  void Begin(std::size_t bytes_max, bool without_body);
  // Put takes the next bytes; after kDone only Begin may follow.
  State Put(std::string_view bytes);
  // End says that the connection has ended, which ends an answer without a length.
  State End();

  // has_begun: something of the answer has come.
  bool has_begun() const;
  // After kDone. keep_alive: the connection may be used again; never with bytes that belong to no
  // answer.
  bool keep_alive() const;
  ClientResponse Take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn::http
