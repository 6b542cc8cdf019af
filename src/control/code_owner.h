// CodeOwner: the infrastructure code that a key belongs to, as its tags say it, and what to change
// there. A key that is changed behind its code's back is changed back by the next deployment.
//
// Thread-safety: values and pure functions.
// Source: CloudFormation User Guide, "Resource tag" (aws:cloudformation:* of every resource of a
// stack) and AWS::KMS::Key; Terraform AWS provider, aws_kms_key; Crossplane's tags of external
// resources. ManagedBy and its like are habits, not rules: a value must name a tool.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn::control {

struct CodeOwner {
  std::string tool;      // "CloudFormation", "Terraform", "OpenTofu", "Pulumi", ...
  std::string name;      // of the stack; empty: the tags do not say it
  std::string resource;  // its name in that code; empty: likewise
  std::string tag;       // "ManagedBy=terraform": what says so
  std::string snippet;   // lines to change there
  bool operator==(const CodeOwner&) const = default;
};

using Tags = std::vector<std::pair<std::string, std::string>>;

// OwnerOf: absent when no tag names a tool. period_days: nullopt: the default of AWS will do.
std::optional<CodeOwner> OwnerOf(const Tags& tags, const std::optional<int>& period_days);

// OwnerText: "CloudFormation stack kms-prod, resource OrdersKey (tag aws:...=kms-prod)".
std::string OwnerText(const CodeOwner& owner);

}  // namespace keyturn::control
