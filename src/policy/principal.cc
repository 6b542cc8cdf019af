#include <algorithm>

#include "model/arn.h"
#include "policy/compiled.h"

namespace keyturn::policy {
namespace {

using model::AccountId;
using Type = NamedPrincipal::Type;

// IsName: the characters of IAM names and paths ("user/division/anna").
bool IsName(std::string_view text) {
  return !text.empty() && text.front() != '/' && text.back() != '/' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7F && c != '*' && c != '?' && c != '"' && c != ':' && c != '$';
         });
}

// IsDomain: "logs.amazonaws.com", "accounts.example.com".
bool IsDomain(std::string_view text) {
  return text.find('.') != std::string_view::npos && text.front() != '.' && text.back() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c == '-' || c == '.' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9');
         });
}

bool IsPartition(std::string_view text) {
  return text == "aws" || (text.starts_with("aws-") && text.size() > 4 &&
                           std::all_of(text.begin(), text.end(), [](char c) {
                             return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                           }));
}

std::optional<NamedPrincipal> ParseIam(const AccountId& account, std::string_view resource) {
  if (resource == "root") {
    return NamedPrincipal{Type::kAccount, account, {}};
  }
  if (resource.starts_with("user/") && IsName(resource.substr(5))) {
    return NamedPrincipal{Type::kUser, account, std::string(resource)};
  }
  if (resource.starts_with("role/") && IsName(resource.substr(5))) {
    return NamedPrincipal{Type::kRole, account,
                          std::string(resource.substr(resource.rfind('/') + 1))};
  }
  return std::nullopt;
}

std::optional<NamedPrincipal> ParseSts(const AccountId& account, std::string_view resource) {
  constexpr std::string_view kAssumed = "assumed-role/";
  constexpr std::string_view kFederated = "federated-user/";
  if (resource.starts_with(kAssumed)) {
    const std::string_view rest = resource.substr(kAssumed.size());
    if (!IsName(rest) || std::count(rest.begin(), rest.end(), '/') != 1) {
      return std::nullopt;
    }
  } else if (!resource.starts_with(kFederated) || !IsName(resource.substr(kFederated.size())) ||
             std::count(resource.begin(), resource.end(), '/') != 1) {
    return std::nullopt;
  }
  return NamedPrincipal{Type::kSession, account, std::string(resource)};
}

}  // namespace

std::optional<NamedPrincipal> NamedPrincipal::Parse(std::string_view text) {
  if (text == "*") {
    return NamedPrincipal{};
  }
  if (const auto account = AccountId::Parse(text)) {
    return NamedPrincipal{Type::kAccount, *account, {}};
  }
  const auto arn = model::Arn::Parse(text);
  if (!arn || !arn->region.empty() || !IsPartition(arn->partition)) {
    return std::nullopt;
  }
  const auto account = AccountId::Parse(arn->account);
  if (!account) {
    return std::nullopt;
  }
  if (arn->service == "iam") {
    return ParseIam(*account, arn->resource);
  }
  if (arn->service == "sts") {
    return ParseSts(*account, arn->resource);
  }
  return std::nullopt;
}

bool IsPrincipalArn(std::string_view text) {
  return text.starts_with("arn:") && NamedPrincipal::Parse(text).has_value();
}

std::optional<NamedPrincipal> NamedPrincipal::ParseService(std::string_view text) {
  if (!IsDomain(text)) return std::nullopt;
  return NamedPrincipal{Type::kService, {}, std::string(text)};
}

std::optional<NamedPrincipal> NamedPrincipal::ParseFederated(std::string_view text) {
  const auto arn = model::Arn::Parse(text);
  const bool provider =
      arn && arn->service == "iam" && AccountId::Parse(arn->account) &&
      (arn->resource.starts_with("oidc-provider/") || arn->resource.starts_with("saml-provider/"));
  if (!provider && !IsDomain(text)) return std::nullopt;
  return NamedPrincipal{Type::kFederated, {}, std::string(text)};
}

}  // namespace keyturn::policy
