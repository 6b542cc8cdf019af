// Credentials: who calls, from where AWS's own tools look: the environment, then the shared
// configuration files.
//
// Roles, SSO, processes, containers and instance metadata are not read; a profile that needs one of
// them is refused by name, with the way round.
// Thread-safety: free functions; they read files and the environment they are given.
// Source: AWS SDKs and Tools Reference Guide, credential providers and configuration files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sigv4/sigv4.h"

namespace keyturn::client {

// Environment looks a variable up; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// ProcessEnvironment reads the process's own.
Environment ProcessEnvironment();

// Config: what a call needs beside the operation.
struct Config {
  sigv4::Credentials credentials;
  std::string credentials_source;  // for people: "environment variables", "profile 'x' in FILE"
  std::string region;              // the default region; empty when nothing names one
  std::string endpoint_url;        // empty: AWS's own endpoints
  std::string ca_bundle_file;      // empty: the system's
};

// ConfigFlags: what the command line said; empty means nothing. Flags beat the environment.
struct ConfigFlags {
  std::string profile;
  std::string endpoint_url;
};

// LoadConfig resolves in AWS's order:
//   credentials: variables (unless --profile is given), then the profile's in the credentials file,
//                then its in the config file;
//   region:      AWS_REGION, AWS_DEFAULT_REGION, the profile's;
//   endpoint:    flag, AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL, the profile's endpoint_url (the last
//                three not under AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true);
//   CA bundle:   AWS_CA_BUNDLE, the profile's ca_bundle, REQUESTS_CA_BUNDLE.
// Fails with kUsage, saying what to do: no credentials anywhere, a key without its secret, a named
// profile that does not exist, a source that is not read, a file that does not parse (with line).
Result<Config> LoadConfig(const ConfigFlags& flags, const Environment& environment);

}  // namespace keyturn::client
