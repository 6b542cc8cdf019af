// SigV4: AWS Signature Version 4, both sides. Pure: the instant is passed in; the same
// canonicalisation signs and verifies.
//
// Thread-safety: free functions are; SigningKeyCache says so itself.
// Source: IAM User Guide, "Create a signed AWS API request" and the published SigV4 test suite.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/kdf.h"

namespace keyturn::sigv4 {

struct Header {
  std::string_view name;  // any case
  std::string_view value;
};

// Request: what is signed. path and query as on the request line, still encoded.
struct Request {
  std::string_view method;
  std::string_view path = "/";
  std::string_view query;
  std::span<const Header> headers;
  ByteView body;
};

inline constexpr std::chrono::minutes kClockSkewMax{5};

// --- Verifying ---------------------------------------------------------------------------------

// Authorization: the parsed header; views into it.
struct Authorization {
  std::string_view access_key_id;
  std::string_view date;     // yyyymmdd
  std::string_view region;
  std::string_view service;
  std::string_view signed_headers;  // "content-type;host;x-amz-date;..."
  std::string_view signature;       // 64 hex digits
  TimePoint timestamp;              // of X-Amz-Date or Date
  std::string_view timestamp_text;  // in basic form, as it goes into the string to sign
  std::string_view security_token;  // X-Amz-Security-Token, empty when absent
  std::string date_from_http;       // storage for timestamp_text when only Date was sent
};

// ParseAuthorization finds and parses the Authorization and date headers, and checks everything
// that needs no secret, in AWS's order with AWS's errors: MissingAuthenticationTokenException,
// IncompleteSignatureException (only the missing parts are named), scope (service, aws4_request,
// date equal to the timestamp's day: InvalidSignatureException), clock skew (InvalidSignature-
// Exception), and that host and every x-amz-* header present is signed. Headers that appear twice
// are refused when they are signed or are Authorization/date headers.
Result<Authorization> ParseAuthorization(const Request& request, std::string_view service,
                                         TimePoint now);

// SigningKey derives the day's key from a secret access key.
crypto::Key256 SigningKey(ByteView secret_access_key, std::string_view date,
                          std::string_view region, std::string_view service);

// VerifySignature rebuilds the canonical request and compares in constant time:
// InvalidSignatureException with AWS's text on mismatch.
Status VerifySignature(const Request& request, const Authorization& authorization,
                       const crypto::Key256& signing_key);

// --- Signing -----------------------------------------------------------------------------------

struct Credentials {
  std::string access_key_id;
  SecretBytes secret_access_key;
  std::string session_token;  // empty for long-lived keys
};

struct SignedHeaders {
  std::string authorization;
  std::string amz_date;
};

// Sign signs the request's headers plus x-amz-date (and x-amz-security-token when there is a session
// token; the caller must send both). request.headers must include host.
SignedHeaders Sign(const Request& request, const Credentials& credentials, std::string_view region,
                   std::string_view service, TimePoint now);

}  // namespace keyturn::sigv4
