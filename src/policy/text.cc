// Policy texts: the ones that a key gets by itself, and the form in which GetKeyPolicy prints.
#include <fmt/format.h>

#include "json/json.h"
#include "policy/policy.h"

namespace keyturn::policy {
namespace {

using json::Type;
using json::Value;

// Print writes as the Jackson library's default pretty printer does: a line for each member, lists
// in line, and only objects indent.
void Print(const Value& value, std::size_t level, std::string& out) {
  const Type type = value.type();
  if (type == Type::kObject) {
    const auto line = [&](std::size_t depth) { out.append("\n").append(2 * depth, ' '); };
    bool first = true;
    out += '{';
    value.ForEachMember([&](std::string_view name, Value member) {
      out += first ? "" : ",";
      first = false;
      line(level + 1);
      json::AppendQuoted(name, out);
      out += " : ";
      Print(member, level + 1, out);
      return true;
    });
    if (first) {
      out += ' ';
    } else {
      line(level);
    }
    out += '}';
  } else if (type == Type::kArray) {
    out += '[';
    value.ForEachElement([&](std::size_t index, Value element) {
      out += index == 0 ? " " : ", ";
      Print(element, level, out);
      return true;
    });
    out += " ]";
  } else {
    out += value.ToJson();
  }
}

}  // namespace

Result<std::string> Reserialize(std::string_view text) {
  json::Parser parser;
  const auto root = parser.Parse(text);
  if (!root) {
    return Fail(ErrorCode::kMalformedPolicyDocumentException,
                "The policy is not valid JSON: " + root.error().message);
  }
  std::string out;
  out.reserve(2 * text.size());
  Print(*root, 0, out);
  return out;
}

std::string DefaultKeyPolicy(std::string_view partition, const model::AccountId& account) {
  return fmt::format(R"({{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{}:iam::{}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}})",
                     partition, account.text());
}

// AWS writes these with conditions on the calling account and service. Without conditions the
// account's root ARN limits them to the account, and its identity policies say who may use the key.
std::string AwsManagedKeyPolicy(std::string_view partition, const model::AccountId& account,
                                std::string_view service) {
  return fmt::format(R"({{
  "Version" : "2012-10-17",
  "Id" : "auto-{2}-1",
  "Statement" : [ {{
    "Sid" : "Allow use of the key by the account, as for {2}",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{0}:iam::{1}:root"
    }},
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant" ],
    "Resource" : "*"
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{0}:iam::{1}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  }} ]
}})",
                     partition, account.text(), service);
}

}  // namespace keyturn::policy
