#include "control/targets_file.h"

#include <algorithm>

#include "client/endpoint.h"
#include "control/files.h"
#include "control/yaml_reader.h"
#include "model/ids.h"

namespace keyturn::control {
namespace {

constexpr std::size_t kTargetsBytesMax = 4 << 20;
constexpr int kTargetsVersion = 1;

class TargetsReader : private YamlReader {
 public:
  explicit TargetsReader(std::string_view place) : YamlReader(place) {}

  Result<std::vector<FleetEntry>> File(std::string_view text) const {
    KT_ASSIGN(const YamlNode root, Parse(text, {.bytes_max = kTargetsBytesMax}));
    KT_TRY(CheckHead(root, kTargetsVersion, {"version", "targets"}));
    const YamlNode* const list = root.Find("targets");
    if (list == nullptr) return Fail(Wrong(root, "'targets' is missing").error());
    if (!list->IsList() || list->items.empty()) {
      return Fail(Wrong(*list, "'targets' must be a list with at least one entry").error());
    }
    std::vector<FleetEntry> entries;
    for (const YamlNode& node : list->items) {
      FleetEntry entry;
      KT_TRY(Entry(node, entry));
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  Status Entry(const YamlNode& node, FleetEntry& entry) const {
    if (!node.IsMap()) return Wrong(node, "a target must be a map");
    KT_TRY(OnlyFields(
        node, {"endpoint_url", "ca_bundle", "profile", "role_arn", "external_id", "variables",
               "accounts", "organization", "role_name", "role_external_id", "regions"}));
    entry.place = PlaceOf(node);
    client::ConfigFlags& flags = entry.flags;
    flags.only_endpoint_url = true;
    KT_TRY(OptionalText(node, "endpoint_url", flags.endpoint_url));
    if (!flags.endpoint_url.empty() && !client::Endpoint::Parse(flags.endpoint_url)) {
      return Wrong(*node.Find("endpoint_url"), "'endpoint_url' must be http(s)://HOST[:PORT]");
    }
    if (!client::IsAwsEndpoint(flags.endpoint_url)) flags.sts_endpoint_url = flags.endpoint_url;
    KT_TRY(OptionalText(node, "ca_bundle", flags.ca_bundle_file));
    KT_TRY(OptionalText(node, "profile", flags.profile));
    KT_TRY(OptionalText(node, "role_arn", flags.role_arn));
    KT_TRY(OptionalText(node, "external_id", flags.external_id));
    if (!flags.external_id.empty() && flags.role_arn.empty()) {
      return Wrong(*node.Find("external_id"), "'external_id' goes with 'role_arn'");
    }
    KT_TRY(Variables(node, flags));
    KT_TRY(Accounts(node, entry));
    return Regions(node, entry);
  }

  Status Variables(const YamlNode& node, client::ConfigFlags& flags) const {
    const YamlNode* const variables = node.Find("variables");
    if (variables == nullptr) return {};
    if (!flags.profile.empty()) return Wrong(*variables, "give 'profile' or 'variables', not both");
    if (!variables->IsMap()) return Wrong(*variables, "'variables' must be a map");
    KT_TRY(OnlyFields(*variables, {"access_key_id", "secret_access_key", "session_token"}));
    KT_TRY(OptionalText(*variables, "access_key_id", flags.key_id_variable));
    KT_TRY(OptionalText(*variables, "secret_access_key", flags.secret_variable));
    KT_TRY(OptionalText(*variables, "session_token", flags.token_variable));
    if (flags.key_id_variable.empty() || flags.secret_variable.empty()) {
      return Wrong(*variables,
                   "'variables' must name the variables of access_key_id and secret_access_key");
    }
    return {};
  }

  Status Accounts(const YamlNode& node, FleetEntry& entry) const {
    KT_TRY(OptionalText(node, "role_name", entry.role_name));
    if (!entry.role_name.empty() && !IsRoleName(entry.role_name)) {
      return Wrong(*node.Find("role_name"), "'role_name' is not the name of a role");
    }
    KT_TRY(OptionalText(node, "role_external_id", entry.role_external_id));
    if (!entry.role_external_id.empty() && entry.role_name.empty()) {
      return Wrong(*node.Find("role_external_id"), "'role_external_id' goes with 'role_name'");
    }
    KT_TRY(OptionalBool(node, "organization", entry.organization));
    if (const YamlNode* const accounts = node.Find("accounts")) {
      if (entry.organization) {
        return Wrong(*accounts, "give 'accounts' or 'organization', not both");
      }
      KT_TRY(Texts(*accounts, "accounts", IsAccountId, "12 digits, in quotes", entry.accounts));
    }
    if (entry.role_name.empty() && (entry.organization || entry.accounts.size() > 1)) {
      return Wrong(node, "several accounts need 'role_name', the role to take on in each");
    }
    return {};
  }

  Status Regions(const YamlNode& node, FleetEntry& entry) const {
    const YamlNode* const regions = node.Find("regions");
    if (regions == nullptr) return {};
    if (regions->IsText() && regions->text == kAllRegions) {
      entry.regions = {std::string(kAllRegions)};
      return {};
    }
    if (!regions->IsList()) return Wrong(*regions, "'regions' must be 'all' or a list");
    const auto good = [](std::string_view text) {
      return IsRegionName(text) && text != kAllRegions;
    };
    return Texts(*regions, "regions", good, "the name of a region", entry.regions);
  }
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
  return TargetsReader(place).File(text);
}

Result<std::vector<FleetEntry>> ReadTargetsFile(const std::string& path) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kTargetsBytesMax));
  return ParseTargetsFile(text, path);
}

}  // namespace keyturn::control
