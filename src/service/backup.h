// Backup: a copy of a data directory, made beside the server that has it open, and proven.
//
// A backup is a data directory itself: with root.key in it, a server starts from it
// (docs/backup.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/secret.h"
#include "trail/trail.h"

namespace keyturn::service {

struct BackupOptions {
  std::filesystem::path directory;        // the data directory
  std::optional<SecretBytes> passphrase;  // of its root key
  std::filesystem::path target;           // made by BackUp
  // Whether root.key and the first administrator's credentials are copied, too. Without them a
  // backup opens nothing by itself.
  bool with_root_key = false;
};

struct Backup {
  std::uint64_t keys = 0;
  std::uint64_t materials = 0;  // all of them, of all generations
  std::uint64_t bytes = 0;
  trail::Verification trail;
};

// BackUp copies the database in one snapshot, then the trail, which is never behind it, then the
// console's jobs and history. It then opens the copy: the database is checked, every material of
// every key is opened with the root key, and the trail is verified up to the head that the database
// names. Only then, and synced, does target get its name; after an error it is not there. Nothing
// in the data directory is changed; one that nobody has open cannot be opened meanwhile. Errors:
// kConflict when target, or target.partial of an interrupted backup, exists; kCorrupt when the copy
// is not sound; kUsage (passphrase, version), kNotFound, kNoSpace, kReadOnly, kIo. Blocks.
Result<Backup> BackUp(const BackupOptions& options);

}  // namespace keyturn::service
