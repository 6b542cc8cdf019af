// SaveUsage: the last uses of keys, from memory to the store.
//
// Thread-safety: one caller at a time. It waits for the writer.
// Errors: the store's, when a commit has failed. What that commit had, and everything after it, is
// unsaved still, for the next call; no use that was noted meanwhile is lost or replaced by an older
// one.
#pragma once

#include "base/error.h"
#include "service/tables.h"
#include "service/writer.h"

namespace keyturn::service {

// Last uses that share a commit.
inline constexpr std::size_t kUsageRowsMax = 1000;

Status SaveUsage(Tables& tables, Writer& writer, std::size_t rows_max = kUsageRowsMax);

}  // namespace keyturn::service
