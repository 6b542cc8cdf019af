// Targets file: endpoints, accounts, regions and credentials of a fleet, as YAML.
// docs/formats/targets.md has the format. Secrets are never in it: credentials are profiles, roles
// or the names of variables.
//
// Thread-safety: pure functions, but for ReadTargetsFile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/fleet.h"

namespace keyturn::control {

// ParseTargetsFile: kUsage with place and line for what does not parse, has fields that are not
// known, misses one, or contradicts itself. Each entry's place is "<place>:<line>".
Result<std::vector<FleetEntry>> ParseTargetsFile(std::string_view text, std::string_view place);
Result<std::vector<FleetEntry>> ReadTargetsFile(const std::string& path);

// IsAccountId: 12 digits. IsRoleName: as IAM allows, with a path before it. IsRegionName is wider
// than AWS's names: other endpoints have their own.
bool IsAccountId(std::string_view text);
bool IsRoleName(std::string_view text);
bool IsRegionName(std::string_view text);

}  // namespace keyturn::control
