// ClientRequest, looked at: what both clients of this room check and take apart. Private to this
// room. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client.h"

namespace keyturn::http {

// NameEquals: text is lower but for the case of its ASCII letters.
bool NameEquals(std::string_view text, std::string_view lower);

// OriginOf returns scheme and authority of a URL; empty when it is not http or https.
std::string_view OriginOf(std::string_view url);

// CheckRequest: kUsage for what would let a value write header lines of its own, and for a URL that
// is none.
Status CheckRequest(const ClientRequest& request);

// Authority: an origin, taken apart.
struct Authority {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string text;  // for Host: with brackets, and with a port that is not the scheme's
};
// ParseOrigin: nullopt when it has no host, no port that is one, or a user.
std::optional<Authority> ParseOrigin(std::string_view origin);

// AppendRequest writes the request's head and body. absolute: the whole URL is asked for, as of a
// proxy. more are header lines, each with its end.
void AppendRequest(const ClientRequest& request, const Authority& authority, bool absolute,
                   std::string_view more, std::string& out);

}  // namespace keyturn::http
