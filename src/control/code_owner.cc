#include "control/code_owner.h"

#include <algorithm>
#include <array>

#include "control/text.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kStackPrefix = "aws:cloudformation:";

struct Tool {
  std::string_view word;  // in lower case, as tags have it
  std::string_view name;
};
// In this order: "cdktf" is Terraform, and would be the CDK otherwise.
constexpr std::array<Tool, 12> kTools = {{{"terraform", "Terraform"},
                                          {"terragrunt", "Terraform"},
                                          {"cdktf", "Terraform"},
                                          {"atlantis", "Terraform"},
                                          {"opentofu", "OpenTofu"},
                                          {"tofu", "OpenTofu"},
                                          {"cloudformation", "CloudFormation"},
                                          {"serverless", "CloudFormation"},
                                          {"cdk", "CloudFormation"},
                                          {"pulumi", "Pulumi"},
                                          {"crossplane", "Crossplane"},
                                          {"ansible", "Ansible"}}};

// What a tag that says who manages a thing is called, without case and separators.
constexpr std::array<std::string_view, 10> kManagerTags = {
    "managedby",    "managed",   "provisioner", "provisionedby", "deployedby",
    "deployedwith", "createdby", "createdwith", "iac",           "iactool"};

char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string LowerText(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), LowerOf);
  return lower;
}

// Bare: "app.kubernetes.io/Managed-By" -> "managedby".
std::string Bare(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);  // nothing where there is none
  std::string bare;
  for (const char c : name) {
    if (c != '-' && c != '_' && c != ' ' && c != '.' && c != ':') bare += LowerOf(c);
  }
  return bare;
}

const Tool* ToolIn(std::string_view text) {
  const std::string lower = LowerText(text);
  for (const Tool& tool : kTools) {
    if (lower.find(tool.word) != std::string::npos) return &tool;
  }
  return nullptr;
}

bool IsNo(std::string_view value) {
  const std::string lower = LowerText(value);
  return lower == "false" || lower == "no" || lower == "0" || lower == "none";
}

// IsWordAtFront: "terraform", "terraform_module", "pulumi:project"; not "terraformer".
bool IsWordAtFront(std::string_view name, std::string_view word) {
  if (!LowerText(name).starts_with(word)) return false;
  if (name.size() == word.size()) return true;
  const char next = LowerOf(name[word.size()]);
  return (next < 'a' || next > 'z') && (next < '0' || next > '9');
}

std::string ValueOf(const Tags& tags, std::string_view name) {
  for (const auto& [tag, value] : tags) {
    if (tag == name) return value;
  }
  return {};
}

std::optional<CodeOwner> StackOf(const Tags& tags) {
  for (const auto& [name, value] : tags) {
    if (!name.starts_with(kStackPrefix)) continue;
    CodeOwner owner;
    owner.tool = "CloudFormation";
    owner.name = ValueOf(tags, "aws:cloudformation:stack-name");
    owner.resource = ValueOf(tags, "aws:cloudformation:logical-id");
    owner.tag = name + "=" + value;
    return owner;
  }
  return std::nullopt;
}

std::optional<CodeOwner> ByHabit(const Tags& tags) {
  for (const auto& [name, value] : tags) {
    const Tool* tool = nullptr;
    const std::string bare = Bare(name);
    if (std::find(kManagerTags.begin(), kManagerTags.end(), bare) != kManagerTags.end()) {
      tool = ToolIn(value);
    } else if (!IsNo(value)) {
      for (const std::string_view word : {"terraform", "opentofu", "pulumi", "crossplane"}) {
        if (IsWordAtFront(name, word)) tool = ToolIn(word);
      }
    }
    if (tool == nullptr) continue;
    CodeOwner owner;
    owner.tool = tool->name;
    owner.tag = name + "=" + value;
    if (tool->name == "Pulumi") owner.name = ValueOf(tags, "pulumi:stack");
    if (tool->name == "Crossplane") owner.resource = ValueOf(tags, "crossplane-name");
    return owner;
  }
  return std::nullopt;
}

// Identifier: a name that may be put into code as it is, or what stands for it.
std::string Identifier(const std::string& name, std::string_view otherwise) {
  const bool plain =
      !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
        const char lower = LowerOf(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  return plain ? name : std::string(otherwise);
}

std::string SnippetOf(const CodeOwner& owner, const std::optional<int>& period_days) {
  const std::string days = period_days ? std::to_string(*period_days) : "";
  const auto with_days = [&days](const std::string& lines, const std::string& line) {
    return days.empty() ? lines : lines + line + days + "\n";
  };
  if (owner.tool == "CloudFormation") {
    return with_days("Resources:\n  " + Identifier(owner.resource, "KEY") +
                         ":\n    Type: AWS::KMS::Key\n    Properties:\n"
                         "      EnableKeyRotation: true\n",
                     "      RotationPeriodInDays: ");
  }
  if (owner.tool == "Pulumi") {
    return with_days("enableKeyRotation: true\n", "rotationPeriodInDays: ");
  }
  if (owner.tool == "Crossplane") {
    return with_days("spec:\n  forProvider:\n    enableKeyRotation: true\n",
                     "    rotationPeriodInDays: ");
  }
  // Ansible's module knows no period.
  if (owner.tool == "Ansible") return "enable_key_rotation: true\n";
  return days.empty() ? "resource \"aws_kms_key\" \"KEY\" {\n  enable_key_rotation = true\n}\n"
                      : "resource \"aws_kms_key\" \"KEY\" {\n  enable_key_rotation     = true\n"
                        "  rotation_period_in_days = " +
                            days + "\n}\n";
}

}  // namespace

std::optional<CodeOwner> OwnerOf(const Tags& tags, const std::optional<int>& period_days) {
  auto owner = StackOf(tags);
  if (!owner) owner = ByHabit(tags);
  if (!owner) return std::nullopt;
  owner->snippet = SnippetOf(*owner, period_days);
  // As it is written to a plan, so that it is the same when read back.
  for (std::string* text : {&owner->name, &owner->resource, &owner->tag}) *text = WellFormed(*text);
  return owner;
}

std::string OwnerText(const CodeOwner& owner) {
  std::string text = owner.tool;
  if (!owner.name.empty()) text += " stack " + owner.name;
  if (!owner.resource.empty()) text += ", resource " + owner.resource;
  return text + " (tag " + owner.tag + ")";
}

}  // namespace keyturn::control
