// ProfileFile: one of AWS's two shared configuration files, parsed.
//
// Thread-safety: values. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials
// files"; the parser that AWS's tools use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::client {

// ProfileFileKind: in the config file a profile's section is [profile x] (or [default]), in the
// credentials file [x].
enum class ProfileFileKind { kConfig, kCredentials };

struct Profile {
  std::map<std::string, std::string, std::less<>> values;  // names in lower case
  // Find returns the value, or empty.
  std::string_view Find(std::string_view lower_name) const;
};

// SsoSessionName: where the map has a section of IAM Identity Center; no profile has such a name.
std::string SsoSessionName(std::string_view session);

// ServicesName: the same for a section of services' endpoints. Its values are named after their
// service: "kms.endpoint_url".
std::string ServicesName(std::string_view services);

using ProfileMap = std::map<std::string, Profile, std::less<>>;

// ParseProfileFile reads sections with "name = value" or "name: value"; '#' and ';' begin comment
// lines; " #" and " ;" begin a comment behind the value of a name that is no secret; an indented
// block below a name is that name's map and is kept out, but in services sections. A section or
// name that appears twice is an error, except that [default] and [profile default] of the config
// file are one name, of which the last wins. Sections of kinds that are not known here are checked
// and left out. kUsage with place and line on anything else. Values never appear in a message.
Result<ProfileMap> ParseProfileFile(std::string_view text, ProfileFileKind kind,
                                    std::string_view place);

}  // namespace keyturn::client
