// ProxyRules: which proxy the environment names for a host, read as curl reads it.
//
// https_proxy, HTTPS_PROXY, http_proxy (in lower case only: HTTP_PROXY may come from a request),
// all_proxy, ALL_PROXY; no_proxy, NO_PROXY: names with everything below them, addresses, networks
// (10.0.0.0/8), or *. Thread-safety: values. Source: curl(1), ENVIRONMENT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn::http {

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string authorization;  // value of Proxy-Authorization; empty: none
};

class ProxyRules {
 public:
  ProxyRules() = default;  // no proxy for anybody

  // Read: nullopt when a proxy is of a kind that is not spoken here (https, SOCKS), or cannot be
  // understood. get gives a variable, empty when it is not set.
  template <typename Get>
  static std::optional<ProxyRules> Read(const Get& get) {
    const auto first = [&get](std::initializer_list<const char*> names) {
      std::string value;
      for (const char* name : names) {
        if (value.empty()) value = get(name);
      }
      return value;
    };
    return Parse(first({"http_proxy", "all_proxy", "ALL_PROXY"}),
                 first({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}),
                 first({"no_proxy", "NO_PROXY"}));
  }
  static std::optional<ProxyRules> FromEnvironment();

  // For: null: directly. host is a name or an address without brackets.
  const Proxy* For(bool tls, std::string_view host) const;

 private:
  static std::optional<ProxyRules> Parse(const std::string& http, const std::string& https,
                                         std::string_view none);

  std::optional<Proxy> http_;
  std::optional<Proxy> https_;
  std::vector<std::string> none_;  // in lower case
};

}  // namespace keyturn::http
