// RedoLog: what makes an append durable by one fdatasync that changes nothing but data.
//
// With SyncMode::kAlways a group is written to its segment and to this file, and this file only is
// synced before the append returns. Neither its size nor its blocks ever change, so that the file
// system's journal has nothing to write: a sync takes half the time and half the CPU of a segment's
// (docs/adr/0015). The segment is synced behind the appends' backs; what a power failure
// takes from it is written again, from here, at the next start. docs/formats/trail.md has the
// format. Private to the room.
//
// The file has two halves, filled in turns. A half is used again once the segments hold all that it
// holds. Behind the halves is a mark: up to where the segment was synced when the log was made.
// With SyncMode::kPeriodic there are no halves, and the mark is kept up to date, without a sync.
// Thread-safety: none of its own; fd() may be synced by any thread meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "trail/chain.h"
#include "trail/file_ops.h"
#include "trail/files.h"

namespace keyturn::trail {

// ChainPlace: a point between two groups of a segment.
struct ChainPlace {
  std::uint64_t offset = 0;    // in the segment
  std::uint64_t sequence = 0;  // of the group before it; 0: none
  ChainValue value = kFirstPrevious;
};

// RedoGroup: one group, and where it stands.
struct RedoGroup {
  std::uint64_t segment = 0;  // the first sequence in it
  ChainPlace begin;
  ChainPlace synced;  // up to here the segment was on stable storage when the group was written
  ChainValue value{};
  std::string_view bytes;  // records and chain line; none in a mark
  ChainPlace end() const {
    return bytes.empty() ? begin
                         : ChainPlace{begin.offset + bytes.size(), begin.sequence + 1, value};
  }
};

// HoldsMarkOnly: whether a log of that size has no halves.
bool HoldsMarkOnly(std::uint64_t log_bytes);
std::filesystem::path RedoLogPath(const std::filesystem::path& directory);

class RedoLog {
 public:
  // Create writes a file, which must not exist, with halves of together that size and a mark, and
  // syncs it and the directory. The error is the system call's.
  static Result<std::unique_ptr<RedoLog>> Create(FileOps& ops,
                                                 const std::filesystem::path& directory,
                                                 int directory_fd, const crypto::Key256& chain_key,
                                                 std::uint64_t bytes, std::uint64_t segment,
                                                 const ChainPlace& synced);

  enum class Outcome {
    kWritten,
    kHalfFilled,  // written, as the first group of the other half: time to sync the segment
    kNoRoom,      // not written: the other half is still needed, or the group is longer than one
  };
  // Write takes the next group. written: the bytes of all groups up to and with this one, by the
  // caller's count; in_segments: how many of those are on stable storage elsewhere. After an error
  // the log is good for nothing more.
  Result<Outcome> Write(const RedoGroup& group, std::uint64_t written, std::uint64_t in_segments);

  // Mark notes up to where a segment is synced, in a log without halves (else each group does).
  // Nobody waits for it: a mark that is old only makes the next start read more.
  void Mark(std::uint64_t segment, const ChainPlace& synced);

  int fd() const { return file_.fd(); }

 private:
  RedoLog(FileOps& ops, File file, std::filesystem::path path, const crypto::Key256& chain_key,
          std::uint64_t bytes);
  Status WriteMark(std::uint64_t segment, const ChainPlace& synced);

  FileOps& ops_;
  const File file_;
  const std::filesystem::path path_;
  const crypto::Key256 key_;
  const std::uint64_t half_bytes_;
  std::size_t half_ = 0;                   // being filled
  std::uint64_t at_ = 0;                   // in that half
  std::array<std::uint64_t, 2> filled_{};  // the caller's count behind the last group of each half
  std::string buffer_;
};

// RedoKey: the key of the log's own macs.
crypto::Key256 RedoKey(const crypto::Key256& chain_key);
// AppendRedoGroup appends what the log has of a group: a line that tells where it stands, and it.
void AppendRedoGroup(const crypto::Key256& redo_key, const RedoGroup& group, std::string& out);
// IsNewerRedoLog: whether the text is a redo log of another format than ours.
bool IsNewerRedoLog(std::string_view text);
// FindRedoGroups returns every group in the text of a redo log that is whole, in no order. The
// views are into text.
std::vector<RedoGroup> FindRedoGroups(std::string_view text, const crypto::Key256& chain_key);

// RemoveRedoLog removes the log, if there is one, and syncs the directory.
Status RemoveRedoLog(FileOps& ops, const std::filesystem::path& directory, int directory_fd);

}  // namespace keyturn::trail
