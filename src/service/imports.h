// Imports: imported key material in the tables. What is decided here stands in keys/imports.h.
#pragma once

#include "keys/imports.h"
#include "service/call.h"

namespace keyturn::service {

// TakeImport stages what an import decided: bytes, sealed, as the material of decision; for a new
// one of a multi-Region primary also its entry in each replica's list, without bytes.
void TakeImport(Txn& txn, const Environment& environment, const KeyEntry& entry,
                const keys::ImportDecision& decision, ByteView bytes, TimePoint now);

// DeleteImport stages what a deletion decided.
void DeleteImport(Txn& txn, const KeyEntry& entry, const keys::DeleteDecision& decision);

// ExpireImports stages the end of every material of entry that has expired at now, with its event;
// returns how many.
std::size_t ExpireImports(Txn& txn, const Environment& environment, const KeyEntry& entry,
                          TimePoint now);

}  // namespace keyturn::service
