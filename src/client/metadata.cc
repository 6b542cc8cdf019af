// Credentials of containers and instances, over plain HTTP on addresses of the machine's own.
#include <algorithm>
#include <array>

#include "client/endpoint.h"
#include "client/sources.h"

namespace keyturn::client {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr milliseconds kContainerTimeout{2000};
constexpr int kContainerTries = 3;
constexpr milliseconds kInstanceTimeout{1000};

bool IsTrue(const std::string& text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

// MayBeContainer: a full URI goes to the machine itself or to the container services' addresses,
// unless TLS proves who answers.
bool MayBeContainer(const Endpoint& endpoint) {
  if (endpoint.url.starts_with("https://")) return true;
  constexpr std::array<std::string_view, 6> kHosts = {
      "localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  const std::string_view host = endpoint.host;
  return std::any_of(kHosts.begin(), kHosts.end(), [host](std::string_view each) {
    return host == each || (host.starts_with(each) && host.substr(each.size()).starts_with(":"));
  });
}

Result<std::string> ContainerToken(const Environment& environment) {
  const std::string path = Get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!path.empty()) return ReadToken(path, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = Get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (token.find_first_of("\r\n") != std::string::npos) {
    return Fail(ErrorCode::kUsage, "AWS_CONTAINER_AUTHORIZATION_TOKEN has several lines");
  }
  return token;
}

// InstanceSession talks to one metadata service.
class InstanceSession {
 public:
  InstanceSession(http::Client& http, std::string base) : http_(http), base_(std::move(base)) {}

  // Open takes a session token; services of the first version have none.
  Status Open(bool first_version_allowed) {
    http::ClientRequest request;
    request.method = "PUT";
    request.url = base_ + "/latest/api/token";
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    request.timeout = kInstanceTimeout;
    const auto answer = Fetch(http_, std::move(request));
    if (!answer) return Fail(ErrorCode::kNotFound, "no instance metadata service answers");
    if (answer->status == 200) {
      token_ = answer->body;
      return {};
    }
    const bool first = answer->status == 403 || answer->status == 404 || answer->status == 405;
    if (first && first_version_allowed) return {};
    return Fail(ErrorCode::kNotFound, "the instance metadata service gives no token: HTTP " +
                                          std::to_string(answer->status));
  }

  Result<std::string> Get(const std::string& path) {
    http::ClientRequest request;
    request.method = "GET";
    request.url = base_ + path;
    if (!token_.empty()) request.headers = {{"X-aws-ec2-metadata-token", token_}};
    request.timeout = kInstanceTimeout;
    const auto answer = Fetch(http_, std::move(request));
    if (!answer) return Fail(ErrorCode::kNotFound, "no instance metadata service answers");
    if (answer->status != 200) {
      return Fail(ErrorCode::kNotFound,
                  "instance metadata: HTTP " + std::to_string(answer->status) + " for " + path);
    }
    return answer->body;
  }

 private:
  http::Client& http_;
  const std::string base_;
  std::string token_;
};

}  // namespace

bool HasContainer(const Environment& environment) {
  return !Get(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
         !Get(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI").empty();
}

Result<FoundCredentials> FromContainer(http::Client& direct, const Environment& environment) {
  const std::string relative = Get(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string url = !relative.empty()
                              ? std::string(kContainerHost) + relative
                              : Get(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string_view without_query = std::string_view(url).substr(0, url.find('?'));
  KT_ASSIGN(const Endpoint endpoint, Endpoint::Parse(without_query));
  if (!MayBeContainer(endpoint)) {
    return Fail(ErrorCode::kUsage,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI names " + endpoint.host +
                    ": credentials are taken over https, or from this machine or the container "
                    "services' own addresses");
  }
  KT_ASSIGN(const std::string token, ContainerToken(environment));
  std::string why;
  for (int attempt = 0; attempt < kContainerTries; ++attempt) {
    http::ClientRequest request;
    request.method = "GET";
    request.url = url;
    request.headers = {{"Accept", "application/json"}};
    if (!token.empty()) request.headers.emplace_back("Authorization", token);
    request.timeout = kContainerTimeout;
    const auto answer = Fetch(direct, std::move(request));
    if (answer && answer->status == 200) {
      return ParseCredentials(answer->body, "Token", "container credentials at " + endpoint.url);
    }
    why = answer ? "HTTP " + std::to_string(answer->status) : answer.error().message;
  }
  return Fail(ErrorCode::kUsage, "container credentials at " + endpoint.url + ": " + why);
}

Result<FoundCredentials> FromInstance(http::Client& direct, const Environment& environment) {
  if (IsTrue(Get(environment, "AWS_EC2_METADATA_DISABLED"))) {
    return Fail(ErrorCode::kNotFound, "instance metadata is off (AWS_EC2_METADATA_DISABLED)");
  }
  std::string base = Get(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) {
    const std::string mode = Get(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    base = mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  }
  while (base.ends_with("/")) base.pop_back();
  InstanceSession session(direct, base);
  KT_TRY(session.Open(!IsTrue(Get(environment, "AWS_EC2_METADATA_V1_DISABLED"))));
  const std::string path = "/latest/meta-data/iam/security-credentials/";
  KT_ASSIGN(const std::string roles, session.Get(path));
  const std::string role = roles.substr(0, roles.find_first_of("\r\n"));
  if (role.empty()) return Fail(ErrorCode::kNotFound, "the instance has no role");
  KT_ASSIGN(const std::string given, session.Get(path + role));
  return ParseCredentials(given, "Token", "the instance's role " + role);
}

}  // namespace keyturn::client
