// Files of the data directory: written whole, 0600, synced, never half.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::service {

// WriteNewFile creates path (kConflict if it exists), writes, syncs file and directory.
Status WriteNewFile(const std::filesystem::path& path, std::string_view text);
// ReplaceFile writes beside path and renames over it, synced.
Status ReplaceFile(const std::filesystem::path& path, std::string_view text);
// ReadSmallFile reads at most 64 KiB; kNotFound, kIo.
Result<SecretBytes> ReadSmallFile(const std::filesystem::path& path);

}  // namespace keyturn::service
