#include "client/credentials.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "client/profile_file.h"

namespace keyturn::client {
namespace {

struct Files {
  ProfileMap credentials;
  ProfileMap config;
  std::string credentials_path;
  std::string config_path;
};

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

using Found = std::optional<FoundCredentials>;

Found FoundIn(std::string source, std::string_view id, std::string_view secret,
              std::string_view token) {
  FoundCredentials found;
  found.credentials = {std::string(id), SecretBytes::CopyOf(AsBytes(secret)), std::string(token)};
  found.source = std::move(source);
  return found;
}

Result<Found> FromVariables(const Environment& environment) {
  const std::string id = Get(environment, "AWS_ACCESS_KEY_ID");
  std::string secret = Get(environment, "AWS_SECRET_ACCESS_KEY");
  if (id.empty() && secret.empty()) return Found();
  if (id.empty() || secret.empty()) {
    return Fail(ErrorCode::kUsage, id.empty()
                                       ? "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is "
                                         "not; set both or neither"
                                       : "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is "
                                         "not; set both or neither");
  }
  std::string token = Get(environment, "AWS_SESSION_TOKEN");
  if (token.empty()) token = Get(environment, "AWS_SECURITY_TOKEN");
  Found found = FoundIn("environment variables", id, secret, token);
  WipeMemory(secret.data(), secret.size());
  return found;
}

// FromKeys: the keys that a profile has in one of the files.
Result<Found> FromKeys(const Profile* profile, const std::string& name, const std::string& path) {
  if (profile == nullptr) return Found();
  const auto id = profile->Find("aws_access_key_id");
  const auto secret = profile->Find("aws_secret_access_key");
  if (id.empty() && secret.empty()) return Found();
  if (id.empty() || secret.empty()) {
    return Fail(ErrorCode::kUsage, path + ": profile '" + name + "' has " +
                                       (id.empty() ? "aws_secret_access_key without "
                                                     "aws_access_key_id"
                                                   : "aws_access_key_id without "
                                                     "aws_secret_access_key"));
  }
  auto token = profile->Find("aws_session_token");
  if (token.empty()) token = profile->Find("aws_security_token");
  return FoundIn("profile '" + name + "' in " + path, id, secret, token);
}

// Chain asks one source after the other.
class Chain {
 public:
  Chain(const Files& files, const Environment& environment, const Outside& outside,
        const Config& config)
      : files_(files), environment_(environment), outside_(outside), config_(config) {}

  // Find: variables says whether those of the environment count.
  Result<FoundCredentials> Find(const ConfigFlags& flags, const std::string& name) {
    if (!flags.key_id_variable.empty()) return FromNamedVariables(flags);
    const bool variables = flags.profile.empty();
    if (variables) {
      KT_ASSIGN(Found found, FromVariables(environment_));
      if (found) return std::move(*found);
    }
    KT_ASSIGN(Found found, FromProfile(name, variables));
    if (found) return std::move(*found);
    if (HasContainer(environment_)) {
      KT_ASSIGN(const auto direct, Open(true));
      return FromContainer(*direct, environment_);
    }
    KT_ASSIGN(const auto direct, Open(true));
    auto instance = FromInstance(*direct, environment_);
    if (instance || instance.error().code != ErrorCode::kNotFound) return instance;
    return Fail(ErrorCode::kUsage,
                "no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor profile "
                "'" +
                    name + "' in " + files_.credentials_path + " or " + files_.config_path +
                    ", nor a container or an instance (" + instance.error().message +
                    "); run: aws configure");
  }

  // TakeOn is the role of the flags.
  Result<FoundCredentials> TakeOn(const ConfigFlags& flags, const std::string& name,
                                  const sigv4::Credentials& caller) {
    RoleRequest request;
    request.role_arn = flags.role_arn;
    request.external_id = flags.external_id;
    request.session_policy = flags.session_policy;
    request.session_name = SessionName({});
    KT_ASSIGN(Found found, Assume(name, caller, request));
    return std::move(*found);
  }

 private:
  Result<FoundCredentials> FromNamedVariables(const ConfigFlags& flags) const {
    const std::string id = Get(environment_, flags.key_id_variable);
    std::string secret = Get(environment_, flags.secret_variable);
    const std::string token =
        flags.token_variable.empty() ? std::string() : Get(environment_, flags.token_variable);
    if (id.empty() || secret.empty() || (token.empty() && !flags.token_variable.empty())) {
      return Fail(ErrorCode::kUsage, "the variable " +
                                         (id.empty()       ? flags.key_id_variable
                                          : secret.empty() ? flags.secret_variable
                                                           : flags.token_variable) +
                                         " is not set");
    }
    Found found = FoundIn("the variable " + flags.key_id_variable, id, secret, token);
    WipeMemory(secret.data(), secret.size());
    return std::move(*found);
  }

  Result<std::unique_ptr<http::Client>> Open(bool direct) {
    return outside_.open_http(config_.ca_bundle_file, direct);
  }

  // Value: the credentials file beats the config file.
  std::string Value(const std::string& profile, std::string_view name) const {
    for (const ProfileMap* profiles : {&files_.credentials, &files_.config}) {
      const Profile* found = FindProfile(*profiles, profile);
      if (found != nullptr && !found->Find(name).empty()) return std::string(found->Find(name));
    }
    return {};
  }

  Result<Found> FromProfile(const std::string& name, bool variables) {
    const bool web_profile = !Value(name, "web_identity_token_file").empty();
    if (!Value(name, "role_arn").empty() && !web_profile) return FromRole(name);
    if (variables && !Get(environment_, "AWS_WEB_IDENTITY_TOKEN_FILE").empty()) {
      return FromWebIdentity(name, Get(environment_, "AWS_WEB_IDENTITY_TOKEN_FILE"),
                             Get(environment_, "AWS_ROLE_ARN"),
                             Get(environment_, "AWS_ROLE_SESSION_NAME"));
    }
    if (web_profile) {
      return FromWebIdentity(name, Value(name, "web_identity_token_file"), Value(name, "role_arn"),
                             Value(name, "role_session_name"));
    }
    if (!Value(name, "sso_session").empty() || !Value(name, "sso_start_url").empty()) {
      return FromIdentityCenter(name);
    }
    return FromStatic(name);
  }

  Result<Found> FromStatic(const std::string& name) {
    KT_ASSIGN(Found keys,
              FromKeys(FindProfile(files_.credentials, name), name, files_.credentials_path));
    if (keys) return keys;
    if (!Value(name, "login_session").empty()) {
      return Fail(ErrorCode::kUsage,
                  "profile '" + name +
                      "' takes its credentials from a console login "
                      "(login_session), which is not read here; run: eval \"$(aws configure "
                      "export-credentials --format env --profile " +
                      name + ")\"");
    }
    const std::string process = Value(name, "credential_process");
    if (!process.empty()) return FromProcess(process);
    return FromKeys(FindProfile(files_.config, name), name, files_.config_path);
  }

  Result<Found> FromRole(const std::string& name) {
    const auto wrong = [&name](const std::string& what) {
      return Fail(ErrorCode::kUsage, "profile '" + name + "': " + what);
    };
    if (!Value(name, "mfa_serial").empty()) {
      return wrong("its role needs a code of the MFA device " + Value(name, "mfa_serial") +
                   "; run: eval \"$(aws configure export-credentials --format env --profile " +
                   name + ")\"");
    }
    const std::string source = Value(name, "source_profile");
    const std::string kind = Value(name, "credential_source");
    if (source.empty() == kind.empty()) {
      return wrong("role_arn needs exactly one of source_profile and credential_source");
    }
    if (!visited_.insert(name).second) {
      return wrong("the source_profile of this profile leads back to itself");
    }
    KT_ASSIGN(const FoundCredentials caller,
              source.empty() ? FromKind(name, kind) : FromSourceProfile(name, source));
    RoleRequest request;
    request.role_arn = Value(name, "role_arn");
    request.external_id = Value(name, "external_id");
    request.session_name = SessionName(Value(name, "role_session_name"));
    const std::string duration = Value(name, "duration_seconds");
    if (!duration.empty()) {
      constexpr std::size_t kDigitsMax = 6;
      if (duration.size() > kDigitsMax ||
          duration.find_first_not_of("0123456789") != std::string::npos) {
        return wrong("duration_seconds is no number of seconds");
      }
      request.duration = std::chrono::seconds(std::stol(duration));
    }
    return Assume(name, caller.credentials, request);
  }

  // FromSourceProfile: a profile that names itself means its own keys.
  Result<FoundCredentials> FromSourceProfile(const std::string& name, const std::string& source) {
    if (FindProfile(files_.credentials, source) == nullptr &&
        FindProfile(files_.config, source) == nullptr) {
      return Fail(ErrorCode::kUsage,
                  "profile '" + name + "': its source_profile '" + source + "' does not exist");
    }
    KT_ASSIGN(Found found, source == name ? FromStatic(source) : FromProfile(source, false));
    if (found) return std::move(*found);
    return Fail(ErrorCode::kUsage,
                "profile '" + name + "': its source_profile '" + source + "' has no credentials");
  }

  Result<FoundCredentials> FromKind(const std::string& name, const std::string& kind) {
    if (kind == "Environment") {
      KT_ASSIGN(Found found, FromVariables(environment_));
      if (found) return std::move(*found);
      return Fail(ErrorCode::kUsage, "profile '" + name +
                                         "': credential_source is Environment, "
                                         "but AWS_ACCESS_KEY_ID is not set");
    }
    if (kind == "EcsContainer" || kind == "Ec2InstanceMetadata") {
      KT_ASSIGN(const auto direct, Open(true));
      auto found = kind == "EcsContainer" ? FromContainer(*direct, environment_)
                                          : FromInstance(*direct, environment_);
      if (found) return found;
      return Fail(ErrorCode::kUsage, "profile '" + name + "': credential_source " + kind + ": " +
                                         found.error().message);
    }
    return Fail(ErrorCode::kUsage, "profile '" + name + "': credential_source is '" + kind +
                                       "', not Environment, EcsContainer or Ec2InstanceMetadata");
  }

  Result<Found> FromWebIdentity(const std::string& name, const std::string& path,
                                const std::string& role_arn, const std::string& session_name) {
    if (role_arn.empty()) {
      return Fail(ErrorCode::kUsage,
                  "a web identity (" + path +
                      ") needs the role: AWS_ROLE_ARN, or role_arn of profile '" + name + "'");
    }
    RoleRequest request;
    request.role_arn = role_arn;
    request.session_name = SessionName(session_name);
    KT_ASSIGN(request.web_identity_token,
              ReadToken(ExpandHome(path, environment_), "web identity"));
    return Assume(name, {}, request);
  }

  Result<Found> FromIdentityCenter(const std::string& name) {
    const std::string session = Value(name, "sso_session");
    const std::string section = session.empty() ? name : SsoSessionName(session);
    if (!session.empty() && FindProfile(files_.config, section) == nullptr) {
      return Fail(ErrorCode::kUsage, "profile '" + name + "': there is no [sso-session " + session +
                                         "] in " + files_.config_path);
    }
    SsoRequest request;
    request.session = session.empty() ? Value(name, "sso_start_url") : session;
    request.region = Value(section, "sso_region");
    request.account_id = Value(name, "sso_account_id");
    request.role_name = Value(name, "sso_role_name");
    request.cache_directory = ExpandHome("~/.aws/sso/cache", environment_);
    request.portal_url = Get(environment_, "AWS_ENDPOINT_URL_SSO");
    request.profile = name;
    KT_ASSIGN(const auto http, Open(false));
    return FromSso(*http, request, outside_.clock->Now());
  }

  Result<Found> Assume(const std::string& name, const sigv4::Credentials& caller,
                       const RoleRequest& request) {
    std::string region = config_.region;
    if (region.empty()) region = Value(name, "region");
    KT_ASSIGN(const auto http, Open(false));
    return AssumeRole(*http, config_.Site("sts", region, environment_), caller, request,
                      outside_.clock->Now());
  }

  std::string SessionName(const std::string& given) const {
    if (!given.empty()) return given;
    return "keyturn-" + std::to_string(ToEpochMillis(outside_.clock->Now()) / 1000);
  }

  const Files& files_;
  const Environment& environment_;
  const Outside& outside_;
  const Config& config_;
  std::set<std::string> visited_;
};

bool IsTrue(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

// ReadServices fills in the endpoints of the services section that the profile names.
Status ReadServices(const Files& files, const std::string& name, Config& config) {
  for (const ProfileMap* profiles : {&files.credentials, &files.config}) {
    const Profile* profile = FindProfile(*profiles, name);
    const std::string services(profile == nullptr ? "" : profile->Find("services"));
    if (services.empty()) continue;
    const Profile* section = FindProfile(files.config, ServicesName(services));
    if (section == nullptr) {
      return Fail(ErrorCode::kUsage, "profile '" + name + "': there is no [services " + services +
                                         "] in " + files.config_path);
    }
    for (const char* service : {"kms", "sts", "ec2", "organizations"}) {
      std::string& url = config.service_endpoints[service];
      if (url.empty()) url = section->Find(std::string(service) + ".endpoint_url");
    }
  }
  return {};
}

// SettingsFromFiles fills what the environment left open.
void SettingsFromFiles(const Files& files, const std::string& name, bool endpoints,
                       Config& config) {
  if (config.endpoint_url.empty() && endpoints) {
    config.endpoint_url = config.service_endpoints["kms"];
  }
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

// VariantOf: the environment beats the files; "false" there turns off what they ask for.
EndpointVariant VariantOf(const Files& files, const std::string& name,
                          const Environment& environment) {
  const auto is_on = [&](std::string_view variable, std::string_view key) {
    std::string value = Get(environment, variable);
    for (const ProfileMap* profiles : {&files.credentials, &files.config}) {
      const Profile* profile = FindProfile(*profiles, name);
      if (value.empty() && profile != nullptr) value = profile->Find(key);
    }
    return IsTrue(value);
  };
  return {is_on("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
          is_on("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")};
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

ServiceSite Config::Site(std::string_view service, std::string_view in_region,
                         const Environment& environment) const {
  std::string variable = "AWS_ENDPOINT_URL_";
  for (const char c : service) {
    variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  ServiceSite site;
  if (!IsTrue(Get(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))) {
    site.endpoint_url = FirstSet(environment, {variable, "AWS_ENDPOINT_URL"});
  }
  const auto configured = service_endpoints.find(service);
  if (site.endpoint_url.empty() && configured != service_endpoints.end()) {
    site.endpoint_url = configured->second;
  }
  if (service == "sts" && !sts_endpoint_url.empty()) site.endpoint_url = sts_endpoint_url;
  site.region = !in_region.empty() ? in_region : std::string_view(region);
  if (site.region.empty()) site.region = "us-east-1";
  site.variant = variant;
  site.ca_bundle_file = ca_bundle_file;
  return site;
}

Result<Config> LoadConfig(const ConfigFlags& flags, const Environment& environment,
                          const Outside& outside) {
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
  const bool endpoints = !IsTrue(Get(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"));
  config.region = FirstSet(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  config.endpoint_url = flags.endpoint_url;
  if (config.endpoint_url.empty() && endpoints && !flags.only_endpoint_url) {
    config.endpoint_url = FirstSet(environment, {"AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"});
  }
  config.sts_endpoint_url = flags.sts_endpoint_url;
  config.ca_bundle_file = flags.ca_bundle_file;
  if (config.ca_bundle_file.empty()) {
    config.ca_bundle_file = FirstSet(environment, {"AWS_CA_BUNDLE"});
  }
  if (endpoints) KT_TRY(ReadServices(files, name, config));
  SettingsFromFiles(files, name, endpoints && !flags.only_endpoint_url, config);
  config.variant = VariantOf(files, name, environment);
  if (!config.endpoint_url.empty() && (config.variant.fips || config.variant.dualstack)) {
    return Fail(ErrorCode::kUsage,
                std::string(config.variant.fips ? "AWS_USE_FIPS_ENDPOINT (use_fips_endpoint)"
                                                : "AWS_USE_DUALSTACK_ENDPOINT "
                                                  "(use_dualstack_endpoint)") +
                    " goes with AWS's own endpoints only, and the endpoint is " +
                    config.endpoint_url);
  }
  if (config.ca_bundle_file.empty()) {
    config.ca_bundle_file = FirstSet(environment, {"REQUESTS_CA_BUNDLE"});
  }
  Chain chain(files, environment, outside, config);
  KT_ASSIGN(FoundCredentials found, chain.Find(flags, name));
  if (!flags.role_arn.empty()) {
    KT_ASSIGN(found, chain.TakeOn(flags, name, found.credentials));
  }
  config.credentials = std::move(found.credentials);
  config.credentials_source = std::move(found.source);
  config.expires = found.expires;
  return config;
}

CredentialKeeper::CredentialKeeper(ConfigFlags flags, Environment environment, Outside outside,
                                   Config& config)
    : flags_(std::move(flags)),
      environment_(std::move(environment)),
      outside_(std::move(outside)),
      config_(config) {}

void CredentialKeeper::Renew() {
  constexpr std::chrono::minutes kAhead{15};
  constexpr std::chrono::minutes kPause{1};
  if (!config_.expires) return;
  const TimePoint now = outside_.clock->Now();
  if (now < *config_.expires - kAhead || now < next_try_) return;
  next_try_ = now + kPause;
  auto fresh = LoadConfig(flags_, environment_, outside_);
  if (!fresh) {
    error_ = std::move(fresh).error();
    return;
  }
  error_.reset();
  config_.credentials = std::move(fresh->credentials);
  config_.expires = fresh->expires;
}

}  // namespace keyturn::client
