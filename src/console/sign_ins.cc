#include "console/sign_ins.h"

#include <algorithm>

#include "base/hex.h"
#include "crypto/digest.h"
#include "service/sessions.h"
#include "sigv4/sigv4.h"

namespace keyturn::console {
namespace {

constexpr std::size_t kTokenBytes = 32;
// Addresses and signatures that are remembered. Beyond, sign-in is refused rather than unguarded.
constexpr std::size_t kRememberedMax = 100000;

std::string NewToken(RandomSource& random) {
  SecretBytes bytes(kTokenBytes);
  random.Fill(bytes.reveal_mutable());
  return HexEncode(bytes.reveal());
}

Error SignedOut() {
  return {ErrorCode::kExpiredTokenException, "You are not signed in, or no longer.", {}};
}

Error TooManyFailures() {
  return {ErrorCode::kThrottlingException,
          "Too many sign-ins have failed. Wait a minute and try again.",
          {}};
}

}  // namespace

Result<service::Caller> CallerOf(const service::View& view, const Identity& identity,
                                 TimePoint now) {
  if (identity.temporary) {
    if (identity.temporary->expires <= now) return Fail(SignedOut());
    return service::CallerOf(view, identity.temporary);
  }
  const service::AccessKeyPtr access_key = view.FindAccessKey(identity.access_key_id);
  if (!access_key || !access_key->row.active) {
    return Fail(ErrorCode::kUnrecognizedClientException,
                "The access key you signed in with is inactive or deleted.");
  }
  return service::CallerOf(view, access_key);
}

SignIns::SignIns(const SignInLimits& limits, RandomSource& random)
    : limits_(limits), random_(random) {}

SignIns::Digest SignIns::DigestOf(std::string_view cookie) {
  return crypto::Sha256(AsBytes(cookie));
}

Status SignIns::MayTry(const std::string& address, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  for (auto it = failures_.begin(); it != failures_.end();) {
    auto& times = it->second;
    while (!times.empty() && times.front() + limits_.failure_window <= now) times.pop_front();
    it = times.empty() ? failures_.erase(it) : std::next(it);
  }
  if (failures_.size() >= kRememberedMax) return Fail(TooManyFailures());
  const auto found = failures_.find(address);
  if (found != failures_.end() && found->second.size() >= limits_.failures_max) {
    return Fail(TooManyFailures());
  }
  return {};
}

void SignIns::NoteFailure(const std::string& address, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  auto& times = failures_[address];
  if (times.size() < limits_.failures_max) times.push_back(now);
}

bool SignIns::TakeSignature(std::string_view signature, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(signatures_, [now](const auto& each) { return each.second <= now; });
  if (signatures_.size() >= kRememberedMax) return false;
  // A signature may be dated ahead by the whole skew, and is then good for twice that.
  return signatures_.emplace(signature, now + 2 * sigv4::kClockSkewMax).second;
}

void SignIns::DropExpired(TimePoint now) {
  std::erase_if(sessions_, [now](const auto& each) {
    return each.second.expires <= now || each.second.idle_expires <= now;
  });
}

Result<NewSignIn> SignIns::Open(Identity identity, Origin origin, std::string region,
                                TimePoint now) {
  NewSignIn made{NewToken(random_), NewToken(random_)};
  SignIn session;
  session.expires = now + limits_.lifetime;
  if (identity.temporary) session.expires = std::min(session.expires, identity.temporary->expires);
  session.identity = std::move(identity);
  session.origin = std::move(origin);
  session.region = std::move(region);
  session.csrf_token = made.csrf_token;
  session.created = now;
  session.idle_expires = now + limits_.idle;
  session.confirmed_until = now;
  const std::scoped_lock lock(mutex_);
  DropExpired(now);
  if (sessions_.size() >= limits_.sessions_max) {
    return Fail(ErrorCode::kLimitExceededException, "Too many people are signed in.");
  }
  sessions_.emplace(DigestOf(made.cookie), std::move(session));
  return made;
}

Result<SignIn> SignIns::Find(std::string_view cookie, TimePoint now, bool used) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(DigestOf(cookie));
  if (found == sessions_.end()) return Fail(SignedOut());
  SignIn& session = found->second;
  if (session.expires <= now || session.idle_expires <= now) {
    sessions_.erase(found);
    return Fail(SignedOut());
  }
  if (used) session.idle_expires = now + limits_.idle;
  return session;
}

std::vector<SignIn> SignIns::FindOf(std::string_view arn, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  DropExpired(now);
  std::vector<SignIn> found;
  for (const auto& [digest, session] : sessions_) {
    if (session.identity.arn == arn) found.push_back(session);
  }
  std::ranges::sort(found, [](const SignIn& a, const SignIn& b) { return a.created > b.created; });
  return found;
}

void SignIns::Confirm(std::string_view cookie, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(DigestOf(cookie));
  if (found != sessions_.end()) found->second.confirmed_until = now + limits_.confirmation;
}

void SignIns::Close(std::string_view cookie) {
  const std::scoped_lock lock(mutex_);
  sessions_.erase(DigestOf(cookie));
}

std::size_t SignIns::CloseAll(const std::string& principal_arn) {
  const std::scoped_lock lock(mutex_);
  return std::erase_if(sessions_, [&](const auto& each) {
    return each.second.identity.principal_arn == principal_arn;
  });
}

}  // namespace keyturn::console
