// Files of the data directory: written whole, 0600, synced, never half.
#pragma once

#include <cstdint>
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
// CopyNewFile copies what a file has now to a new file, not synced; returns its bytes. kNotFound,
// kConflict.
Result<std::uint64_t> CopyNewFile(const std::filesystem::path& from,
                                  const std::filesystem::path& to);
// PublishDirectory syncs all that is in a directory and gives it another name, which must be free
// (kConflict), synced.
Status PublishDirectory(const std::filesystem::path& directory, const std::filesystem::path& name);
// ReadSmallFile reads at most 64 KiB; kNotFound, kIo.
Result<SecretBytes> ReadSmallFile(const std::filesystem::path& path);

}  // namespace keyturn::service
