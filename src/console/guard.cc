#include "console/guard.h"

#include <algorithm>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace keyturn::console {
namespace {

constexpr std::string_view kCookieName = "__Host-keyturn";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Error Foreign() {
  return {
      ErrorCode::kAccessDeniedException, "The request was not made by a page of this server.", {}};
}

bool SameText(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

std::size_t CountHeaders(const http::RequestView& request, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      request.headers, [name](const auto& each) { return SameText(each.name, name); }));
}

}  // namespace

std::optional<std::string_view> CookieOf(const http::RequestView& request) {
  if (CountHeaders(request, "cookie") != 1) return std::nullopt;
  std::optional<std::string_view> value;
  std::string_view rest = request.Header("cookie");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != kCookieName) continue;
    if (value) return std::nullopt;
    value = pair.substr(equals + 1);
  }
  return value;
}

std::string SetCookieLine(std::string_view value) {
  std::string line = "Set-Cookie: ";
  line.append(kCookieName).append("=").append(value);
  line += "; Path=/; Secure; HttpOnly; SameSite=Strict";
  if (value.empty()) line += "; Max-Age=0";
  return line + "\r\n";
}

Status CheckOrigin(const http::RequestView& request, bool needs_origin) {
  const std::string_view site = request.Header("sec-fetch-site");
  if (!site.empty() && site != "same-origin") return Fail(Foreign());
  const std::string_view origin = request.Header("origin");
  if (origin.empty()) return needs_origin ? Status(Fail(Foreign())) : Status();
  if (CountHeaders(request, "origin") != 1 || CountHeaders(request, "host") != 1) {
    return Fail(Foreign());
  }
  // Behind a proxy that ends TLS the scheme is https although we see none; never the other way.
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  std::string_view authority;
  if (origin.starts_with(kSecure)) {
    authority = origin.substr(kSecure.size());
  } else if (origin.starts_with(kPlain) && !request.tls) {
    authority = origin.substr(kPlain.size());
  }
  if (authority.empty() || !SameText(authority, request.Header("host"))) return Fail(Foreign());
  return {};
}

Status CheckCsrf(const http::RequestView& request, std::string_view expected) {
  const std::string_view shown = request.Header("x-keyturn-csrf");
  if (CountHeaders(request, "x-keyturn-csrf") != 1 || shown.size() != expected.size() ||
      !crypto::ConstantTimeEquals(AsBytes(shown), AsBytes(expected))) {
    return Fail(ErrorCode::kAccessDeniedException,
                "The request lacks the token of your console session. Reload the page.");
  }
  return {};
}

}  // namespace keyturn::console
