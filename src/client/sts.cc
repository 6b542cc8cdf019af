// STS: the query protocol, answers in XML.
#include <pugixml.hpp>

#include "client/site.h"
#include "client/sources.h"
#include "model/ids.h"

namespace keyturn::client {
namespace {

constexpr std::string_view kContentType = "application/x-www-form-urlencoded";

void Add(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form.append(name).append("=").append(PercentEncode(value));
}

std::string FormOf(const RoleRequest& request) {
  std::string form;
  const bool web = !request.web_identity_token.empty();
  Add(form, "Action", web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
  Add(form, "Version", "2011-06-15");
  Add(form, "RoleArn", request.role_arn);
  Add(form, "RoleSessionName", request.session_name);
  if (request.duration.count() > 0) {
    Add(form, "DurationSeconds", std::to_string(request.duration.count()));
  }
  if (!request.external_id.empty()) Add(form, "ExternalId", request.external_id);
  if (!request.session_policy.empty()) Add(form, "Policy", request.session_policy);
  if (web) Add(form, "WebIdentityToken", request.web_identity_token);
  return form;
}

// Refusal: code and message of an error answer.
struct Refusal {
  std::string code;
  std::string text;  // for people
};
Refusal RefusalOf(const http::ClientResponse& response) {
  pugi::xml_document document;
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const pugi::xml_node error = document.child("ErrorResponse").child("Error");
    if (error) {
      const std::string code = error.child_value("Code");
      return {code, code + ": " + error.child_value("Message")};
    }
  }
  return {{}, "HTTP " + std::to_string(response.status)};
}

Result<FoundCredentials> ParseAnswer(const RoleRequest& request, const std::string& body) {
  const std::string action =
      request.web_identity_token.empty() ? "AssumeRole" : "AssumeRoleWithWebIdentity";
  pugi::xml_document document;
  const auto parsed = document.load_buffer(body.data(), body.size());
  const pugi::xml_node given = document.child((action + "Response").c_str())
                                   .child((action + "Result").c_str())
                                   .child("Credentials");
  const std::string_view id = given.child_value("AccessKeyId");
  const std::string_view secret = given.child_value("SecretAccessKey");
  const std::string_view token = given.child_value("SessionToken");
  if (!parsed || id.empty() || secret.empty() || token.empty()) {
    return Fail(ErrorCode::kUsage,
                "STS's answer for the role " + request.role_arn + " has no credentials");
  }
  FoundCredentials found;
  found.credentials = {std::string(id), SecretBytes::CopyOf(AsBytes(secret)), std::string(token)};
  found.source = "role " + request.role_arn;
  found.expires = ParseIso8601(given.child_value("Expiration"));
  found.arn = given.parent().child("AssumedRoleUser").child_value("Arn");
  return found;
}

}  // namespace

Result<http::ClientRequest> AssumeRoleRequest(const ServiceSite& sts,
                                              const sigv4::Credentials& caller,
                                              const RoleRequest& role, TimePoint now) {
  const bool web = !role.web_identity_token.empty();
  return SiteRequest(sts, "sts", web ? nullptr : &caller, {{"Content-Type", kContentType}},
                     FormOf(role), now);
}

Result<FoundCredentials> ParseAssumeRole(const RoleRequest& role,
                                         const Result<http::ClientResponse>& response) {
  if (!response) {
    return Fail(response.error().code, "no answer from STS for the role " + role.role_arn + ": " +
                                           response.error().message);
  }
  if (response->status != 200) {
    const Refusal refusal = RefusalOf(*response);
    const ErrorCode code = MayPass(response)                ? ErrorCode::kNetwork
                           : refusal.code == "AccessDenied" ? ErrorCode::kAccessDeniedException
                                                            : ErrorCode::kUsage;
    return Fail(code, "STS does not give the role " + role.role_arn + ": " + refusal.text);
  }
  return ParseAnswer(role, response->body);
}

Result<FoundCredentials> AssumeRole(http::Client& http, const ServiceSite& sts,
                                    const sigv4::Credentials& caller, const RoleRequest& role,
                                    TimePoint now) {
  KT_ASSIGN(auto request, AssumeRoleRequest(sts, caller, role, now));
  auto found = ParseAssumeRole(role, Fetch(http, std::move(request)));
  if (!found) return Fail(ErrorCode::kUsage, found.error().message);
  return found;
}

Result<CallerIdentity> AskCaller(http::Client& http, const ServiceSite& sts,
                                 const sigv4::Credentials& caller, TimePoint now) {
  KT_ASSIGN(auto request, SiteRequest(sts, "sts", &caller, {{"Content-Type", kContentType}},
                                      "Action=GetCallerIdentity&Version=2011-06-15", now));
  const auto response = Fetch(http, std::move(request));
  if (!response) {
    return Fail(response.error().code,
                "no answer from STS to GetCallerIdentity: " + response.error().message);
  }
  if (response->status != 200) {
    return Fail(ErrorCode::kUsage,
                "STS does not say who calls (GetCallerIdentity): " + RefusalOf(*response).text);
  }
  pugi::xml_document document;
  const auto parsed = document.load_buffer(response->body.data(), response->body.size());
  const pugi::xml_node told =
      document.child("GetCallerIdentityResponse").child("GetCallerIdentityResult");
  CallerIdentity identity{told.child_value("Account"), told.child_value("Arn")};
  if (!parsed || !model::AccountId::Parse(identity.account)) {
    return Fail(ErrorCode::kUsage, "STS's answer to GetCallerIdentity names no account");
  }
  return identity;
}

}  // namespace keyturn::client
