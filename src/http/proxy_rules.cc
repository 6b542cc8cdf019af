#include "http/proxy_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "base/base64.h"
#include "base/bytes.h"

namespace keyturn::http {
namespace {

constexpr std::uint16_t kProxyPort = 1080;  // curl's

std::string Lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return lower;
}

template <typename Number>
std::optional<Number> NumberOf(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// ParseProxy reads [http://][user:password@]host[:port][/].
std::optional<Proxy> ParseProxy(std::string_view text) {
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    if (Lowered(text.substr(0, scheme)) != "http") return std::nullopt;
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find('/'));
  Proxy proxy;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string user = PercentDecoded(text.substr(0, at));
    proxy.authorization = "Basic " + Base64Encode(AsBytes(user));
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    proxy.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    proxy.host = text.substr(0, text.find(':'));
    port = text.substr(proxy.host.size());
  }
  proxy.port = kProxyPort;
  if (!port.empty()) {
    const auto number = NumberOf<std::uint16_t>(port.substr(1));
    if (port.front() != ':' || !number || *number == 0) return std::nullopt;
    proxy.port = *number;
  }
  if (proxy.host.empty()) return std::nullopt;
  return proxy;
}

struct IpAddress {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 0;  // 4 or 16
};

std::optional<IpAddress> ParseIp(std::string_view text) {
  const std::string name(text);
  IpAddress ip;
  if (inet_pton(AF_INET, name.c_str(), ip.bytes.data()) == 1) {
    ip.size = 4;
  } else if (inet_pton(AF_INET6, name.c_str(), ip.bytes.data()) == 1) {
    ip.size = 16;
  } else {
    return std::nullopt;
  }
  return ip;
}

bool IsInNetwork(const IpAddress& ip, std::string_view rule) {
  if (rule.starts_with('[') && rule.ends_with(']')) rule = rule.substr(1, rule.size() - 2);
  const std::size_t slash = rule.find('/');
  const auto network = ParseIp(rule.substr(0, slash));
  if (!network || network->size != ip.size) return false;
  std::size_t bits = ip.size * 8;
  if (slash != std::string_view::npos) {
    const auto number = NumberOf<std::size_t>(rule.substr(slash + 1));
    if (!number || *number > bits) return false;
    bits = *number;
  }
  for (std::size_t i = 0; i < ip.size && bits > 0; ++i) {
    const std::size_t part = std::min<std::size_t>(bits, 8);
    const unsigned mask = 0xFFU & ~(0xFFU >> part);
    if (((ip.bytes[i] ^ network->bytes[i]) & mask) != 0) return false;
    bits -= part;
  }
  return true;
}

bool IsBelow(std::string_view host, std::string_view rule) {
  while (rule.starts_with('.')) rule.remove_prefix(1);
  if (rule.ends_with('.')) rule.remove_suffix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (rule.empty() || !host.ends_with(rule)) return false;
  return host.size() == rule.size() || host[host.size() - rule.size() - 1] == '.';
}

}  // namespace

std::optional<ProxyRules> ProxyRules::Parse(const std::string& http, const std::string& https,
                                            std::string_view none) {
  ProxyRules rules;
  if (!http.empty()) {
    rules.http_ = ParseProxy(http);
    if (!rules.http_) return std::nullopt;
  }
  if (!https.empty()) {
    rules.https_ = ParseProxy(https);
    if (!rules.https_) return std::nullopt;
  }
  constexpr std::string_view kSeparators = ", \t";
  while (!none.empty()) {
    const std::size_t end = std::min(none.find_first_of(kSeparators), none.size());
    if (end > 0) rules.none_.push_back(Lowered(none.substr(0, end)));
    none.remove_prefix(std::min(end + 1, none.size()));
  }
  return rules;
}

std::optional<ProxyRules> ProxyRules::FromEnvironment() {
  return Read([](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  });
}

const Proxy* ProxyRules::For(bool tls, std::string_view host) const {
  const std::optional<Proxy>& proxy = tls ? https_ : http_;
  if (!proxy) return nullptr;
  const auto ip = ParseIp(host);
  const std::string lower = Lowered(host);
  for (const std::string& rule : none_) {
    if (rule == "*" || (ip ? IsInNetwork(*ip, rule) : IsBelow(lower, rule))) return nullptr;
  }
  return &*proxy;
}

}  // namespace keyturn::http
