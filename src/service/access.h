// Access: which key an identifier means, and whether the caller may act on it.
//
// Thread-safety: free functions over a View.
// Source: KMS Developer Guide, "Key identifiers" and "Troubleshooting key access"; recorded
// answers.
#pragma once

#include <string_view>

#include "base/error.h"
#include "service/call.h"

namespace keyturn::service {

// ResolveKey finds the key that identifier (key id, key ARN, and with aliases_allowed alias name or
// alias ARN) means for the caller. NotFoundException and InvalidArnException with AWS's texts;
// AccessDeniedException for a key of another account that does not exist, so that nobody learns
// which do.
Result<Target> ResolveKey(const Call& call, std::string_view identifier, bool aliases_allowed,
                          std::string_view action, bool cross_account);

// AuthorizeKey: key policy and the caller's policies on the key's ARN.
Status AuthorizeKey(const Call& call, std::string_view action, const KeyEntry& entry);
// The same for a key that the request may have named by an alias (kms:RequestAlias).
Status AuthorizeKey(const Call& call, std::string_view action, const Target& target);
// AuthorizeResource: identity policies only, on "*" or an alias ARN.
Status AuthorizeResource(const Call& call, std::string_view action, std::string_view resource);
// The same for what would happen in another Region than the call's: a replica's.
Status AuthorizeResource(const Call& call, std::string_view action, std::string_view resource,
                         model::Region region);

// CheckAliasName: the fixed texts for a missing prefix, reserved names and characters.
Status CheckAliasName(std::string_view name);

// HiddenKey is the AccessDeniedException for a key that the caller must not learn about.
Error HiddenKey(const Call& call, std::string_view action);

}  // namespace keyturn::service
