#include "control/permissions.h"

#include <array>

#include "json/json.h"

namespace keyturn::control {
namespace {

using json::Writer;

constexpr std::array<std::string_view, 2> kList = {"kms:ListAliases", "kms:ListKeys"};
constexpr std::array<std::string_view, 4> kRead = {"kms:DescribeKey", "kms:GetKeyRotationStatus",
                                                   "kms:ListKeyRotations", "kms:ListResourceTags"};
constexpr std::array<std::string_view, 5> kRemediate = {
    "kms:DescribeKey", "kms:EnableKeyRotation", "kms:GetKeyRotationStatus", "kms:ListKeyRotations",
    "kms:ListResourceTags"};
// EnableKeyRotation sets a period back.
constexpr std::array<std::string_view, 4> kBackout = {"kms:DescribeKey", "kms:DisableKeyRotation",
                                                      "kms:EnableKeyRotation",
                                                      "kms:GetKeyRotationStatus"};

std::string_view NameOf(PolicyPurpose purpose) {
  switch (purpose) {
    case PolicyPurpose::kAudit:
      return "Audit";
    case PolicyPurpose::kRemediate:
      return "Remediate";
    case PolicyPurpose::kBackout:
      return "Backout";
  }
  return {};
}

void AppendStatement(Writer& w, std::string_view sid, std::span<const std::string_view> actions,
                     std::string_view resource) {
  w.BeginObject().Key("Sid").String(sid).Key("Effect").String("Allow").Key("Action").BeginArray();
  for (const std::string_view action : actions) w.String(action);
  w.EndArray().Key("Resource").String(resource).EndObject();
}

// AppendTrial: writes, to keys that cannot rotate only.
void AppendTrial(Writer& w, std::string_view resource) {
  w.BeginObject().Key("Sid").String("TryWrites").Key("Effect").String("Allow");
  w.Key("Action").BeginArray().String("kms:DisableKeyRotation").String("kms:EnableKeyRotation");
  w.EndArray().Key("Resource").String(resource);
  w.Key("Condition").BeginObject().Key("StringNotEquals").BeginObject();
  w.Key("kms:KeySpec").String("SYMMETRIC_DEFAULT").EndObject().EndObject().EndObject();
}

void AppendDocument(Writer& w, PolicyPurpose purpose) {
  w.BeginObject().Key("Version").String("2012-10-17").Key("Statement").BeginArray();
  const auto unscoped = UnscopedActions(purpose);
  if (!unscoped.empty()) AppendStatement(w, "FindKeys", unscoped, "*");
  AppendStatement(w, std::string(NameOf(purpose)) + "Keys", KeyActions(purpose),
                  "arn:*:kms:*:*:key/*");
  w.EndArray().EndObject();
}

// AppendTrust: the account that audits may take on the role.
void AppendTrust(Writer& w) {
  w.Key("AssumeRolePolicyDocument").BeginObject().Key("Version").String("2012-10-17");
  w.Key("Statement").BeginArray().BeginObject().Key("Effect").String("Allow");
  w.Key("Principal").BeginObject().Key("AWS").BeginObject().Key("Fn::Sub");
  w.String("arn:${AWS::Partition}:iam::${CallerAccount}:root").EndObject().EndObject();
  w.Key("Action").String("sts:AssumeRole").EndObject().EndArray().EndObject();
}

std::string CloudFormation(PolicyPurpose purpose) {
  const std::string name = "Keyturn" + std::string(NameOf(purpose));
  std::string out;
  Writer w(out, Writer::Style::kPretty);
  w.BeginObject().Key("AWSTemplateFormatVersion").String("2010-09-09");
  w.Key("Description").String("Role of the key rotation control: " + std::string(NameOf(purpose)));
  w.Key("Parameters").BeginObject().Key("CallerAccount").BeginObject();
  w.Key("Type").String("String").Key("AllowedPattern").String("^[0-9]{12}$");
  w.Key("Description").String("Account whose principals may take on the role");
  w.EndObject().EndObject();
  w.Key("Resources").BeginObject().Key(name + "Role").BeginObject();
  w.Key("Type").String("AWS::IAM::Role").Key("Properties").BeginObject();
  w.Key("RoleName").String(name);
  AppendTrust(w);
  w.Key("Policies").BeginArray().BeginObject().Key("PolicyName").String(name);
  w.Key("PolicyDocument");
  AppendDocument(w, purpose);
  w.EndObject().EndArray().EndObject().EndObject().EndObject();
  w.Key("Outputs").BeginObject().Key("RoleArn").BeginObject().Key("Value").BeginObject();
  w.Key("Fn::GetAtt").BeginArray().String(name + "Role").String("Arn").EndArray();
  w.EndObject().EndObject().EndObject().EndObject();
  return out + "\n";
}

std::string Terraform(PolicyPurpose purpose) {
  std::string document;
  Writer w(document, Writer::Style::kPretty);
  AppendDocument(w, purpose);
  const std::string name(NameOf(purpose));
  return "resource \"aws_iam_policy\" \"keyturn_" +
         std::string(1, static_cast<char>(name.front() - 'A' + 'a')) + name.substr(1) +
         "\" {\n  name   = \"Keyturn" + name + "\"\n  policy = <<-JSON\n" + document +
         "\n  JSON\n}\n";
}

}  // namespace

std::span<const std::string_view> UnscopedActions(PolicyPurpose purpose) {
  if (purpose == PolicyPurpose::kBackout) return {};  // the journal names the keys
  return kList;
}

std::span<const std::string_view> KeyActions(PolicyPurpose purpose) {
  switch (purpose) {
    case PolicyPurpose::kAudit:
      return kRead;
    case PolicyPurpose::kRemediate:
      return kRemediate;
    case PolicyPurpose::kBackout:
      return kBackout;
  }
  return {};
}

std::string PolicyDocument(PolicyPurpose purpose) {
  std::string out;
  Writer w(out);
  AppendDocument(w, purpose);
  return out;
}

std::string SessionPolicy(SessionPurpose purpose) {
  constexpr std::array<std::string_view, 1> kRegions = {"ec2:DescribeRegions"};
  constexpr std::array<std::string_view, 2> kVerify = {"kms:DescribeKey",
                                                       "kms:GetKeyRotationStatus"};
  constexpr std::array<std::string_view, 3> kApply = {"kms:DescribeKey", "kms:EnableKeyRotation",
                                                      "kms:GetKeyRotationStatus"};
  constexpr std::array<std::string_view, 4> kReadAll = {
      "kms:DescribeKey", "kms:GetKeyRotationStatus", "kms:ListKeyRotations",
      "kms:ListResourceTags"};
  constexpr std::string_view kKeys = "arn:*:kms:*:*:key/*";
  std::string out;
  Writer w(out);
  w.BeginObject().Key("Version").String("2012-10-17").Key("Statement").BeginArray();
  switch (purpose) {
    case SessionPurpose::kAudit:
      AppendStatement(w, "FindRegions", kRegions, "*");
      AppendStatement(w, "FindKeys", kList, "*");
      AppendStatement(w, "ReadKeys", kRead, kKeys);
      break;
    case SessionPurpose::kApply:
      AppendStatement(w, "ApplyKeys", kApply, kKeys);
      break;
    case SessionPurpose::kVerify:
      AppendStatement(w, "VerifyKeys", kVerify, kKeys);
      break;
    case SessionPurpose::kBackout:
      AppendStatement(w, "BackoutKeys", kBackout, kKeys);
      break;
    case SessionPurpose::kPreflight:
      AppendStatement(w, "FindRegions", kRegions, "*");
      AppendStatement(w, "FindKeys", kList, "*");
      AppendStatement(w, "ReadKeys", kReadAll, kKeys);
      AppendTrial(w, kKeys);
      break;
  }
  w.EndArray().EndObject();
  return out;
}

std::string RenderPolicy(PolicyPurpose purpose, PolicyFormat format) {
  if (format == PolicyFormat::kCloudFormation) return CloudFormation(purpose);
  if (format == PolicyFormat::kTerraform) return Terraform(purpose);
  std::string out;
  Writer w(out, Writer::Style::kPretty);
  AppendDocument(w, purpose);
  return out + "\n";
}

}  // namespace keyturn::control
