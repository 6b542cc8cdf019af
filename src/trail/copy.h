// Copying a trail, for a backup.
//
// Thread-safety: a free function; the trail may be written meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"
#include "crypto/kdf.h"

namespace keyturn::trail {

class FileOps;

// CopyTrail copies the segments of directory/trail to a new directory copy/trail (mode 0700), each
// synced: what of the trail ends in a chain line now. An append in progress stays out, and so does
// a redo log, which would be newer than the segments. Returns the bytes of the copy. kConflict when
// copy/trail exists; kCorrupt when the end does not verify. On error what was copied is left to the
// caller. ops is for tests; null is the operating system.
Result<std::uint64_t> CopyTrail(const std::filesystem::path& directory,
                                const std::filesystem::path& copy, const crypto::Key256& chain_key,
                                FileOps* ops = nullptr);

}  // namespace keyturn::trail
