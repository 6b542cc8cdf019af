#include <algorithm>
#include <array>

#include "client/kms_client.h"
#include "json/json.h"

namespace keyturn::client {
namespace {

// ShortName takes "prefix#Name:url" apart.
std::string_view ShortName(std::string_view type) {
  type = type.substr(0, type.find(':'));
  const auto hash = type.rfind('#');
  return hash == std::string_view::npos ? type : type.substr(hash + 1);
}

std::string_view TextOf(const json::Value& value, std::string_view name) {
  const auto member = value.Find(name);
  return member ? member->AsString().value_or(std::string_view{}) : std::string_view{};
}

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

bool CallError::IsDenied() const {
  return IsOneOf(code, {"AccessDeniedException", "AccessDenied", "NotAuthorizedException"}) ||
         (http_status == 403 && code == kMalformedAnswer);
}

bool CallError::IsBadCredentials() const {
  return IsOneOf(code, {"UnrecognizedClientException", "InvalidClientTokenId",
                        "InvalidSignatureException", "SignatureDoesNotMatch",
                        "IncompleteSignatureException", "MissingAuthenticationTokenException",
                        "MissingAuthenticationToken", "ExpiredTokenException", "ExpiredToken",
                        "OptInRequired", "SubscriptionRequiredException"});
}

CallError ParseCallError(const http::ClientResponse& response) {
  CallError error;
  error.http_status = response.status;
  error.request_id = response.Header("x-amzn-requestid");
  std::string_view type = response.Header("x-amzn-errortype");
  json::Parser parser;
  if (const auto body = parser.Parse(response.body)) {
    if (const auto named = TextOf(*body, "__type"); !named.empty()) type = named;
    if (type.empty()) type = TextOf(*body, "code");
    const auto message = TextOf(*body, "message");
    error.message = message.empty() ? TextOf(*body, "Message") : message;
  }
  error.code = ShortName(type);
  if (error.code.empty()) {
    error.code = kMalformedAnswer;
    error.message = "HTTP status " + std::to_string(response.status) + " without an AWS error";
  }
  return error;
}

}  // namespace keyturn::client
