#include "api/errors.h"

#include "json/json.h"

namespace keyturn::api {

bool IsWireError(ErrorCode code) { return code < ErrorCode::kUsage; }

WireError Wire(ErrorCode code) {
  if (!IsWireError(code)) {
    return {"KMSInternalException", 500, true, false};
  }
  WireError wire{ErrorCodeName(code), 400, false, false};
  // The other codes are plain client errors: HTTP 400, not retryable, "message".
  if (code == ErrorCode::kKMSInternalException || code == ErrorCode::kDependencyTimeoutException ||
      code == ErrorCode::kKeyUnavailableException) {
    wire.http_status = 500;
    wire.retryable = true;
  } else if (code == ErrorCode::kServiceUnavailableException) {
    wire.http_status = 503;
    wire.retryable = true;
  } else if (code == ErrorCode::kThrottlingException) {
    wire.retryable = true;
  } else if (code == ErrorCode::kAccessDeniedException) {
    wire.capital_message = true;
  }
  return wire;
}

void AppendError(const Error& error, std::string& out) {
  const WireError wire = Wire(error.code);
  json::Writer writer(out);
  writer.BeginObject().Key("__type").String(wire.name);
  if (IsWireError(error.code) && !error.message.empty()) {
    writer.Key(wire.capital_message ? "Message" : "message").String(error.message);
  }
  writer.EndObject();
}

}  // namespace keyturn::api
