// SigV4: AWS Signature Version 4, both sides. Pure: the instant is passed in; the same
// canonicalisation signs and verifies.
//
// Thread-safety: free functions are; SigningKeyCache says so itself.
// Source: IAM User Guide, "Create a signed AWS API request" and the published SigV4 test suite.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/digest.h"
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

// Authorization: the parsed header. Views into the memory that the request's headers point to (not
// into the Request itself), valid as long as that memory is.
struct Authorization {
  std::string_view access_key_id;
  std::string_view date;  // yyyymmdd
  std::string_view region;
  std::string_view service;
  std::string_view signed_headers;  // "content-type;host;x-amz-date;..."
  std::string_view signature;       // 64 hex digits when it can be right; not checked yet
  std::string_view security_token;  // X-Amz-Security-Token, empty when absent
  TimePoint timestamp;              // of X-Amz-Date, else of Date
  std::array<char, 16> basic_time{};

  // timestamp_text is the instant in basic form, as it goes into the string to sign.
  std::string_view timestamp_text() const { return {basic_time.data(), basic_time.size()}; }
};

// ParseAuthorization finds and parses the Authorization and date headers, and checks everything
// that needs no secret, in AWS's order with AWS's errors:
//   1. no Authorization, or none of AWS4-*: MissingAuthenticationTokenException;
//   2. a part without '=', or missing parts, which are all named: IncompleteSignatureException;
//   3. a date that does not parse: IncompleteSignatureException; clock skew of more than five
//      minutes: InvalidSignatureException;
//   4. host and every x-amz-* header present must be signed: InvalidSignatureException;
//   5. algorithm, and five elements in the credential: IncompleteSignatureException;
//   6. scope, all that is wrong with it in one text: InvalidSignatureException.
// Beyond AWS: Authorization, Host, Date and x-amz-* headers may appear once only
// (InvalidSignatureException), so that no two readers of a request can take different ones.
Result<Authorization> ParseAuthorization(const Request& request, std::string_view service,
                                         TimePoint now);

// SigningKey derives the day's key from a secret access key.
crypto::Key256 SigningKey(ByteView secret_access_key, std::string_view date,
                          std::string_view region, std::string_view service);

// VerifySignature rebuilds the canonical request and compares in constant time:
// InvalidSignatureException with AWS's text on mismatch. The payload hash is always that of the
// body; an X-Amz-Content-Sha256 header that says anything else (UNSIGNED-PAYLOAD too) is a
// mismatch.
Status VerifySignature(const Request& request, const Authorization& authorization,
                       const crypto::HmacKey& signing_key);

// SigningKeyCache keeps derived keys, because deriving costs four HMACs. Not thread-safe: one for
// each event loop. Bounded; when full, keys of other days go first. The caller looks the access key
// up on every request, so that a deleted one is refused whatever is cached here.
class SigningKeyCache {
 public:
  static constexpr std::size_t kEntriesMax = 4096;

  // Get derives the key on a miss. An access key id has one secret for its whole life. The
  // reference is valid until the next call.
  const crypto::HmacKey& Get(const Authorization& authorization, ByteView secret_access_key);
  std::size_t size() const { return keys_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  void MakeRoom(std::string_view date);

  // "date/region/service/access key id"
  std::unordered_map<std::string, crypto::HmacKey, Hash, std::equal_to<>> keys_;
  std::string name_;
};

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

// Sign signs the request's headers plus x-amz-date (and x-amz-security-token when there is a
// session token; the caller must send both). request.headers must include host (KT_CHECK). Headers
// that proxies change or that the signature replaces are left out: authorization, connection,
// expect, transfer-encoding, user-agent, x-amzn-trace-id, x-amz-date, x-amz-security-token.
SignedHeaders Sign(const Request& request, const Credentials& credentials, std::string_view region,
                   std::string_view service, TimePoint now);

}  // namespace keyturn::sigv4
