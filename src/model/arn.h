// Arn: arn:<partition>:<service>:<region>:<account>:<resource>, and the ARNs that KMS builds.
// Source: AWS General Reference, Amazon Resource Names; KMS Developer Guide, key identifiers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/ids.h"

namespace keyturn::model {

// Arn holds views into the text that was parsed.
struct Arn {
  std::string_view partition;
  std::string_view service;
  std::string_view region;    // may be empty (IAM)
  std::string_view account;   // may be empty
  std::string_view resource;  // everything after the fifth colon; may contain colons

  // Parse splits; it checks only that there are six parts, that the first is "arn" and that
  // partition, service and resource are not empty.
  static std::optional<Arn> Parse(std::string_view text);
};

// WithoutPartition: what comes behind "arn:<partition>:". Account ids are unique over partitions
// here, so that ARNs of IAM and STS which agree in it name one principal.
std::string_view WithoutPartition(std::string_view arn);

std::string KeyArn(Region region, const AccountId& account, const KeyId& id);
// AliasArn: alias_name includes "alias/".
std::string AliasArn(Region region, const AccountId& account, std::string_view alias_name);
std::string RootArn(std::string_view partition, const AccountId& account);
std::string UserArn(std::string_view partition, const AccountId& account, std::string_view name);

}  // namespace keyturn::model
