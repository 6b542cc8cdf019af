// The parts of server.h that need no socket: request headers and listen addresses.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "http/server.h"

namespace keyturn::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool ParseIpv4(const std::string& address, in_addr& out) {
  return inet_pton(AF_INET, address.c_str(), &out) == 1;
}

bool ParseIpv6(const std::string& address, in6_addr& out) {
  return inet_pton(AF_INET6, address.c_str(), &out) == 1;
}

}  // namespace

std::string_view RequestView::Header(std::string_view name) const {
  for (const HeaderView& header : headers) {
    if (EqualsIgnoringCase(header.name, name)) {
      return header.value;
    }
  }
  return {};
}

bool IsLoopbackAddress(std::string_view address) {
  const std::string text(address);
  in_addr v4{};
  in6_addr v6{};
  if (ParseIpv4(text, v4)) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  return ParseIpv6(text, v6) && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<std::pair<std::string, std::uint16_t>> SplitListen(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return Fail(ErrorCode::kUsage, "listen address \"" + std::string(text) + "\": " +
                                       std::string(why) + ", as in 127.0.0.1:8080 or [::1]:8080");
  };
  const bool bracketed = text.starts_with('[');
  const auto colon = bracketed ? text.find("]:") : text.rfind(':');
  if (colon == std::string_view::npos) {
    return wrong("give an IP address and a port");
  }
  const std::string address(bracketed ? text.substr(1, colon - 1) : text.substr(0, colon));
  const std::string_view port_text = text.substr(colon + (bracketed ? 2 : 1));
  in_addr v4{};
  in6_addr v6{};
  if (bracketed ? !ParseIpv6(address, v6) : !ParseIpv4(address, v4)) {
    in6_addr unbracketed{};
    return wrong(!bracketed && ParseIpv6(address, unbracketed)
                     ? "put an IPv6 address in brackets"
                     : "the address must be an IP address, not a name");
  }
  std::uint16_t port = 0;
  const char* end = port_text.data() + port_text.size();
  const auto [stop, error] = std::from_chars(port_text.data(), end, port);
  if (error != std::errc{} || stop != end || port_text.empty()) {
    return wrong("the port must be a number up to 65535");
  }
  return std::pair{address, port};
}

}  // namespace keyturn::http
