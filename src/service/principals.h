// Principals: users, groups and roles with their policies compiled, and their identifiers.
// Source: IAM User Guide, "IAM identifiers" (AIDA..., AGPA..., AROA...).
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "service/entities.h"

namespace keyturn::service {

// NewPrincipalId: prefix ("AIDA", "AGPA", "AROA") and 17 characters.
std::string NewPrincipalId(std::string_view prefix, RandomSource& random);
// RandomBase32 appends count (at most 32) characters of A-Z2-7.
void RandomBase32(RandomSource& random, std::size_t count, std::string& out);

// Make* compile the policies of a row: kMalformedPolicyDocumentException and the like when one does
// not compile.
Result<UserPtr> MakeUser(store::UserRow row);
Result<GroupPtr> MakeGroup(store::GroupRow row);
Result<RolePtr> MakeRole(store::RoleRow row);

// CheckPrincipalName: kValidationException unless name has 1 to 64 letters, digits and +=,.@_-.
Status CheckPrincipalName(std::string_view what, std::string_view name);
// CheckRolePath: "/" or "/division/team/".
Status CheckRolePath(std::string_view path);

}  // namespace keyturn::service
