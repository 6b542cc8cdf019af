// STS: the query protocol, answers in XML.
#include <array>
#include <pugixml.hpp>

#include "client/endpoint.h"
#include "client/sources.h"

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

Result<Endpoint> EndpointOf(const std::string& url, std::string_view region) {
  if (!url.empty()) return Endpoint::Parse(url);
  KT_ASSIGN(const Endpoint kms, Endpoint::Aws(region));
  return Endpoint::Parse("https://sts" + kms.host.substr(std::string_view("kms").size()));
}

Error RefusedBy(const RoleRequest& request, const http::ClientResponse& response) {
  pugi::xml_document document;
  std::string why = "HTTP " + std::to_string(response.status);
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const pugi::xml_node error = document.child("ErrorResponse").child("Error");
    if (error) {
      why = std::string(error.child_value("Code")) + ": " + error.child_value("Message");
    }
  }
  return {ErrorCode::kUsage, "STS does not give the role " + request.role_arn + ": " + why, {}};
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
  return found;
}

}  // namespace

Result<FoundCredentials> AssumeRole(http::Client& http, const std::string& endpoint_url,
                                    std::string_view region, const sigv4::Credentials& caller,
                                    const RoleRequest& role, TimePoint now) {
  KT_ASSIGN(const Endpoint endpoint, EndpointOf(endpoint_url, region));
  http::ClientRequest request;
  request.url = endpoint.url;
  request.body = FormOf(role);
  request.headers = {{"Host", endpoint.host}, {"Content-Type", std::string(kContentType)}};
  if (role.web_identity_token.empty()) {
    const std::array<sigv4::Header, 2> headers = {
        {{"Host", endpoint.host}, {"Content-Type", kContentType}}};
    const auto signature = sigv4::Sign({.method = "POST",
                                        .path = endpoint.path,
                                        .query = {},
                                        .headers = headers,
                                        .body = AsBytes(request.body)},
                                       caller, region, "sts", now);
    request.headers.emplace_back("X-Amz-Date", signature.amz_date);
    if (!caller.session_token.empty()) {
      request.headers.emplace_back("X-Amz-Security-Token", caller.session_token);
    }
    request.headers.emplace_back("Authorization", signature.authorization);
  }
  const auto response = Fetch(http, std::move(request));
  if (!response) {
    return Fail(ErrorCode::kUsage, "no answer from STS at " + endpoint.url + " for the role " +
                                       role.role_arn + ": " + response.error().message);
  }
  if (response->status != 200) return Fail(RefusedBy(role, *response));
  return ParseAnswer(role, response->body);
}

}  // namespace keyturn::client
