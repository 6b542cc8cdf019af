#include "control/targets_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "client/endpoint.h"
#include "control/files.h"
#include "model/ids.h"

namespace keyturn::control {
namespace {

constexpr std::size_t kBytesMax = 4 << 20;
constexpr std::size_t kAccountsMax = 100'000;
constexpr int kVersion = 1;

class Reader {
 public:
  explicit Reader(std::string_view place) : place_(place) {}

  Status File(const YAML::Node& root, std::vector<FleetEntry>& out) const {
    if (!root.IsMap()) return Wrong(root, "must be a map with 'version' and 'targets'");
    KT_TRY(OnlyFields(root, {"version", "targets"}));
    std::string version;
    KT_TRY(Text(root, "version", version));
    if (version.empty()) return Wrong(root, "'version' is missing");
    if (version != std::to_string(kVersion)) {
      return Wrong(root["version"], "version must be " + std::to_string(kVersion));
    }
    const YAML::Node list = root["targets"];
    if (!list) return Wrong(root, "'targets' is missing");
    if (!list.IsSequence() || list.size() == 0) {
      return Wrong(list, "'targets' must be a list with at least one entry");
    }
    for (const YAML::Node& node : list) {
      FleetEntry entry;
      KT_TRY(Entry(node, entry));
      out.push_back(std::move(entry));
    }
    return {};
  }

  Status WrongAt(int line, const std::string& what) const {
    return Fail(ErrorCode::kUsage, PlaceOf(line) + ": " + what);
  }

 private:
  std::string PlaceOf(int line) const {
    return std::string(place_) + ":" + std::to_string(std::max(0, line) + 1);
  }

  Status Wrong(const YAML::Node& node, const std::string& what) const {
    return WrongAt(node.Mark().line, what);
  }

  Status OnlyFields(const YAML::Node& map, std::initializer_list<std::string_view> known) const {
    std::set<std::string> seen;
    for (const auto& member : map) {
      if (!member.first.IsScalar()) return Wrong(member.first, "a field's name must be a text");
      const std::string& name = member.first.Scalar();
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return Wrong(member.first, "unknown field '" + name + "'");
      }
      if (!seen.insert(name).second) {
        return Wrong(member.first, "field '" + name + "' appears twice");
      }
    }
    return {};
  }

  // Text reads a field that may be missing and must not be blank.
  Status Text(const YAML::Node& map, const char* name, std::string& out) const {
    const YAML::Node node = map[name];
    if (!node) return {};
    if (!node.IsScalar()) return Wrong(node, std::string("'") + name + "' must be a text");
    out = node.Scalar();
    if (out.find_first_not_of(" \t\r\n") == std::string::npos) {
      return Wrong(node, std::string("'") + name + "' is empty");
    }
    return {};
  }

  // Texts reads a list of texts; each must be good and there once.
  Status Texts(const YAML::Node& list, const char* name, bool (*good)(std::string_view),
               const char* what, std::vector<std::string>& out) const {
    if (!list.IsSequence() || list.size() == 0 || list.size() > kAccountsMax) {
      return Wrong(list, std::string("'") + name + "' must be a list");
    }
    std::set<std::string> seen;
    for (const YAML::Node& node : list) {
      if (!node.IsScalar() || !good(node.Scalar())) {
        return Wrong(node, std::string("an entry of '") + name + "' must be " + what);
      }
      if (!seen.insert(node.Scalar()).second) {
        return Wrong(node, "'" + node.Scalar() + "' appears twice in '" + name + "'");
      }
      out.push_back(node.Scalar());
    }
    return {};
  }

  Status Entry(const YAML::Node& node, FleetEntry& entry) const {
    if (!node.IsMap()) return Wrong(node, "a target must be a map");
    KT_TRY(OnlyFields(
        node, {"endpoint_url", "ca_bundle", "profile", "role_arn", "external_id", "variables",
               "accounts", "organization", "role_name", "role_external_id", "regions"}));
    entry.place = PlaceOf(node.Mark().line);
    client::ConfigFlags& flags = entry.flags;
    flags.only_endpoint_url = true;
    KT_TRY(Text(node, "endpoint_url", flags.endpoint_url));
    if (!flags.endpoint_url.empty() && !client::Endpoint::Parse(flags.endpoint_url)) {
      return Wrong(node["endpoint_url"], "'endpoint_url' must be http(s)://HOST[:PORT]");
    }
    if (!client::IsAwsEndpoint(flags.endpoint_url)) flags.sts_endpoint_url = flags.endpoint_url;
    KT_TRY(Text(node, "ca_bundle", flags.ca_bundle_file));
    KT_TRY(Text(node, "profile", flags.profile));
    KT_TRY(Text(node, "role_arn", flags.role_arn));
    KT_TRY(Text(node, "external_id", flags.external_id));
    if (!flags.external_id.empty() && flags.role_arn.empty()) {
      return Wrong(node["external_id"], "'external_id' goes with 'role_arn'");
    }
    KT_TRY(Variables(node, flags));
    KT_TRY(Accounts(node, entry));
    return Regions(node, entry);
  }

  Status Variables(const YAML::Node& node, client::ConfigFlags& flags) const {
    const YAML::Node variables = node["variables"];
    if (!variables) return {};
    if (!flags.profile.empty()) return Wrong(variables, "give 'profile' or 'variables', not both");
    if (!variables.IsMap()) return Wrong(variables, "'variables' must be a map");
    KT_TRY(OnlyFields(variables, {"access_key_id", "secret_access_key", "session_token"}));
    KT_TRY(Text(variables, "access_key_id", flags.key_id_variable));
    KT_TRY(Text(variables, "secret_access_key", flags.secret_variable));
    KT_TRY(Text(variables, "session_token", flags.token_variable));
    if (flags.key_id_variable.empty() || flags.secret_variable.empty()) {
      return Wrong(variables,
                   "'variables' must name the variables of access_key_id and secret_access_key");
    }
    return {};
  }

  Status Accounts(const YAML::Node& node, FleetEntry& entry) const {
    KT_TRY(Text(node, "role_name", entry.role_name));
    if (!entry.role_name.empty() && !IsRoleName(entry.role_name)) {
      return Wrong(node["role_name"], "'role_name' is not the name of a role");
    }
    KT_TRY(Text(node, "role_external_id", entry.role_external_id));
    if (!entry.role_external_id.empty() && entry.role_name.empty()) {
      return Wrong(node["role_external_id"], "'role_external_id' goes with 'role_name'");
    }
    if (const YAML::Node organization = node["organization"]) {
      std::string value;
      KT_TRY(Text(node, "organization", value));
      if (value != "true" && value != "false") {
        return Wrong(organization, "'organization' must be true or false");
      }
      entry.organization = value == "true";
    }
    if (const YAML::Node accounts = node["accounts"]) {
      if (entry.organization) {
        return Wrong(accounts, "give 'accounts' or 'organization', not both");
      }
      KT_TRY(Texts(accounts, "accounts", IsAccountId, "12 digits, in quotes", entry.accounts));
    }
    if (entry.role_name.empty() && (entry.organization || entry.accounts.size() > 1)) {
      return Wrong(node, "several accounts need 'role_name', the role to take on in each");
    }
    return {};
  }

  Status Regions(const YAML::Node& node, FleetEntry& entry) const {
    const YAML::Node regions = node["regions"];
    if (!regions) return {};
    if (regions.IsScalar() && regions.Scalar() == kAllRegions) {
      entry.regions = {std::string(kAllRegions)};
      return {};
    }
    if (!regions.IsSequence()) return Wrong(regions, "'regions' must be 'all' or a list");
    const auto good = [](std::string_view text) {
      return IsRegionName(text) && text != kAllRegions;
    };
    return Texts(regions, "regions", good, "the name of a region", entry.regions);
  }

  const std::string_view place_;
};

}  // namespace

bool IsAccountId(std::string_view text) { return model::AccountId::Parse(text).has_value(); }

bool IsRoleName(std::string_view text) {
  constexpr std::size_t kLongest = 512 + 64;  // path and name
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+=,.@-/").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongest && text.front() != '/' && text.back() != '/' &&
         std::all_of(text.begin(), text.end(), good);
}

bool IsRegionName(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

Result<std::vector<FleetEntry>> ParseTargetsFile(std::string_view text, std::string_view place) {
  const Reader reader(place);
  if (text.size() > kBytesMax) return Fail(reader.WrongAt(0, "the file is too large").error());
  std::vector<FleetEntry> entries;
  // yaml-cpp throws at what it cannot read.
  try {
    KT_TRY(reader.File(YAML::Load(std::string(text)), entries));
  } catch (const YAML::Exception& e) {
    return Fail(reader.WrongAt(e.mark.line, e.msg).error());
  } catch (const std::exception& e) {
    return Fail(reader.WrongAt(0, e.what()).error());
  }
  return entries;
}

Result<std::vector<FleetEntry>> ReadTargetsFile(const std::string& path) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kBytesMax));
  return ParseTargetsFile(text, path);
}

}  // namespace keyturn::control
