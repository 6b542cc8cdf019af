// Endpoint: which URL serves KMS, or what the control needs beside it, in a region.
//
// Thread-safety: pure functions. Source: AWS General Reference, endpoints of KMS, STS, EC2 and
// Organizations; partitions and their names' suffixes as AWS's SDKs have them in 2026.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace keyturn::client {

// EndpointVariant: what AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT ask for.
struct EndpointVariant {
  bool fips = false;
  bool dualstack = false;
};

struct Endpoint {
  std::string url;   // scheme://host[:port]/path, without a default port
  std::string host;  // as the Host header says it
  std::string path;  // "/" at least
  bool is_aws = false;

  // Parse takes http and https URLs without user, query and fragment; kUsage otherwise.
  static Result<Endpoint> Parse(std::string_view url);
  // Aws is <service>[-fips].<region>.<suffix of the partition>; kUsage when region is no region's
  // name, and for FIPS in the partitions that have no such endpoints of KMS (aws-cn, aws-eusc).
  static Result<Endpoint> Aws(std::string_view region, std::string_view service = "kms",
                              EndpointVariant variant = {});
};

// IsAwsEndpoint: url is empty, which stands for AWS's own, or one of AWS's.
bool IsAwsEndpoint(std::string_view url);

// AwsSuffix: "amazonaws.com" for partition "aws", ...; "api.aws" with dualstack.
std::string_view AwsSuffix(std::string_view partition, bool dualstack = false);

// GlobalRegion: where a partition's services without regions (Organizations) are: "us-east-1", ...
std::string_view GlobalRegion(std::string_view partition);

// RegionsOf: the regions of a partition that have KMS, also those that an account must opt in to.
std::vector<std::string> RegionsOf(std::string_view partition);

}  // namespace keyturn::client
