#include "client/credentials.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "client/profile_file.h"

namespace keyturn::client {
namespace {

constexpr std::string_view kExport =
    "; run: eval \"$(aws configure export-credentials --format env)\"";

struct Files {
  ProfileMap credentials;
  ProfileMap config;
  std::string credentials_path;
  std::string config_path;
};

// Get: a variable that is set to nothing counts as not set, as with AWS's tools.
std::string Get(const Environment& environment, std::string_view name) {
  return environment(name).value_or(std::string());
}

std::string ExpandHome(const std::string& path, const Environment& environment) {
  if (!path.starts_with("~/")) return path;
  return Get(environment, "HOME") + path.substr(1);
}

// ReadProfiles: a file that is not there has no profiles.
Result<ProfileMap> ReadProfiles(const std::string& path, ProfileFileKind kind) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return ProfileMap{};
    return Fail(ErrorCode::kUsage, "cannot read " + path + ": " + std::strerror(errno));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return Fail(ErrorCode::kUsage, "cannot read " + path);
  return ParseProfileFile(text, kind, path);
}

Result<Files> ReadFiles(const Environment& environment) {
  Files files;
  const auto path_of = [&](std::string_view variable, const char* usual) {
    const std::string set = Get(environment, variable);
    return ExpandHome(set.empty() ? usual : set, environment);
  };
  files.credentials_path = path_of("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  files.config_path = path_of("AWS_CONFIG_FILE", "~/.aws/config");
  KT_ASSIGN(files.credentials, ReadProfiles(files.credentials_path, ProfileFileKind::kCredentials));
  KT_ASSIGN(files.config, ReadProfiles(files.config_path, ProfileFileKind::kConfig));
  return files;
}

const Profile* FindProfile(const ProfileMap& profiles, const std::string& name) {
  const auto found = profiles.find(name);
  return found == profiles.end() ? nullptr : &found->second;
}

sigv4::Credentials MakeCredentials(std::string_view id, std::string_view secret,
                                   std::string_view token) {
  return {std::string(id), SecretBytes::CopyOf(AsBytes(secret)), std::string(token)};
}

// FromVariables: false when none is set.
Result<bool> FromVariables(const Environment& environment, Config& config) {
  const std::string id = Get(environment, "AWS_ACCESS_KEY_ID");
  std::string secret = Get(environment, "AWS_SECRET_ACCESS_KEY");
  if (id.empty() && secret.empty()) return false;
  if (id.empty() || secret.empty()) {
    return Fail(ErrorCode::kUsage, id.empty()
                                       ? "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is "
                                         "not; set both or neither"
                                       : "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is "
                                         "not; set both or neither");
  }
  std::string token = Get(environment, "AWS_SESSION_TOKEN");
  if (token.empty()) token = Get(environment, "AWS_SECURITY_TOKEN");
  config.credentials = MakeCredentials(id, secret, token);
  config.credentials_source = "environment variables";
  WipeMemory(secret.data(), secret.size());
  return true;
}

// UnreadSource names the source that a profile asks for and that is not read here; empty when none.
std::string UnreadSource(const Profile& profile) {
  struct Source {
    std::string_view name;
    std::string_view text;
  };
  constexpr std::array<Source, 7> kSources = {{
      {"role_arn", "an assumed role (role_arn)"},
      {"web_identity_token_file", "a web identity (web_identity_token_file)"},
      {"sso_session", "IAM Identity Center (sso_session)"},
      {"sso_start_url", "IAM Identity Center (sso_start_url)"},
      {"login_session", "a console login (login_session)"},
      {"credential_process", "a process (credential_process)"},
      {"credential_source", "an instance or container (credential_source)"},
  }};
  for (const auto& source : kSources) {
    if (!profile.Find(source.name).empty()) return std::string(source.text);
  }
  return {};
}

// FromProfile: false when the profile has no keys of its own.
Result<bool> FromProfile(const Profile& profile, const std::string& name, const std::string& path,
                         Config& config) {
  const auto id = profile.Find("aws_access_key_id");
  const auto secret = profile.Find("aws_secret_access_key");
  if (id.empty() && secret.empty()) return false;
  if (id.empty() || secret.empty()) {
    return Fail(ErrorCode::kUsage, path + ": profile '" + name + "' has " +
                                       (id.empty() ? "aws_secret_access_key without "
                                                     "aws_access_key_id"
                                                   : "aws_access_key_id without "
                                                     "aws_secret_access_key"));
  }
  auto token = profile.Find("aws_session_token");
  if (token.empty()) token = profile.Find("aws_security_token");
  config.credentials = MakeCredentials(id, secret, token);
  config.credentials_source = "profile '" + name + "' in " + path;
  return true;
}

Status CredentialsFromFiles(const Files& files, const std::string& name, Config& config) {
  const Profile* in_credentials = FindProfile(files.credentials, name);
  const Profile* in_config = FindProfile(files.config, name);
  // A role is asked for on purpose and beats keys in the same profile: using those silently would
  // act as somebody else.
  for (const Profile* profile : {in_credentials, in_config}) {
    if (profile == nullptr) continue;
    const std::string source = UnreadSource(*profile);
    if (!source.empty()) {
      return Fail(ErrorCode::kUsage, "profile '" + name + "' takes its credentials from " + source +
                                         ", which is not supported yet" + std::string(kExport) +
                                         " --profile " + name);
    }
  }
  if (in_credentials != nullptr) {
    KT_ASSIGN(const bool found, FromProfile(*in_credentials, name, files.credentials_path, config));
    if (found) return {};
  }
  if (in_config != nullptr) {
    KT_ASSIGN(const bool found, FromProfile(*in_config, name, files.config_path, config));
    if (found) return {};
  }
  return Fail(ErrorCode::kUsage,
              "no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor profile '" +
                  name + "' in " + files.credentials_path +
                  "; credentials of instances, containers and web identities are not supported "
                  "yet" +
                  std::string(kExport));
}

bool IsTrue(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

// SettingsFromFiles fills what the environment left open.
void SettingsFromFiles(const Files& files, const std::string& name, bool endpoints,
                       Config& config) {
  for (const ProfileMap* profiles : {&files.credentials, &files.config}) {
    const Profile* profile = FindProfile(*profiles, name);
    if (profile == nullptr) continue;
    if (config.region.empty()) config.region = profile->Find("region");
    if (config.endpoint_url.empty() && endpoints) {
      config.endpoint_url = profile->Find("endpoint_url");
    }
    if (config.ca_bundle_file.empty()) config.ca_bundle_file = profile->Find("ca_bundle");
  }
}

std::string FirstSet(const Environment& environment,
                     std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    std::string value = Get(environment, name);
    if (!value.empty()) return value;
  }
  return {};
}

}  // namespace

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Result<Config> LoadConfig(const ConfigFlags& flags, const Environment& environment) {
  Config config;
  const std::string from_environment =
      FirstSet(environment, {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"});
  const std::string named = !flags.profile.empty() ? flags.profile : from_environment;
  const std::string name = named.empty() ? "default" : named;
  KT_ASSIGN(const Files files, ReadFiles(environment));
  if (!named.empty() && FindProfile(files.credentials, name) == nullptr &&
      FindProfile(files.config, name) == nullptr) {
    return Fail(ErrorCode::kUsage,
                "there is no profile '" + name + "' in " + files.credentials_path + " or " +
                    files.config_path +
                    (flags.profile.empty() ? "; AWS_PROFILE names it" : "; --profile names it"));
  }
  bool found = false;
  if (flags.profile.empty()) {
    KT_ASSIGN(found, FromVariables(environment, config));
  }
  if (!found) KT_TRY(CredentialsFromFiles(files, name, config));

  const bool endpoints = !IsTrue(Get(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"));
  config.region = FirstSet(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  config.endpoint_url = flags.endpoint_url;
  if (config.endpoint_url.empty() && endpoints) {
    config.endpoint_url = FirstSet(environment, {"AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"});
  }
  config.ca_bundle_file = FirstSet(environment, {"AWS_CA_BUNDLE"});
  SettingsFromFiles(files, name, endpoints, config);
  if (config.ca_bundle_file.empty()) {
    config.ca_bundle_file = FirstSet(environment, {"REQUESTS_CA_BUNDLE"});
  }
  return config;
}

}  // namespace keyturn::client
