// Guard: what a request to /console/api must show before anything is done for it.
//
// Thread-safety: pure functions.
// Source: RFC 6265bis (cookie prefixes), Fetch Metadata Request Headers (W3C), RFC 6454.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/server.h"

namespace keyturn::console {

// CookieOf returns the console's cookie; nullopt when there is none, or more than one.
std::optional<std::string_view> CookieOf(const http::RequestView& request);
// SetCookieLine: the header line, with CRLF. An empty value deletes the cookie.
std::string SetCookieLine(std::string_view value);
// CheckOrigin: kAccessDeniedException unless the request was made by a page of this very server.
// needs_origin: of requests that change something, browsers always tell the origin.
Status CheckOrigin(const http::RequestView& request, bool needs_origin);
// CheckCsrf compares the header x-keyturn-csrf in constant time.
Status CheckCsrf(const http::RequestView& request, std::string_view expected);

}  // namespace keyturn::console
