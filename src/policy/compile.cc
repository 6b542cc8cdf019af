// Compilation: from JSON to statements, refusing everything that would not be obeyed in full.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "json/json.h"
#include "policy/compiled.h"

namespace keyturn::policy {
namespace {

constexpr std::size_t kKeyPolicyBytesMax = 32'768;
constexpr std::size_t kPolicyBytesMax = 131'072;
constexpr std::size_t kQuotedBytesMax = 128;
constexpr std::size_t kConditionKeyBytesMax = 512;
constexpr char kInvalidPrincipals[] =
    "Policy contains a statement with one or more invalid principals.";

using json::Type;
using json::Value;

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool AllOf(std::string_view text, bool (*predicate)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

class Compiler {
 public:
  explicit Compiler(Kind kind) : kind_(kind) { policy_->kind = kind; }

  Result<PolicyPtr> Run(const Value& root);

 private:
  Status Top(std::string_view name, const Value& value);
  Status Statements(const Value& value);
  Status OneStatement(const Value& value);
  Status Element(std::string_view name, const Value& value, Statement& out);
  Status Sid(const Value& value);
  Status EffectOf(const Value& value, Statement& out);
  Status Principals(std::string_view name, const Value& value, Statement& out);
  Status TypedPrincipals(std::string_view type, const Value& value, Statement& out);
  Status Conditions(const Value& value, Statement& out);
  Status ConditionOf(std::string_view name, std::string_view key, const Value& value,
                     Statement& out);
  Status Actions(std::string_view name, const Value& value, Statement& out);
  Status Resources(std::string_view name, const Value& value, Statement& out);
  Status Complete(const Value& value, Statement& out);

  // Strings calls add for a string, or for each element of a non-empty list of strings.
  template <typename Add>
  Status Strings(std::string_view name, const Value& value, Add add);

  tl::unexpected<Error> Malformed(std::string_view reason) const {
    return Fail(ErrorCode::kMalformedPolicyDocumentException,
                place_.empty() ? std::string(reason) : fmt::format("{}: {}", place_, reason));
  }

  Kind kind_;
  std::shared_ptr<Policy> policy_ = std::make_shared<Policy>();
  bool variables_ = false;  // Version 2012-10-17: ${...} is a variable, not text
  std::string place_;       // "Statement[2] (Sid 'Admins')"
  std::vector<std::string> sids_;
};

template <typename Add>
Status Compiler::Strings(std::string_view name, const Value& value, Add add) {
  if (const auto text = value.AsString()) {
    return add(*text);
  }
  if (value.type() != Type::kArray || value.size() == 0) {
    return Malformed(fmt::format("{} must be a string or a list of strings.", name));
  }
  Status status;
  value.ForEachElement([&](std::size_t, Value element) {
    const auto text = element.AsString();
    status =
        text ? add(*text) : Status(Malformed(fmt::format("{} may contain strings only.", name)));
    return status.has_value();
  });
  return status;
}

Result<PolicyPtr> Compiler::Run(const Value& root) {
  if (root.type() != Type::kObject) {
    return Malformed("The policy must be a JSON object.");
  }
  // Version first, wherever it stands: it decides how strings are read.
  if (const auto version = root.Find("Version")) {
    const auto text = version->AsString();
    if (!text || (*text != "2012-10-17" && *text != "2008-10-17")) {
      return Malformed("Version must be 2012-10-17 or 2008-10-17.");
    }
    variables_ = *text == "2012-10-17";
  }
  if (!root.Find("Statement")) {
    return Malformed("Statement is missing.");
  }
  Status status;
  root.ForEachMember([&](std::string_view name, Value value) {
    status = Top(name, value);
    return status.has_value();
  });
  KT_TRY(std::move(status));
  return PolicyPtr(policy_);
}

Status Compiler::Top(std::string_view name, const Value& value) {
  if (name == "Version") {
    return {};
  }
  if (name == "Id") {
    return value.AsString() ? Status() : Malformed("Id must be a string.");
  }
  if (name == "Statement") {
    return Statements(value);
  }
  return Malformed("The policy has an unknown element; known are Version, Id and Statement.");
}

Status Compiler::Statements(const Value& value) {
  if (value.type() == Type::kObject) {
    place_ = "Statement";
    return OneStatement(value);
  }
  if (value.type() != Type::kArray || value.size() == 0) {
    return Malformed("Statement must be an object or a list of objects, and not empty.");
  }
  Status status;
  value.ForEachElement([&](std::size_t index, Value element) {
    place_ = fmt::format("Statement[{}]", index);
    status = OneStatement(element);
    return status.has_value();
  });
  place_.clear();
  return status;
}

Status Compiler::OneStatement(const Value& value) {
  if (value.type() != Type::kObject) {
    return Malformed("A statement must be an object.");
  }
  if (const auto sid = value.Find("Sid")) {
    KT_TRY(Sid(*sid));
  }
  Statement statement;
  Status status;
  value.ForEachMember([&](std::string_view name, Value element) {
    status = Element(name, element, statement);
    return status.has_value();
  });
  KT_TRY(std::move(status));
  KT_TRY(Complete(value, statement));
  if (const auto sid = value.Find("Sid")) {
    statement.sid = *sid->AsString();
  }
  policy_->statements.push_back(std::move(statement));
  return {};
}

Status Compiler::Element(std::string_view name, const Value& value, Statement& out) {
  if (name == "Sid") {
    return {};  // read ahead of the others, to name the place
  }
  if (name == "Effect") {
    return EffectOf(value, out);
  }
  if (name == "Action" || name == "NotAction") {
    return Actions(name, value, out);
  }
  if (name == "Resource" || name == "NotResource") {
    return Resources(name, value, out);
  }
  if (name == "Principal" || name == "NotPrincipal") {
    if (kind_ == Kind::kIdentityPolicy) {
      return Malformed("A policy of an identity must not name a principal.");
    }
    return Principals(name, value, out);
  }
  if (name == "Condition") {
    return Conditions(value, out);
  }
  return Malformed(
      "The statement has an unknown element; known are Sid, Effect, Principal, NotPrincipal, "
      "Action, NotAction, Resource, NotResource and Condition.");
}

Status Compiler::Sid(const Value& value) {
  const auto sid = value.AsString();
  if (!sid) {
    return Malformed("Sid must be a string.");
  }
  if (sid->empty()) {
    return {};
  }
  if (sid->size() <= kQuotedBytesMax) {
    place_ += fmt::format(" (Sid '{}')", *sid);
  }
  if (kind_ == Kind::kIdentityPolicy && !AllOf(*sid, IsAlnum)) {
    return Malformed("Sid may have letters and digits only.");
  }
  if (std::find(sids_.begin(), sids_.end(), *sid) != sids_.end()) {
    return Malformed("Sid must be unique in the policy.");
  }
  sids_.emplace_back(*sid);
  return {};
}

Status Compiler::EffectOf(const Value& value, Statement& out) {
  const auto effect = value.AsString();
  if (effect != "Allow" && effect != "Deny") {
    return Malformed("Effect must be Allow or Deny.");
  }
  out.allow = effect == "Allow";
  return {};
}

Status Compiler::Principals(std::string_view name, const Value& value, Statement& out) {
  if (!out.principals.empty()) {
    return Malformed("Principal and NotPrincipal exclude each other.");
  }
  out.negate_principals = name == "NotPrincipal";
  if (const auto text = value.AsString()) {
    if (*text != "*" || out.negate_principals) {
      return Fail(ErrorCode::kMalformedPolicyDocumentException, kInvalidPrincipals);
    }
    out.principals.emplace_back();
    return {};
  }
  if (value.type() != Type::kObject || value.size() == 0) {
    return Malformed("Principal must be \"*\" or a non-empty object.");
  }
  Status status;
  value.ForEachMember([&](std::string_view type, Value element) {
    status = TypedPrincipals(type, element, out);
    return status.has_value();
  });
  return status;
}

Status Compiler::TypedPrincipals(std::string_view type, const Value& value, Statement& out) {
  if (type != "AWS" && type != "Service" && type != "Federated") {
    return Malformed("Principal has an unknown type; known are AWS, Service and Federated.");
  }
  return Strings("Principal", value, [&](std::string_view text) -> Status {
    auto named = type == "AWS"       ? NamedPrincipal::Parse(text)
                 : type == "Service" ? NamedPrincipal::ParseService(text)
                                     : NamedPrincipal::ParseFederated(text);
    if (!named || (out.negate_principals && named->type == NamedPrincipal::Type::kEveryone)) {
      return Fail(ErrorCode::kMalformedPolicyDocumentException, kInvalidPrincipals);
    }
    switch (named->type) {
      case NamedPrincipal::Type::kEveryone:
      case NamedPrincipal::Type::kAccount:
      case NamedPrincipal::Type::kService:
      case NamedPrincipal::Type::kFederated:
        break;
      case NamedPrincipal::Type::kUser:
      case NamedPrincipal::Type::kRole:
      case NamedPrincipal::Type::kSession:
        policy_->named_arns.emplace_back(text);
    }
    out.principals.push_back(std::move(*named));
    return {};
  });
}

Status Compiler::Conditions(const Value& value, Statement& out) {
  if (value.type() != Type::kObject) {
    return Malformed("Condition must be an object.");
  }
  Status status;
  value.ForEachMember([&](std::string_view name, Value keys) {
    if (keys.type() != Type::kObject || keys.size() == 0) {
      status = Malformed("A condition operator must have an object of condition keys.");
      return false;
    }
    keys.ForEachMember([&](std::string_view key, Value operands) {
      status = ConditionOf(name, key, operands, out);
      return status.has_value();
    });
    return status.has_value();
  });
  return status;
}

Status Compiler::ConditionOf(std::string_view name, std::string_view key, const Value& value,
                             Statement& out) {
  auto condition = Condition::ParseOperator(name);
  if (!condition) {
    return Malformed("Condition has an unknown operator.");
  }
  if (key.find(':') == std::string_view::npos || key.size() > kConditionKeyBytesMax) {
    return Malformed("A condition key must have a prefix, as aws:SourceIp has.");
  }
  condition->key = ConditionKey::Parse(key);
  condition->label += ' ';
  condition->label += key;
  const auto add = [&](const Value& operand) -> Status {
    if (const Status added = condition->AddOperand(operand, variables_); !added) {
      return Malformed(fmt::format("A value of {} {}.", name, added.error().message));
    }
    return {};
  };
  Status status;
  if (value.type() != Type::kArray) {
    status = add(value);
  } else if (value.size() == 0) {
    status = Malformed("A condition key must have a value.");
  } else {
    value.ForEachElement([&](std::size_t, Value element) {
      status = add(element);
      return status.has_value();
    });
  }
  KT_TRY(std::move(status));
  out.conditions.push_back(std::move(*condition));
  return {};
}

Status Compiler::Actions(std::string_view name, const Value& value, Statement& out) {
  if (!out.actions.empty()) {
    return Malformed("Action and NotAction exclude each other.");
  }
  out.negate_actions = name == "NotAction";
  return Strings(name, value, [&](std::string_view text) -> Status {
    if (text != "*") {
      const std::size_t colon = text.find(':');
      const std::string_view vendor = text.substr(0, colon);
      if (colon == std::string_view::npos ||
          !AllOf(vendor, [](char c) { return IsAlnum(c) || c == '-'; }) ||
          !AllOf(text.substr(colon + 1),
                 [](char c) { return IsAlnum(c) || c == '*' || c == '?'; })) {
        return Malformed(fmt::format("{} must be \"*\" or like kms:Encrypt.", name));
      }
      if (kind_ == Kind::kKeyPolicy && !EqualsFolded(vendor, "kms")) {
        return Malformed(fmt::format("{} of a key policy must be of vendor kms.", name));
      }
      if (kind_ == Kind::kTrustPolicy && !EqualsFolded(vendor, "sts")) {
        return Malformed(fmt::format("{} of a trust policy must be of vendor sts.", name));
      }
    }
    out.actions.push_back(Pattern::Make(text, Case::kInsensitive));
    return {};
  });
}

Status Compiler::Resources(std::string_view name, const Value& value, Statement& out) {
  if (kind_ == Kind::kTrustPolicy) {
    return Malformed("A trust policy must not name a resource.");
  }
  if (!out.resources.empty() || !out.variable_resources.empty()) {
    return Malformed("Resource and NotResource exclude each other.");
  }
  out.negate_resources = name == "NotResource";
  return Strings(name, value, [&](std::string_view text) -> Status {
    if (text != "*" && !text.starts_with("arn:")) {
      return Malformed(fmt::format("{} must be \"*\" or an ARN.", name));
    }
    auto parsed = Text::Parse(text, variables_, true);
    if (!parsed) {
      return Malformed(fmt::format("{}: {}.", name, parsed.error().message));
    }
    if (!parsed->is_plain()) {
      out.variable_resources.push_back(std::move(*parsed));
      return {};
    }
    out.resources.push_back(Pattern::Make(text, Case::kSensitive));
    return {};
  });
}

// Complete checks what is missing, once all elements are read.
Status Compiler::Complete(const Value& value, Statement& out) {
  if (!value.Find("Effect")) {
    return Malformed("Effect is missing.");
  }
  const bool no_resource = out.resources.empty() && out.variable_resources.empty();
  if (kind_ != Kind::kIdentityPolicy && out.principals.empty()) {
    return Malformed("Principal is missing.");
  }
  if (kind_ == Kind::kKeyPolicy) {
    out.inert = out.actions.empty() || no_resource;
    return {};
  }
  if (out.actions.empty()) {
    return Malformed("Action or NotAction is missing.");
  }
  if (kind_ == Kind::kIdentityPolicy && no_resource) {
    return Malformed("Resource or NotResource is missing.");
  }
  return {};
}

Result<PolicyPtr> CompileText(std::string_view text, Kind kind) {
  json::Parser parser(json::Limits{.bytes_max = kPolicyBytesMax, .depth_max = 16});
  const auto root = parser.Parse(text);
  if (!root) {
    return Fail(ErrorCode::kMalformedPolicyDocumentException,
                "The policy is not valid JSON: " + root.error().message);
  }
  return Compiler(kind).Run(*root);
}

}  // namespace

Result<PolicyPtr> Compile(std::string_view text, Kind kind) {
  if (kind == Kind::kKeyPolicy && text.size() > kKeyPolicyBytesMax) {
    return Fail(ErrorCode::kLimitExceededException,
                fmt::format("A key policy may have {} bytes.", kKeyPolicyBytesMax));
  }
  return CompileText(text, kind);
}

Result<PolicyPtr> CompileStored(std::string_view text) {
  return CompileText(text, Kind::kKeyPolicy);
}

const std::vector<std::string>& NamedPrincipals(const Policy& policy) { return policy.named_arns; }

}  // namespace keyturn::policy
