#include "client/endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/ids.h"

namespace keyturn::client {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kSuffixes = {{
    {"aws", "amazonaws.com"},
    {"aws-cn", "amazonaws.com.cn"},
    {"aws-eusc", "amazonaws.eu"},
    {"aws-us-gov", "amazonaws.com"},
    {"aws-iso", "c2s.ic.gov"},
    {"aws-iso-b", "sc2s.sgov.gov"},
    {"aws-iso-e", "cloud.adc-e.uk"},
    {"aws-iso-f", "csp.hci.ic.gov"},
}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// IsAwsHost: one of the partitions' names or dualstack's; VPC endpoints end the same way.
bool IsAwsHost(std::string_view host) {
  const auto ends_with = [host](std::string_view suffix) {
    return host.size() > suffix.size() && host.ends_with(suffix) &&
           host[host.size() - suffix.size() - 1] == '.';
  };
  return ends_with("api.aws") || ends_with("api.amazonwebservices.com.cn") ||
         std::any_of(kSuffixes.begin(), kSuffixes.end(),
                     [&](const auto& each) { return ends_with(each.second); });
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos &&
         std::stoi(std::string(text)) >= 1 && std::stoi(std::string(text)) <= 65535;
}

// SplitHost splits "host[:port]" with brackets around an IPv6 address; false when it is neither.
bool SplitHost(std::string_view authority, std::string_view& host, std::string_view& port) {
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const std::size_t colon = authority.find(':', bracket);
  host = authority.substr(0, colon);
  port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
  return !host.empty() && (colon == std::string_view::npos || IsPort(port)) &&
         (bracket == 0 || host.size() == bracket + 1);
}

}  // namespace

std::string_view AwsSuffix(std::string_view partition) {
  for (const auto& [name, suffix] : kSuffixes) {
    if (name == partition) return suffix;
  }
  return kSuffixes.front().second;
}

Result<Endpoint> Endpoint::Parse(std::string_view url) {
  const auto wrong = [url] {
    return Fail(ErrorCode::kUsage, "'" + std::string(url) +
                                       "' is no endpoint; give http://HOST[:PORT] or "
                                       "https://HOST[:PORT]");
  };
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return wrong();
  const std::string scheme = Lower(url.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return wrong();
  const std::string_view rest = url.substr(scheme_end + 3);
  const auto bad = [](char c) { return c <= ' ' || c == 0x7f || c == '\\'; };
  if (rest.find_first_of("?#@") != std::string_view::npos ||
      std::any_of(rest.begin(), rest.end(), bad)) {
    return wrong();
  }
  const std::size_t slash = rest.find('/');
  std::string_view host;
  std::string_view port;
  if (!SplitHost(rest.substr(0, slash), host, port)) return wrong();

  Endpoint endpoint;
  endpoint.host = Lower(host);
  endpoint.is_aws = IsAwsHost(endpoint.host);
  // Clients leave a default port out of the Host header, so a signature must, too.
  if (!port.empty() && port != (scheme == "https" ? "443" : "80")) {
    endpoint.host.append(":").append(port);
  }
  endpoint.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  endpoint.url = scheme + "://" + endpoint.host + endpoint.path;
  return endpoint;
}

Result<Endpoint> Endpoint::Aws(std::string_view region) {
  if (!model::Region::IsValid(region)) {
    return Fail(ErrorCode::kUsage, "'" + std::string(region) + "' is not the name of a region");
  }
  Endpoint endpoint;
  endpoint.host =
      "kms." + std::string(region) + "." + std::string(AwsSuffix(model::PartitionOf(region)));
  endpoint.path = "/";
  endpoint.url = "https://" + endpoint.host + "/";
  endpoint.is_aws = true;
  return endpoint;
}

}  // namespace keyturn::client
