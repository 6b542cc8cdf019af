// Credentials: who calls, from where AWS's own tools look, in their order.
//
// Thread-safety: free functions, which read files and ask services; a CredentialKeeper belongs to
// one thread.
// Source: AWS SDKs and Tools Reference Guide, credential providers and configuration files;
// botocore's order of providers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "client/environment.h"
#include "client/sources.h"
#include "sigv4/sigv4.h"

namespace keyturn::client {

// Config: what a call needs beside the operation.
struct Config {
  sigv4::Credentials credentials;
  std::string credentials_source;    // for people: "environment variables", "profile 'x' in FILE"
  std::optional<TimePoint> expires;  // of the credentials; nullopt: they do not
  std::string region;                // the default region; empty when nothing names one
  std::string endpoint_url;          // empty: AWS's own endpoints
  EndpointVariant variant;           // of AWS's own endpoints
  std::string sts_endpoint_url;      // of the flags
  // service_endpoints: of the profile's services section, by the service's name.
  std::map<std::string, std::string, std::less<>> service_endpoints;
  std::string ca_bundle_file;  // empty: the system's

  // Site is where a service beside KMS is called: "sts", "ec2", "organizations". region: for
  // services that have any; empty is the default region.
  ServiceSite Site(std::string_view service, std::string_view region,
                   const Environment& environment) const;
};

// ConfigFlags: what the command line said; empty means nothing. Flags beat the environment.
struct ConfigFlags {
  std::string profile;
  // Names of variables that hold the credentials; with them nothing else is looked for.
  std::string key_id_variable;
  std::string secret_variable;
  std::string token_variable;  // empty: there is none
  std::string endpoint_url;
  // only_endpoint_url: endpoint_url is meant also when it is empty: AWS's, whatever the environment
  // says.
  bool only_endpoint_url = false;
  std::string ca_bundle_file;
  std::string sts_endpoint_url;  // instead of what the environment says
  std::string role_arn;          // to take on with the credentials that were found
  std::string external_id;
  std::string session_policy;  // of that role's session: it may do no more than this
};

// LoadConfig resolves in AWS's order:
//   credentials: 1. variables (unless --profile is given)
//                2. the profile's role_arn, with source_profile (a chain of them, no loops) or
//                   credential_source
//                3. a web identity: of variables (unless --profile is given), or of the profile
//                4. IAM Identity Center, with the sign-in that `aws sso login` keeps
//                5. the profile's keys in the credentials file
//                6. its credential_process   7. its keys in the config file
//                8. the container's   9. the instance's;
//   region:      AWS_REGION, AWS_DEFAULT_REGION, the profile's;
//   endpoint:    flag, AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL, kms in the profile's services
//                section, the profile's endpoint_url (all but the flag not under
//                AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true);
//   variant:     AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, the profile's
//                use_fips_endpoint and use_dualstack_endpoint; neither goes with an endpoint's URL;
//   STS, ...:    AWS_ENDPOINT_URL_STS, ..._EC2, ..._ORGANIZATIONS, then AWS_ENDPOINT_URL, then sts,
//                ec2, organizations in the services section, else AWS's;
//   CA bundle:   flag, AWS_CA_BUNDLE, the profile's ca_bundle, REQUESTS_CA_BUNDLE.
// Fails with kUsage, saying what to do: no credentials anywhere, a key without its secret, a named
// profile or services section that does not exist, a source that needs a person (a code of an MFA
// device, a console login), a source that refuses, a file that does not parse (with line).
Result<Config> LoadConfig(const ConfigFlags& flags, const Environment& environment,
                          const Outside& outside);

// CredentialKeeper renews the credentials of a long run in place: from fifteen minutes before they
// expire, once a minute while that fails.
class CredentialKeeper {
 public:
  CredentialKeeper(ConfigFlags flags, Environment environment, Outside outside, Config& config);
  // Renew is for the moment before each request is signed. What failed is kept for error().
  void Renew();
  const std::optional<Error>& error() const { return error_; }

 private:
  const ConfigFlags flags_;
  const Environment environment_;
  const Outside outside_;
  Config& config_;
  TimePoint next_try_{};
  std::optional<Error> error_;
};

}  // namespace keyturn::client
