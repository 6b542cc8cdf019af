// IAM Identity Center: a sign-in's token, which `aws sso login` keeps in a file, for a role's keys.
#include <filesystem>

#include "base/hex.h"
#include "client/endpoint.h"
#include "client/sources.h"
#include "crypto/asymmetric.h"
#include "json/json.h"

namespace keyturn::client {
namespace {

Error SignInAgain(const SsoRequest& request, std::string_view why) {
  return {ErrorCode::kUsage,
          "profile '" + request.profile + "': " + std::string(why) +
              "; run: aws sso login --profile " + request.profile,
          {}};
}

// CachedToken reads the file of a sign-in; its name is the SHA-1 of the session's.
Result<std::string> CachedToken(const SsoRequest& request, TimePoint now) {
  const std::string name = HexEncode(crypto::Digest(crypto::Hash::kSha1, AsBytes(request.session)));
  const std::string path = request.cache_directory + "/" + name + ".json";
  if (!std::filesystem::exists(path)) {
    return Fail(SignInAgain(request, "there is no sign-in to IAM Identity Center"));
  }
  KT_ASSIGN(const std::string text, ReadSmallFile(path, "IAM Identity Center"));
  json::Parser parser;
  const auto value = parser.Parse(text);
  if (!value) return Fail(SignInAgain(request, path + " is no JSON"));
  const auto member = [&](std::string_view wanted) {
    const auto found = value->Find(wanted);
    return std::string(found ? found->AsString().value_or("") : "");
  };
  std::string token = member("accessToken");
  const auto expires = ParseIso8601(member("expiresAt"));
  if (token.empty() || !expires) {
    return Fail(SignInAgain(request, path + " has no accessToken and expiresAt"));
  }
  if (*expires <= now) {
    return Fail(SignInAgain(request, "the sign-in to IAM Identity Center has expired"));
  }
  return token;
}

Result<FoundCredentials> ParseRole(const SsoRequest& request, const std::string& body) {
  json::Parser parser;
  const auto value = parser.Parse(body);
  const auto role = value ? value->Find("roleCredentials") : std::nullopt;
  const auto member = [&](std::string_view name) {
    const auto found = role ? role->Find(name) : std::nullopt;
    return found ? found->AsString().value_or("") : std::string_view();
  };
  const auto expiration = role ? role->Find("expiration") : std::nullopt;
  const auto millis = expiration ? expiration->AsInt() : std::nullopt;
  if (member("accessKeyId").empty() || member("secretAccessKey").empty() || !millis) {
    return Fail(ErrorCode::kUsage, "profile '" + request.profile +
                                       "': IAM Identity Center's answer has no credentials");
  }
  FoundCredentials found;
  found.credentials = {std::string(member("accessKeyId")),
                       SecretBytes::CopyOf(AsBytes(member("secretAccessKey"))),
                       std::string(member("sessionToken"))};
  found.source = "IAM Identity Center, profile '" + request.profile + "'";
  found.expires = FromEpochMillis(*millis);
  return found;
}

}  // namespace

Result<FoundCredentials> FromSso(http::Client& http, const SsoRequest& request, TimePoint now) {
  if (request.region.empty() || request.account_id.empty() || request.role_name.empty()) {
    return Fail(ErrorCode::kUsage,
                "profile '" + request.profile +
                    "': IAM Identity Center needs sso_region, sso_account_id and sso_role_name");
  }
  KT_ASSIGN(const std::string token, CachedToken(request, now));
  std::string base = request.portal_url;
  if (base.empty()) {
    KT_ASSIGN(const Endpoint kms, Endpoint::Aws(request.region));
    base = "https://portal.sso" + kms.host.substr(std::string_view("kms").size());
  }
  while (base.ends_with("/")) base.pop_back();
  http::ClientRequest call;
  call.method = "GET";
  call.url = base + "/federation/credentials?role_name=" + PercentEncode(request.role_name) +
             "&account_id=" + PercentEncode(request.account_id);
  call.headers = {{"x-amz-sso_bearer_token", token}};
  const auto answer = Fetch(http, std::move(call));
  if (!answer) {
    return Fail(ErrorCode::kUsage,
                "profile '" + request.profile +
                    "': no answer from IAM Identity Center: " + answer.error().message);
  }
  if (answer->status == 401) {
    return Fail(SignInAgain(request, "IAM Identity Center does not know the sign-in any more"));
  }
  if (answer->status != 200) {
    return Fail(ErrorCode::kUsage, "profile '" + request.profile + "': IAM Identity Center gives " +
                                       "no credentials for " + request.role_name + " in " +
                                       request.account_id + ": HTTP " +
                                       std::to_string(answer->status));
  }
  return ParseRole(request, answer->body);
}

}  // namespace keyturn::client
