// Repair: what a server that died with its machine left of the last segment, made whole. Private to
// the room.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "crypto/kdf.h"
#include "trail/file_ops.h"
#include "trail/files.h"
#include "trail/trail.h"

namespace keyturn::trail {

// RepairSegment repairs the last segment when there is a log, that is, when a server died. From
// what the log knows to be synced on the segment is made to continue, group by group, with what the
// log or the segment has of each, and synced; the first group that neither has whole was not on
// stable storage, and nothing behind it. What stands there is cut off and set aside if there is a
// chain line in it (else it is one append in progress, and left). When the log says nothing of this
// segment, it is followed from its beginning. kCorrupt when the log does not fit the segments, or
// the chain would end before sequence_min; kNewerFormat when a newer version wrote: nothing is
// changed then. A failed system call may leave some of it done, which the next call does again.
Status RepairSegment(FileOps& ops, const std::filesystem::path& directory, int directory_fd,
                     const std::vector<Segment>& segments, const crypto::Key256& chain_key,
                     const Head& at_least);

}  // namespace keyturn::trail
