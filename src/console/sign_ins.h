// SignIns: who is signed in to the console. A session is named by a random cookie, of which only
// the digest is kept, and guarded by a second token that scripts of other origins cannot know. It
// ends after a time without use, after a time in all, when it is signed out, and when the server
// restarts; the rights behind it are looked up anew with every request.
//
// Thread-safety: thread-safe.
// Source: OWASP Session Management and Cross-Site Request Forgery Prevention cheat sheets.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "service/call.h"

namespace keyturn::console {

struct SignInLimits {
  std::chrono::seconds idle{900};        // 15 minutes without a request
  std::chrono::seconds lifetime{28800};  // 8 hours
  std::chrono::seconds confirmation{300};
  std::size_t sessions_max = 10000;
  // So many failed sign-ins of one address in failure_window, and more have to wait.
  unsigned failures_max = 5;
  std::chrono::seconds failure_window{60};
};

// Identity: the credentials that signed in. Temporary credentials carry everything in their token,
// of which this is the opened form.
struct Identity {
  std::string access_key_id;
  std::string arn;  // of the user, or of the role's session
  std::string principal_arn;
  service::SessionPtr temporary;  // null: a long-lived access key
};

// CallerOf finds what the identity is now: kUnrecognizedClientException when the access key is
// gone or inactive, kExpiredTokenException when temporary credentials have run out.
Result<service::Caller> CallerOf(const service::View& view, const Identity& identity,
                                 TimePoint now);

// Origin: how a person's requests come, as the sign-in came; conditions of policies ask for it.
struct Origin {
  std::string address;
  std::string user_agent;
  std::string host;
  std::string tls_version;  // empty: not TLS
  std::string tls_cipher;
  bool secure() const { return !tls_version.empty(); }
};

struct SignIn {
  Identity identity;
  Origin origin;
  std::string region;
  std::string csrf_token;
  TimePoint created;
  TimePoint expires;          // whatever is done
  TimePoint idle_expires;     // unless something is done
  TimePoint confirmed_until;  // destructive calls are taken until then
};

struct NewSignIn {
  std::string cookie;
  std::string csrf_token;
};

class SignIns {
 public:
  // random must outlive it.
  SignIns(const SignInLimits& limits, RandomSource& random);

  // MayTry: kThrottlingException when the address has failed too often lately.
  Status MayTry(const std::string& address, TimePoint now);
  void NoteFailure(const std::string& address, TimePoint now);
  // TakeSignature: false when this signature has signed in before; kept for as long as its date is
  // accepted.
  bool TakeSignature(std::string_view signature, TimePoint now);

  // Open: kLimitExceededException when too many are signed in.
  Result<NewSignIn> Open(Identity identity, Origin origin, std::string region, TimePoint now);
  // Find returns the session of a cookie; used: the idle time starts anew. kExpiredTokenException
  // when there is none (any longer).
  Result<SignIn> Find(std::string_view cookie, TimePoint now, bool used);
  // FindOf returns the sessions of who has this ARN, the newest first, without using them.
  std::vector<SignIn> FindOf(std::string_view arn, TimePoint now);
  // Confirm lets destructive calls through for a while.
  void Confirm(std::string_view cookie, TimePoint now);
  void Close(std::string_view cookie);
  // CloseAll ends every session of a principal and returns how many there were.
  std::size_t CloseAll(const std::string& principal_arn);

  const SignInLimits& limits() const { return limits_; }

 private:
  using Digest = std::array<std::uint8_t, 32>;
  static Digest DigestOf(std::string_view cookie);
  void DropExpired(TimePoint now);

  const SignInLimits limits_;
  RandomSource& random_;
  std::mutex mutex_;
  std::map<Digest, SignIn> sessions_;
  std::map<std::string, std::deque<TimePoint>> failures_;     // by address
  std::map<std::string, TimePoint, std::less<>> signatures_;  // until when they are kept
};

}  // namespace keyturn::console
