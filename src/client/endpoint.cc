#include "client/endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/ids.h"
#include "model/regions.h"

namespace keyturn::client {
namespace {

struct Partition {
  std::string_view name;
  std::string_view suffix;
  std::string_view dualstack_suffix;
  std::string_view global_region;
  bool has_fips = true;
};

constexpr std::array<Partition, 8> kPartitions = {{
    {"aws", "amazonaws.com", "api.aws", "us-east-1"},
    {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1", false},
    {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1", false},
    {"aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1"},
    {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"},
    {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"},
    {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1"},
    {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1"},
}};

const Partition& PartitionNamed(std::string_view name) {
  const auto* const found =
      std::find_if(kPartitions.begin(), kPartitions.end(),
                   [name](const Partition& each) { return each.name == name; });
  return found == kPartitions.end() ? kPartitions.front() : *found;
}

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
  return std::any_of(kPartitions.begin(), kPartitions.end(), [&](const Partition& each) {
    return ends_with(each.suffix) || ends_with(each.dualstack_suffix);
  });
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

bool IsAwsEndpoint(std::string_view url) {
  if (url.empty()) return true;
  const auto endpoint = Endpoint::Parse(url);
  return endpoint && endpoint->is_aws;
}

std::string_view AwsSuffix(std::string_view partition, bool dualstack) {
  const Partition& found = PartitionNamed(partition);
  return dualstack ? found.dualstack_suffix : found.suffix;
}

std::string_view GlobalRegion(std::string_view partition) {
  return PartitionNamed(partition).global_region;
}

std::vector<std::string> RegionsOf(std::string_view partition) {
  std::vector<std::string> regions;
  for (const std::string_view region : model::KnownRegions()) {
    if (model::PartitionOf(region) == partition) regions.emplace_back(region);
  }
  return regions;
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

Result<Endpoint> Endpoint::Aws(std::string_view region, std::string_view service,
                               EndpointVariant variant) {
  if (!model::Region::IsValid(region)) {
    return Fail(ErrorCode::kUsage, "'" + std::string(region) + "' is not the name of a region");
  }
  const std::string_view partition = model::PartitionOf(region);
  if (variant.fips && !PartitionNamed(partition).has_fips) {
    return Fail(ErrorCode::kUsage, "partition " + std::string(partition) +
                                       " has no FIPS endpoints of KMS; unset "
                                       "AWS_USE_FIPS_ENDPOINT (use_fips_endpoint)");
  }
  Endpoint endpoint;
  endpoint.host = std::string(service) + (variant.fips ? "-fips." : ".") + std::string(region) +
                  "." + std::string(AwsSuffix(partition, variant.dualstack));
  endpoint.path = "/";
  endpoint.url = "https://" + endpoint.host + "/";
  endpoint.is_aws = true;
  return endpoint;
}

}  // namespace keyturn::client
