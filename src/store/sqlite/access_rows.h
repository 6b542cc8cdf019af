// AccessRows: the rows of users, groups, roles, identity providers and grants, both ways.
// Contracts of the parts as in writer.h and loader.h.
#pragma once

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace keyturn::store {

// ApplyPrincipals leaves a deleted user's access keys to the caller.
Status ApplyPrincipals(Database& database, const Change& change);
Status ApplyGrants(Database& database, const Change& change);

Status LoadPrincipals(Database& database, const Visitors& visitors);
Status LoadGrants(Database& database, const Visitors& visitors);

}  // namespace keyturn::store
