// Sessions: temporary credentials without a table of them. The token that a client sends back holds
// the whole session, sealed with a key of this data directory: who, until when, session policy,
// tags, and the secret that must have signed the request. Nothing is stored, so nothing is looked
// up but the user or role itself, by its unique id: deleting it ends its sessions.
//
// Thread-safety: free functions.
// Source: IAM User Guide, "Temporary security credentials in IAM"; AWS STS API Reference (limits).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "service/call.h"

namespace keyturn::service {

// A token travels in a header, so a session has a size: 4,096 bytes of policy and tags.
inline constexpr std::size_t kSessionPackedMax = 4096;

// NewSessionCredentials fills access_key_id ("ASIA" and 16 characters) and secret (40 characters).
void NewSessionCredentials(Session& session, RandomSource& random);
// SealSession returns the token. kLimitExceededException when policy and tags are too large.
Result<std::string> SealSession(const Keyring& keyring, const Session& session,
                                RandomSource& random);
// PackedPercent: how much of kSessionPackedMax policy and tags take, 0 when there are none.
int PackedPercent(const Session& session);
// OpenSession compiles the session policy too. kUnrecognizedClientException for anything that
// SealSession did not make; whether it has expired is the caller's to see.
Result<SessionPtr> OpenSession(const Keyring& keyring, std::string_view token);

// CallerOf finds who a session is now: its role, or its user with groups;
// kUnrecognizedClientException when that is gone.
Result<Caller> CallerOf(const View& view, const SessionPtr& session);
// CallerOf for long-lived credentials.
Result<Caller> CallerOf(const View& view, const AccessKeyPtr& access_key);

}  // namespace keyturn::service
