// Endpoint: which URL serves KMS in a region.
//
// Thread-safety: pure functions. Source: AWS General Reference, KMS endpoints; partitions by name.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::client {

struct Endpoint {
  std::string url;   // scheme://host[:port]/path, without a default port
  std::string host;  // as the Host header says it
  std::string path;  // "/" at least
  bool is_aws = false;

  // Parse takes http and https URLs without user, query and fragment; kUsage otherwise.
  static Result<Endpoint> Parse(std::string_view url);
  // Aws is kms.<region>.<suffix of the partition>; kUsage when region is no region's name.
  static Result<Endpoint> Aws(std::string_view region);
};

// AwsSuffix: "amazonaws.com" for partition "aws", ...
std::string_view AwsSuffix(std::string_view partition);

}  // namespace keyturn::client
