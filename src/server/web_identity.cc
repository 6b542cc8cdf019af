#include "server/web_identity.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "crypto/jwk.h"
#include "json/json.h"

namespace keyturn::server {
namespace {

constexpr std::int64_t kSkewSeconds = 60;
constexpr json::Limits kLimits{.bytes_max = 64 << 10, .depth_max = 8};
constexpr std::string_view kHttps = "https://";

tl::unexpected<Error> Bad(const char* why) { return Fail(ErrorCode::kMalformed, why); }

std::optional<Bytes> Base64UrlDecode(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  plain.append((4 - plain.size() % 4) % 4, '=');
  return Base64Decode(plain);
}

struct Parts {
  std::string_view header, payload, signature;
  std::string_view signing_input;
};

std::optional<Parts> Split(std::string_view token) {
  if (token.size() > kWebIdentityTokenMax) return std::nullopt;
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::string_view TextOf(const json::Value& object, const char* name) {
  const auto member = object.Find(name);
  return member ? member->AsString().value_or(std::string_view()) : std::string_view();
}

Bytes BytesOf(const json::Value& object, const char* name) {
  return Base64UrlDecode(TextOf(object, name)).value_or(Bytes());
}

// Fits: whether key, an RSA or EC key of the set, verifies the token with this algorithm.
bool Fits(const json::Value& key, std::string_view algorithm, ByteView message,
          ByteView signature) {
  const std::string_view own = TextOf(key, "alg");
  const std::string_view use = TextOf(key, "use");
  if ((!own.empty() && own != algorithm) || (!use.empty() && use != "sig")) return false;
  if (algorithm == "RS256" && TextOf(key, "kty") == "RSA") {
    return crypto::VerifyRs256(BytesOf(key, "n"), BytesOf(key, "e"), message, signature);
  }
  if (algorithm == "ES256" && TextOf(key, "kty") == "EC" && TextOf(key, "crv") == "P-256") {
    return crypto::VerifyEs256(BytesOf(key, "x"), BytesOf(key, "y"), message, signature);
  }
  return false;
}

Status VerifySignature(const Parts& parts, const std::string& key_set) {
  const auto header_bytes = Base64UrlDecode(parts.header);
  const auto signature = Base64UrlDecode(parts.signature);
  if (!header_bytes || !signature) return Bad("The ID Token provided is not a valid JWT.");
  json::Parser header_parser(kLimits);
  const auto header = header_parser.Parse(AsText(*header_bytes));
  if (!header || header->Find("crit")) return Bad("The ID Token provided is not a valid JWT.");
  const std::string_view algorithm = TextOf(*header, "alg");
  const std::string_view wanted = TextOf(*header, "kid");
  json::Parser set_parser(kLimits);
  const auto set = set_parser.Parse(key_set);
  const auto keys = set ? set->Find("keys") : std::nullopt;
  bool fits = false;
  if (keys) {
    keys->ForEachElement([&](std::size_t, json::Value key) {
      const std::string_view id = TextOf(key, "kid");
      if (wanted.empty() || id.empty() || id == wanted) {
        fits = Fits(key, algorithm, AsBytes(parts.signing_input), *signature);
      }
      return !fits;
    });
  }
  if (!fits) return Bad("Couldn't retrieve verification key from your identity provider");
  return {};
}

std::vector<std::string> Strings(const json::Value& object, const char* name) {
  std::vector<std::string> out;
  const auto member = object.Find(name);
  if (!member) return out;
  if (const auto text = member->AsString()) out.emplace_back(*text);
  member->ForEachElement([&](std::size_t, json::Value element) {
    if (const auto text = element.AsString()) out.emplace_back(*text);
    return true;
  });
  return out;
}

std::optional<double> Seconds(const json::Value& claims, const char* name) {
  const auto member = claims.Find(name);
  return member ? member->AsDouble() : std::nullopt;
}

Status CheckDates(const json::Value& claims, TimePoint now) {
  const auto seconds = static_cast<double>(ToEpochMillis(now)) / 1000;
  const auto expires = Seconds(claims, "exp");
  if (!expires) return Bad("The ID Token has no exp claim.");
  if (seconds > *expires + kSkewSeconds) {
    return Fail(ErrorCode::kExpiredTokenException, "Token expired");
  }
  for (const char* name : {"nbf", "iat"}) {
    const auto from = Seconds(claims, name);
    if (from && seconds < *from - kSkewSeconds) {
      return Bad("The ID Token is not valid yet.");
    }
  }
  return {};
}

// ReadSessionClaims reads what AWS takes from claims of its own: the tags, each with one value, and
// the source identity.
void ReadSessionClaims(const json::Value& claims, service::WebIdentity& identity) {
  if (const auto claim = claims.Find("https://aws.amazon.com/source_identity")) {
    identity.source_identity = std::string(claim->AsString().value_or(std::string_view()));
  }
  const auto claim = claims.Find("https://aws.amazon.com/tags");
  if (!claim) return;
  identity.transitive_tag_keys = Strings(*claim, "transitive_tag_keys");
  const auto given = claim->Find("principal_tags");
  if (!given) return;
  given->ForEachMember([&](std::string_view name, json::Value value) {
    std::string text(value.AsString().value_or(std::string_view()));
    value.ForEachElement([&](std::size_t, json::Value element) {
      text = element.AsString().value_or(std::string_view());
      return false;
    });
    identity.tags.push_back({std::string(name), std::move(text)});
    return true;
  });
}

}  // namespace

Result<std::string> IssuerHost(std::string_view token) {
  const auto parts = Split(token);
  const auto payload = parts ? Base64UrlDecode(parts->payload) : std::nullopt;
  if (!payload) return Bad("The ID Token provided is not a valid JWT.");
  json::Parser parser(kLimits);
  const auto claims = parser.Parse(AsText(*payload));
  const std::string_view issuer = claims ? TextOf(*claims, "iss") : std::string_view();
  if (!issuer.starts_with(kHttps)) return Bad("The ID Token has no issuer that begins https://.");
  return std::string(issuer.substr(kHttps.size()));
}

Result<service::WebIdentity> VerifyWebIdentity(std::string_view token,
                                               const service::ProviderPtr& provider,
                                               TimePoint now) {
  const auto parts = Split(token);
  if (!parts) return Bad("The ID Token provided is not a valid JWT.");
  KT_TRY(VerifySignature(*parts, provider->key_set));
  const auto payload = Base64UrlDecode(parts->payload);
  if (!payload) return Bad("The ID Token provided is not a valid JWT.");
  json::Parser parser(kLimits);
  const auto claims = parser.Parse(AsText(*payload));
  if (!claims || TextOf(*claims, "iss") != std::string(kHttps) + provider->host) {
    return Bad("The ID Token is of another issuer.");
  }
  KT_TRY(CheckDates(*claims, now));
  service::WebIdentity identity;
  identity.provider = provider;
  identity.subject = TextOf(*claims, "sub");
  if (identity.subject.empty()) return Bad("The ID Token has no subject.");
  // With several audiences the authorised party (azp) is the one that counts.
  const std::string_view party = TextOf(*claims, "azp");
  const auto audiences =
      party.empty() ? Strings(*claims, "aud") : std::vector<std::string>{std::string(party)};
  for (const std::string& audience : audiences) {
    if (std::find(provider->audiences.begin(), provider->audiences.end(), audience) !=
        provider->audiences.end()) {
      identity.audience = audience;
      break;
    }
  }
  if (identity.audience.empty()) return Bad("Incorrect token audience");
  identity.methods = Strings(*claims, "amr");
  ReadSessionClaims(*claims, identity);
  return identity;
}

Status CheckKeySet(std::string_view text) {
  json::Parser parser(kLimits);
  const auto set = parser.Parse(text);
  const auto keys = set ? set->Find("keys") : std::nullopt;
  bool usable = false;
  if (keys) {
    keys->ForEachElement([&](std::size_t, json::Value key) {
      usable = usable ||
               (TextOf(key, "kty") == "RSA" && !BytesOf(key, "n").empty() &&
                !BytesOf(key, "e").empty()) ||
               (TextOf(key, "kty") == "EC" && TextOf(key, "crv") == "P-256" &&
                BytesOf(key, "x").size() == 32 && BytesOf(key, "y").size() == 32);
      return true;
    });
  }
  if (!usable) {
    return Fail(ErrorCode::kValidationException,
                "the key set must be a JWKS with at least one RSA or P-256 key");
  }
  return {};
}

}  // namespace keyturn::server
