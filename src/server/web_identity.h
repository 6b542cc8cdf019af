// WebIdentity: ID tokens of OpenID Connect: compact JWS with RS256 or ES256, under the key set that
// the operator configured. Nothing is fetched: an issuer's keys are the ones in its provider row.
//
// Thread-safety: free functions.
// Source: RFC 7515, 7517, 7519; OpenID Connect Core 1.0 section 3.1.3.7; AWS STS API Reference,
// AssumeRoleWithWebIdentity.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "service/sts.h"

namespace keyturn::server {

inline constexpr std::size_t kWebIdentityTokenMax = 20'000;

// IssuerHost returns the issuer that a token names, without https://, before anything about the
// token is verified: it only says whose keys to try. kMalformed when there is none.
Result<std::string> IssuerHost(std::string_view token);

// VerifyWebIdentity checks signature, audience and dates (a minute of skew). kMalformed says why
// not, without quoting the token; kExpiredTokenException for one that has expired.
Result<service::WebIdentity> VerifyWebIdentity(std::string_view token,
                                               const service::ProviderPtr& provider, TimePoint now);

// CheckKeySet: kValidationException unless text is a JWKS with a key that can be used.
Status CheckKeySet(std::string_view text);

}  // namespace keyturn::server
