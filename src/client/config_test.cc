// Credentials, profiles and endpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "client/credentials.h"
#include "client/endpoint.h"
#include "client/profile_file.h"
#include "client/scripted_http.h"

namespace keyturn::client {
namespace {

using testing::HasSubstr;
using testing::Not;

ConfigFlags As(const std::string& profile) {
  ConfigFlags flags;
  flags.profile = profile;
  return flags;
}

ConfigFlags At(const std::string& endpoint_url) {
  ConfigFlags flags;
  flags.endpoint_url = endpoint_url;
  return flags;
}

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string name = testing::TempDir() + "keyturn-config-XXXXXX";
    directory_ = mkdtemp(name.data());
    Set("AWS_SHARED_CREDENTIALS_FILE", directory_ + "/credentials");
    Set("AWS_CONFIG_FILE", directory_ + "/config");
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  void Set(const std::string& name, const std::string& value) { variables_[name] = value; }
  void Credentials(const std::string& text) { Write("credentials", text); }
  void ConfigFile(const std::string& text) { Write("config", text); }
  Result<Config> Load(const ConfigFlags& flags = {}) {
    return LoadConfig(flags, Variables(), Services());
  }
  Environment Variables() {
    return [this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables_.find(std::string(name));
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
  }
  // Services answers what the sources ask; nobody, unless a test sets reply.
  Outside Services() {
    return {.open_http = [this](const std::string&, bool) -> Result<std::unique_ptr<http::Client>> {
              return std::make_unique<ScriptedHttp>(clock, reply);
            },
            .clock = &clock};
  }
  ManualClock clock{*ParseIso8601("2026-11-24T12:00:00Z")};
  ScriptedHttp::Reply reply = [](const http::ClientRequest&) -> Result<http::ClientResponse> {
    return Fail(ErrorCode::kNetwork, "nobody is there");
  };
  std::string LoadError(const ConfigFlags& flags = {}) {
    const auto config = Load(flags);
    EXPECT_FALSE(config.has_value());
    if (config) return {};
    EXPECT_EQ(config.error().code, ErrorCode::kUsage);
    return config.error().message;
  }
  static std::string Secret(const Config& config) {
    return std::string(AsText(config.credentials.secret_access_key.reveal()));
  }

 private:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
  }
  std::string directory_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ConfigTest, VariablesComeFirst) {
  Set("AWS_ACCESS_KEY_ID", "AKIDENV");
  Set("AWS_SECRET_ACCESS_KEY", "env secret");
  Set("AWS_SESSION_TOKEN", "token");
  Credentials("[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=file\n");
  const auto config = Load();
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->credentials.access_key_id, "AKIDENV");
  EXPECT_EQ(Secret(*config), "env secret");
  EXPECT_EQ(config->credentials.session_token, "token");
  EXPECT_EQ(config->credentials_source, "environment variables");
}

TEST_F(ConfigTest, TheProfileFlagBeatsVariables) {
  Set("AWS_ACCESS_KEY_ID", "AKIDENV");
  Set("AWS_SECRET_ACCESS_KEY", "env");
  Credentials("[audit]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file\n");
  const auto config = Load(As("audit"));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->credentials.access_key_id, "AKIDFILE");
  EXPECT_THAT(config->credentials_source, HasSubstr("profile 'audit' in "));
}

TEST_F(ConfigTest, VariablesOfOtherNamesAreTheOnlySource) {
  Set("AWS_ACCESS_KEY_ID", "AKIDENV");
  Set("AWS_SECRET_ACCESS_KEY", "env");
  ConfigFlags flags;
  flags.key_id_variable = "BERLIN_ID";
  flags.secret_variable = "BERLIN_SECRET";
  EXPECT_EQ(LoadError(flags), "the variable BERLIN_ID is not set");
  Set("BERLIN_ID", "AKIDBERLIN");
  EXPECT_EQ(LoadError(flags), "the variable BERLIN_SECRET is not set");
  Set("BERLIN_SECRET", "berlin");
  ASSERT_TRUE(Load(flags).has_value());
  EXPECT_EQ(Load(flags)->credentials.access_key_id, "AKIDBERLIN");
  EXPECT_EQ(Secret(*Load(flags)), "berlin");
  flags.token_variable = "BERLIN_TOKEN";
  EXPECT_EQ(LoadError(flags), "the variable BERLIN_TOKEN is not set");
}

TEST_F(ConfigTest, AnEndpointThatIsMeantBeatsTheEnvironment) {
  Set("AWS_ACCESS_KEY_ID", "AKID");
  Set("AWS_SECRET_ACCESS_KEY", "s");
  Set("AWS_ENDPOINT_URL_KMS", "http://other:1");
  ConfigFlags flags;
  EXPECT_EQ(Load(flags)->endpoint_url, "http://other:1");
  flags.only_endpoint_url = true;
  EXPECT_EQ(Load(flags)->endpoint_url, "");
}

TEST_F(ConfigTest, FipsAndDualStackComeFromEnvironmentAndProfile) {
  Set("AWS_ACCESS_KEY_ID", "AKID");
  Set("AWS_SECRET_ACCESS_KEY", "s");
  EXPECT_FALSE(Load()->variant.fips);
  ConfigFile("[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n");
  EXPECT_TRUE(Load()->variant.fips);
  EXPECT_TRUE(Load()->variant.dualstack);
  Set("AWS_USE_FIPS_ENDPOINT", "false");
  EXPECT_FALSE(Load()->variant.fips) << "the environment beats the file";
  EXPECT_THAT(LoadError(At("http://k:1")), HasSubstr("AWS_USE_DUALSTACK_ENDPOINT"));
  Set("AWS_USE_FIPS_ENDPOINT", "true");
  EXPECT_THAT(LoadError(At("http://k:1")), HasSubstr("AWS_USE_FIPS_ENDPOINT"));
}

TEST_F(ConfigTest, OtherServicesAreWhereTheEnvironmentSays) {
  Set("AWS_ACCESS_KEY_ID", "AKID");
  Set("AWS_SECRET_ACCESS_KEY", "s");
  Set("AWS_REGION", "eu-west-1");
  auto config = Load();
  EXPECT_EQ(config->Site("ec2", {}, Variables()).endpoint_url, "");
  EXPECT_EQ(config->Site("ec2", {}, Variables()).region, "eu-west-1");
  Set("AWS_ENDPOINT_URL_ORGANIZATIONS", "http://o:1");
  EXPECT_EQ(config->Site("organizations", "us-east-1", Variables()).endpoint_url, "http://o:1");
  EXPECT_EQ(config->Site("organizations", "us-east-1", Variables()).region, "us-east-1");
  EXPECT_EQ(config->Site("sts", {}, Variables()).endpoint_url, "");
  ConfigFlags flags;
  flags.sts_endpoint_url = "https://kms.internal";
  EXPECT_EQ(Load(flags)->Site("sts", {}, Variables()).endpoint_url, "https://kms.internal");
}

TEST_F(ConfigTest, AServicesSectionComesBeforeTheProfilesOwnEndpoint) {
  Credentials("[p]\naws_access_key_id=A\naws_secret_access_key=B\n");
  ConfigFile(
      "[profile p]\nendpoint_url = http://all:1\nservices = svc\n"
      "[services svc]\nkms =\n  endpoint_url = http://kms:1 # ours\nsts =\n"
      "  endpoint_url = http://sts:1\ns3 =\n  endpoint_url = http://s3:1\n");
  EXPECT_EQ(Load(As("p"))->endpoint_url, "http://kms:1");
  EXPECT_EQ(Load(As("p"))->Site("sts", {}, Variables()).endpoint_url, "http://sts:1");
  EXPECT_EQ(Load(As("p"))->Site("ec2", {}, Variables()).endpoint_url, "");
  Set("AWS_ENDPOINT_URL", "http://variable:1");
  EXPECT_EQ(Load(As("p"))->endpoint_url, "http://variable:1");
  EXPECT_EQ(Load(As("p"))->Site("sts", {}, Variables()).endpoint_url, "http://variable:1");
  Set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(Load(As("p"))->endpoint_url, "");
  EXPECT_EQ(Load(As("p"))->Site("sts", {}, Variables()).endpoint_url, "");
}

TEST_F(ConfigTest, AServicesSectionThatIsNotThereIsAnError) {
  Credentials("[p]\naws_access_key_id=A\naws_secret_access_key=B\n");
  ConfigFile("[profile p]\nservices = svc\n");
  EXPECT_THAT(LoadError(As("p")), HasSubstr("there is no [services svc]"));
}

TEST_F(ConfigTest, AKeyWithoutItsSecretIsAnErrorAndNoFallThrough) {
  Credentials("[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=file\n");
  Set("AWS_ACCESS_KEY_ID", "AKIDENV");
  EXPECT_THAT(LoadError(), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
  Set("AWS_ACCESS_KEY_ID", "");
  Set("AWS_SECRET_ACCESS_KEY", "very secret");
  const std::string error = LoadError();
  EXPECT_THAT(error, HasSubstr("AWS_ACCESS_KEY_ID is not"));
  EXPECT_THAT(error, Not(HasSubstr("very secret")));
}

TEST_F(ConfigTest, ThatHoldsForProfilesToo) {
  Credentials("[default]\naws_secret_access_key = very secret\n");
  const std::string error = LoadError();
  EXPECT_THAT(error, HasSubstr("aws_secret_access_key without aws_access_key_id"));
  EXPECT_THAT(error, Not(HasSubstr("very secret")));
}

TEST_F(ConfigTest, ANamedProfileMustExist) {
  Credentials("[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
  EXPECT_THAT(LoadError(As("prod")), HasSubstr("there is no profile 'prod'"));
  Set("AWS_PROFILE", "other");
  EXPECT_THAT(LoadError(), HasSubstr("there is no profile 'other'"));
}

TEST_F(ConfigTest, StaticKeysInTheConfigFileCount) {
  ConfigFile("[profile x]\naws_access_key_id: A\nAWS_SECRET_ACCESS_KEY: B # not a comment\n");
  Set("AWS_PROFILE", "x");
  const auto config = Load();
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(Secret(*config), "B # not a comment");
}

TEST_F(ConfigTest, WhatNeedsAPersonIsNamedWithTheWayRound) {
  const std::map<std::string, std::string> profiles = {
      {"role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = p\nmfa_serial = m\n", "MFA"},
      {"login_session = arn:aws:iam::111122223333:user/x\n", "login_session"},
  };
  for (const auto& [text, name] : profiles) {
    ConfigFile("[profile p]\n" + text);
    const std::string error = LoadError(As("p"));
    EXPECT_THAT(error, HasSubstr(name));
    EXPECT_THAT(error, HasSubstr("aws configure export-credentials --format env"));
  }
}

TEST_F(ConfigTest, CredentialsOfAnInstanceAreRenewedBeforeTheyExpire) {
  int given = 0;
  bool there = true;
  reply = [&](const http::ClientRequest& request) -> Result<http::ClientResponse> {
    if (!there) return Fail(ErrorCode::kNetwork, "gone");
    if (request.method == "PUT") return http::ClientResponse{200, {}, "session"};
    if (request.url.ends_with("/")) return http::ClientResponse{200, {}, "role"};
    ++given;
    return http::ClientResponse{200,
                                {},
                                R"({"AccessKeyId":"A)" + std::to_string(given) +
                                    R"(","SecretAccessKey":"s","Token":"t","Expiration":")" +
                                    FormatIso8601(clock.Now() + std::chrono::hours(1)) + "\"}"};
  };
  auto config = Load();
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->credentials_source, "the instance's role role");
  CredentialKeeper keeper({}, Variables(), Services(), *config);
  clock.Advance(std::chrono::minutes(44));
  keeper.Renew();
  EXPECT_EQ(config->credentials.access_key_id, "A1") << "more than fifteen minutes are left";
  clock.Advance(std::chrono::minutes(2));
  there = false;
  keeper.Renew();
  EXPECT_EQ(config->credentials.access_key_id, "A1") << "what still holds is kept";
  ASSERT_TRUE(keeper.error().has_value());
  there = true;
  keeper.Renew();
  EXPECT_EQ(config->credentials.access_key_id, "A1") << "not again within a minute";
  clock.Advance(std::chrono::minutes(1));
  keeper.Renew();
  EXPECT_EQ(config->credentials.access_key_id, "A2");
  EXPECT_FALSE(keeper.error().has_value());
  EXPECT_GT(config->expires, clock.Now() + std::chrono::minutes(59));
}

TEST(SplitCommandTest, WordsAreThoseOfAShell) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(*SplitCommand("  a  b\tc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(*SplitCommand(R"("a b" 'c "d"' e\ f "g\"h" '')"),
            (Words{"a b", "c \"d\"", "e f", "g\"h", ""}));
  EXPECT_EQ(*SplitCommand(R"(a'b'"c")"), (Words{"abc"}));
  for (const std::string_view wrong : {"", "  ", "'a", "\"a"}) {
    EXPECT_FALSE(SplitCommand(wrong).has_value()) << wrong;
  }
}

TEST_F(ConfigTest, ARoleIsNotSilentlyReplacedByTheKeysBesideIt) {
  Credentials("[p]\naws_access_key_id=A\naws_secret_access_key=B\n");
  ConfigFile("[profile p]\nrole_arn = arn:aws:iam::111122223333:role/x\n");
  EXPECT_THAT(LoadError(As("p")), HasSubstr("role_arn"));
}

TEST_F(ConfigTest, NoCredentialsAtAllSaysWhatToDo) {
  EXPECT_THAT(LoadError(), HasSubstr("no credentials"));
}

TEST_F(ConfigTest, RegionAndEndpointComeFromTheNearest) {
  Credentials("[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
  ConfigFile("[default]\nregion = eu-west-1 # home\nendpoint_url = http://profile:1\n");
  EXPECT_EQ(Load()->region, "eu-west-1");
  EXPECT_EQ(Load()->endpoint_url, "http://profile:1");
  Set("AWS_DEFAULT_REGION", "eu-west-2");
  Set("AWS_ENDPOINT_URL", "http://general:1");
  EXPECT_EQ(Load()->region, "eu-west-2");
  EXPECT_EQ(Load()->endpoint_url, "http://general:1");
  Set("AWS_REGION", "eu-west-3");
  Set("AWS_ENDPOINT_URL_KMS", "http://kms:1");
  EXPECT_EQ(Load()->region, "eu-west-3");
  EXPECT_EQ(Load()->endpoint_url, "http://kms:1");
  Set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(Load()->endpoint_url, "");
  EXPECT_EQ(Load(At("http://flag:1"))->endpoint_url, "http://flag:1");
}

TEST_F(ConfigTest, ABrokenFileIsNamedWithItsLine) {
  Credentials("[default]\naws_access_key_id=A\nnonsense\n");
  EXPECT_THAT(LoadError(), HasSubstr("/credentials:3: neither"));
}

// --- Profile files -------------------------------------------------------------------------------

ProfileMap Parse(std::string_view text, ProfileFileKind kind = ProfileFileKind::kConfig) {
  auto profiles = ParseProfileFile(text, kind, "file");
  EXPECT_TRUE(profiles.has_value()) << profiles.error().message;
  return profiles ? *std::move(profiles) : ProfileMap{};
}

std::string ParseError(std::string_view text) {
  const auto profiles = ParseProfileFile(text, ProfileFileKind::kConfig, "file");
  return profiles ? "" : profiles.error().message;
}

TEST(ProfileFileTest, SectionsAreProfilesByTheKindOfFile) {
  const auto config =
      Parse("[default]\na=1\n[profile \"two words\"]\na=2\n[sso-session s]\na=3\n[stray]\na=4\n");
  EXPECT_EQ(config.size(), 3U);
  EXPECT_EQ(config.at("two words").Find("a"), "2");
  EXPECT_EQ(config.at(SsoSessionName("s")).Find("a"), "3");
  const auto credentials = Parse("[default]\na=1\n[x]\na=2\n", ProfileFileKind::kCredentials);
  EXPECT_EQ(credentials.at("x").Find("a"), "2");
}

TEST(ProfileFileTest, NamesValuesAndComments) {
  const auto profiles = Parse(
      "# c\n; c\n\n[default]\r\nRegion = a-1 ; why\r\nurl=http://x:1/#top\n"
      "aws_secret_access_key = k #y\ns3 =\n  max = 10\n  role_arn = nested\nlast: v");
  const Profile& profile = profiles.at("default");
  EXPECT_EQ(profile.Find("region"), "a-1");
  EXPECT_EQ(profile.Find("url"), "http://x:1/#top");
  EXPECT_EQ(profile.Find("aws_secret_access_key"), "k #y");
  EXPECT_EQ(profile.Find("role_arn"), "") << "a nested map is not the profile";
  EXPECT_EQ(profile.Find("last"), "v");
}

TEST(ProfileFileTest, OfTheTwoNamesOfTheDefaultProfileTheLastWins) {
  EXPECT_EQ(Parse("[default]\na=1\nb=1\n[profile default]\na=2\n").at("default").Find("a"), "2");
  EXPECT_EQ(Parse("[default]\na=1\nb=1\n[profile default]\na=2\n").at("default").Find("b"), "");
}

TEST(ProfileFileTest, ErrorsNameTheLine) {
  EXPECT_THAT(ParseError("[default]\na=1\na=2\n"), HasSubstr("file:3: the name 'a' appears twice"));
  EXPECT_THAT(ParseError("[p]\n[p]\n"), HasSubstr("file:2: this section appears twice"));
  EXPECT_THAT(ParseError("a=1\n"), HasSubstr("file:1: a line before the first"));
  EXPECT_THAT(ParseError("[default\n"), HasSubstr("file:1: a section without ']'"));
  EXPECT_THAT(ParseError("[]\n"), HasSubstr("without a name"));
  EXPECT_THAT(ParseError("[a] b\n"), HasSubstr("text behind"));
  EXPECT_THAT(ParseError("[a]\n=b\n"), HasSubstr("without a name"));
  EXPECT_EQ(ParseError(""), "");
}

// --- Endpoints -----------------------------------------------------------------------------------

TEST(EndpointTest, AwsNamesByPartition) {
  EXPECT_EQ(Endpoint::Aws("us-east-1")->url, "https://kms.us-east-1.amazonaws.com/");
  EXPECT_EQ(Endpoint::Aws("cn-north-1")->host, "kms.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(Endpoint::Aws("us-gov-west-1")->host, "kms.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(Endpoint::Aws("eusc-de-east-1")->host, "kms.eusc-de-east-1.amazonaws.eu");
  EXPECT_FALSE(Endpoint::Aws("").has_value());
  EXPECT_FALSE(Endpoint::Aws("x.example.org/").has_value());
}

TEST(EndpointTest, FipsAndDualStackOfEveryPartition) {
  const auto host = [](const char* region, bool fips, bool dualstack, const char* service = "kms") {
    const auto endpoint = Endpoint::Aws(region, service, {fips, dualstack});
    return endpoint ? endpoint->host : endpoint.error().message;
  };
  EXPECT_EQ(host("us-east-1", true, false), "kms-fips.us-east-1.amazonaws.com");
  EXPECT_EQ(host("us-east-1", false, true), "kms.us-east-1.api.aws");
  EXPECT_EQ(host("us-gov-west-1", true, true), "kms-fips.us-gov-west-1.api.aws");
  EXPECT_EQ(host("cn-north-1", false, true), "kms.cn-north-1.api.amazonwebservices.com.cn");
  EXPECT_EQ(host("eusc-de-east-1", false, true), "kms.eusc-de-east-1.api.amazonwebservices.eu");
  EXPECT_EQ(host("us-iso-east-1", false, false), "kms.us-iso-east-1.c2s.ic.gov");
  EXPECT_EQ(host("us-isob-east-1", true, false), "kms-fips.us-isob-east-1.sc2s.sgov.gov");
  EXPECT_EQ(host("eu-isoe-west-1", false, false), "kms.eu-isoe-west-1.cloud.adc-e.uk");
  EXPECT_EQ(host("us-isof-south-1", false, true), "kms.us-isof-south-1.api.aws.hci.ic.gov");
  EXPECT_EQ(host("us-east-1", true, false, "sts"), "sts-fips.us-east-1.amazonaws.com");
  EXPECT_EQ(host("eu-west-1", false, false, "ec2"), "ec2.eu-west-1.amazonaws.com");
  for (const char* region : {"cn-northwest-1", "eusc-de-east-1"}) {
    EXPECT_THAT(host(region, true, false), HasSubstr("has no FIPS endpoints of KMS"));
  }
  EXPECT_EQ(GlobalRegion("aws"), "us-east-1");
  EXPECT_EQ(GlobalRegion("aws-cn"), "cn-northwest-1");
  EXPECT_EQ(GlobalRegion("aws-us-gov"), "us-gov-west-1");
  EXPECT_EQ(RegionsOf("aws-us-gov"), (std::vector<std::string>{"us-gov-east-1", "us-gov-west-1"}));
  EXPECT_GE(RegionsOf("aws").size(), 34U);
  EXPECT_TRUE(Endpoint::Parse("https://kms.us-iso-east-1.api.aws.ic.gov")->is_aws);
}

TEST(EndpointTest, TheHostIsWhatTheHostHeaderSays) {
  EXPECT_EQ(Endpoint::Parse("http://LocalHost:4566")->host, "localhost:4566");
  EXPECT_EQ(Endpoint::Parse("http://localhost:80")->host, "localhost");
  EXPECT_EQ(Endpoint::Parse("https://localhost:443/")->host, "localhost");
  EXPECT_EQ(Endpoint::Parse("https://localhost:80/kms")->url, "https://localhost:80/kms");
  EXPECT_EQ(Endpoint::Parse("http://[::1]:4566")->host, "[::1]:4566");
}

TEST(EndpointTest, AwsIsKnownByItsNames) {
  EXPECT_TRUE(Endpoint::Parse("https://kms.us-east-1.amazonaws.com")->is_aws);
  EXPECT_TRUE(Endpoint::Parse("https://kms.us-east-1.api.aws")->is_aws);
  EXPECT_TRUE(Endpoint::Parse("https://vpce-1.kms.us-east-1.vpce.amazonaws.com")->is_aws);
  EXPECT_FALSE(Endpoint::Parse("https://amazonaws.com.example.org")->is_aws);
  EXPECT_FALSE(Endpoint::Parse("https://notamazonaws.com")->is_aws);
  EXPECT_FALSE(Endpoint::Parse("http://127.0.0.1:4566")->is_aws);
}

TEST(EndpointTest, OtherThingsAreRefused) {
  for (const char* url : {"", "localhost:4566", "ftp://x", "http://", "http://user@host",
                          "http://x?y", "http://x#y", "http://x:0", "http://x:65536", "http://x:",
                          "http://a b", "http://[::1", "http://x\r\ny", "http:///path"}) {
    EXPECT_FALSE(Endpoint::Parse(url).has_value()) << url;
  }
}

}  // namespace
}  // namespace keyturn::client
