// Errors: one table from ErrorCode to the wire, and the error body.
//
// Thread-safety: free functions are. Source: KMS API model 2014-11-01 (which exceptions are server
// faults) and recorded AWS answers (the message member's case, HTTP 400 for nearly everything).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::api {

struct WireError {
  std::string_view name;
  int http_status;
  bool retryable;
  bool capital_message;  // "Message" instead of "message"
};

// Wire: codes of ours (kIo, kNoSpace, ...) become KMSInternalException.
WireError Wire(ErrorCode code);

// AppendError appends {"__type":"...","message":"..."}; no message member when there is no text,
// and never a text of ours for an internal failure.
void AppendError(const Error& error, std::string& out);

// IsWireError: a code that AWS has.
bool IsWireError(ErrorCode code);

}  // namespace keyturn::api
