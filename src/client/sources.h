// Sources: credentials that are fetched rather than written down: STS (roles and web identities),
// IAM Identity Center, processes, containers, instance metadata. client/credentials.h decides which
// of them is asked.
//
// Each function blocks until it has an answer or its time is up. Errors are kUsage and say what to
// do; secrets and tokens never appear in them. Thread-safety: free functions.
// Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers"; STS API
// Reference; EC2 User Guide, "Retrieve security credentials from instance metadata"; ECS Developer
// Guide, "Task IAM role"; IAM Identity Center Portal API Reference, GetRoleCredentials.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "client/endpoint.h"
#include "client/environment.h"
#include "http/client.h"
#include "sigv4/sigv4.h"

namespace keyturn::client {

struct FoundCredentials {
  sigv4::Credentials credentials;
  std::string source;                // for people
  std::optional<TimePoint> expires;  // nullopt: they do not
  std::string arn{};                 // of the role's session, where STS gave one
};

// Outside: what the sources need beside the environment. direct: a client that never uses a proxy,
// as metadata services must not.
struct Outside {
  std::function<Result<std::unique_ptr<http::Client>>(const std::string& ca_bundle_file,
                                                      bool direct)>
      open_http;
  const Clock* clock = nullptr;
};

// Fetch sends one request and waits for its answer.
Result<http::ClientResponse> Fetch(http::Client& http, http::ClientRequest request);

// ParseCredentials reads the JSON that processes, containers and instances give; place names the
// source in errors. The token's member is SessionToken for processes, Token for the others.
Result<FoundCredentials> ParseCredentials(std::string_view json, std::string_view token_member,
                                          std::string_view place);

// PercentEncode keeps RFC 3986's unreserved characters.
std::string PercentEncode(std::string_view text);

// ReadSmallFile reads a file of at most 64 KiB; ReadToken takes its only line, without the white
// space around it. what names the source in errors.
Result<std::string> ReadSmallFile(const std::string& path, std::string_view what);
Result<std::string> ReadToken(const std::string& path, std::string_view what);

// --- STS ---------------------------------------------------------------------------------------

struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::string external_id;           // empty: none
  std::string session_policy;        // empty: none
  std::string web_identity_token;    // set: AssumeRoleWithWebIdentity, unsigned
  std::chrono::seconds duration{0};  // 0: STS's default
};

// ServiceSite: where a service of AWS beside KMS is called.
struct ServiceSite {
  std::string endpoint_url;  // empty: AWS's own
  std::string region;        // of the signature, and of AWS's own endpoint
  EndpointVariant variant;
  std::string ca_bundle_file;  // empty: the HTTP client's
};

// AssumeRole asks STS. caller is not used with a web identity.
Result<FoundCredentials> AssumeRole(http::Client& http, const ServiceSite& sts,
                                    const sigv4::Credentials& caller, const RoleRequest& request,
                                    TimePoint now);
// Its two halves, for who does not want to wait. ParseAssumeRole's errors are kUsage, kDenied where
// STS refuses, and kTimeout or kNetwork where asking again may help.
Result<http::ClientRequest> AssumeRoleRequest(const ServiceSite& sts,
                                              const sigv4::Credentials& caller,
                                              const RoleRequest& request, TimePoint now);
Result<FoundCredentials> ParseAssumeRole(const RoleRequest& request,
                                         const Result<http::ClientResponse>& response);

// CallerIdentity: whose credentials these are, as GetCallerIdentity tells it.
struct CallerIdentity {
  std::string account;
  std::string arn;  // empty where STS does not say it
};
Result<CallerIdentity> AskCaller(http::Client& http, const ServiceSite& sts,
                                 const sigv4::Credentials& caller, TimePoint now);

// --- Organizations, EC2 ------------------------------------------------------------------------

struct OrganizationAccount {
  std::string id;
  std::string name;
  std::string state;  // "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED", ...
};
// ListAccounts pages through the organisation that the caller may list, its management account
// included; sorted by id. kAccessDeniedException with what to do where that is refused.
Result<std::vector<OrganizationAccount>> ListAccounts(http::Client& http, const ServiceSite& site,
                                                      const sigv4::Credentials& caller,
                                                      const Clock& clock);

struct RegionState {
  std::string name;
  bool enabled = false;
};
// DescribeRegions, in two halves: which regions there are, and which of them the account has
// opted in to.
Result<http::ClientRequest> DescribeRegionsRequest(const ServiceSite& ec2,
                                                   const sigv4::Credentials& caller, TimePoint now);
Result<std::vector<RegionState>> ParseDescribeRegions(const Result<http::ClientResponse>& response);

// MayPass: asking again may help.
bool MayPass(const Result<http::ClientResponse>& response);

// --- Others ------------------------------------------------------------------------------------

// FromProcess runs a credential_process: split as a shell would, but without one.
Result<FoundCredentials> FromProcess(const std::string& command);
// SplitCommand: words, with quotes and backslashes as in a POSIX shell.
Result<std::vector<std::string>> SplitCommand(std::string_view command);

// HasContainer: the variables of a container are set.
bool HasContainer(const Environment& environment);
Result<FoundCredentials> FromContainer(http::Client& direct, const Environment& environment);

// FromInstance: kNotFound where there is no metadata service, or it is turned off.
Result<FoundCredentials> FromInstance(http::Client& direct, const Environment& environment);

struct SsoRequest {
  std::string session;  // sso_session's name, or the start URL of an older profile
  std::string region;   // sso_region
  std::string account_id;
  std::string role_name;
  std::string cache_directory;  // ~/.aws/sso/cache
  std::string portal_url;       // empty: AWS's
  std::string profile;          // for messages
};
Result<FoundCredentials> FromSso(http::Client& http, const SsoRequest& request, TimePoint now);

}  // namespace keyturn::client
