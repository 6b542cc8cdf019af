// Trail: the append-only, hash-chained audit log in CloudTrail record format.
//
// Records are JSON objects, one a line, in segment files trail/<first sequence>.jsonl under the
// data directory. Each Append writes its records and one chain line in a single write(2): the chain
// line holds a sequence number and an HMAC-SHA-256, under a key derived for the trail only, over
// the previous chain value and the bytes of the new lines. A changed, missing or reordered record
// breaks the chain; docs/formats/trail.md has the format and what Verify can and cannot prove.
//
// Thread-safety: all methods may be called from any thread.
// Source: AWS CloudTrail User Guide, "CloudTrail record contents".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "crypto/kdf.h"

namespace keyturn::trail {

enum class SyncMode {
  kPeriodic,  // fdatasync at least every 200 ms, by a thread of the trail's
  kAlways,    // fdatasync before Append returns, of a redo log: docs/formats/trail.md
};

class FileOps;

struct Options {
  std::filesystem::path directory;  // data directory; segments go to directory/trail
  SyncMode sync = SyncMode::kPeriodic;
  // A segment grows beyond only if a single Append is longer.
  std::uint64_t segment_bytes_max = 256ULL << 20;
  // How long the first byte that is not synced in its segment waits before fdatasync is called.
  Millis sync_delay{100};
  // kAlways: the size of the redo log. Half of it should hold what is appended in sync_delay.
  std::uint64_t redo_log_bytes = 16ULL << 20;
  // The system calls that change files, for tests; null is the operating system. Must outlive the
  // trail.
  FileOps* file_ops = nullptr;
};

// Head: how far the chain has come. Stored beside the keys now and then, so that cutting the end of
// the last segment is found too.
struct Head {
  std::uint64_t sequence = 0;  // of the last chain line
  std::string mac_hex;
};

class Trail {
 public:
  // Open creates the directory if absent, finds the end of the chain and repairs what a crash left
  // half-written or lost: what a redo log holds is written again; lines behind the last chain line
  // are kept and closed by a chain line marked "recovered"; a torn last line goes to a file beside
  // the segment. kCorrupt when the last chain line does not verify or the chain ends before
  // at_least; nothing is changed then. kLocked while another Trail has the directory.
  static Result<std::unique_ptr<Trail>> Open(const Options& options, crypto::Key256 chain_key,
                                             const Head& at_least);
  virtual ~Trail() = default;

  // Append writes whole lines (each ends in '\n', none contains another '\n') and their chain line
  // in one write. On error nothing of it counts: the file is cut back to where it was, and if even
  // that fails every later Append fails too (fail-closed). Lines of another form, and more than
  // 64 MiB at once, are kInternal.
  // A failed fdatasync, by whomever it was called, is final too: the kernel forgets which pages it
  // could not write, so calling it again proves nothing. Every later Append and Sync fails until
  // the trail is opened again. With kAlways the lines of the Append that saw it may stay in the
  // file: the trail can then show a call that was refused, never miss one that was answered.
  virtual Status Append(std::string_view lines) = 0;
  // Sync returns when all appended bytes are on stable storage.
  virtual Status Sync() = 0;
  // head may be ahead of what is synced: whoever stores it calls head, then Sync, then stores.
  virtual Head head() const = 0;
  // appended_bytes: how much the trail has grown since it was opened, chain lines included.
  virtual std::uint64_t appended_bytes() const = 0;
  // RecentEventIds: the eventID of every record in the last bytes_max bytes, for telling which
  // records of a crashed process reached the file.
  virtual Result<std::vector<std::string>> RecentEventIds(std::uint64_t bytes_max) const = 0;
};

// AppendAll appends lines as Append does, in several groups when they are more than one may have.
// On error those of the groups before stay.
Status AppendAll(Trail& trail, std::string_view lines);

struct Verification {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  Head head;
  std::uint64_t recovered = 0;  // chain lines written after a crash, for lines found open
  // Bytes behind the last chain line: an append in progress, or what a crash left and the next Open
  // will close. They are not verified.
  std::uint64_t open_bytes = 0;
  // A redo log is there: a server with SyncMode::kAlways runs, or died. If its machine did, too,
  // appends may be missing that the next Open will write again.
  bool has_redo_log = false;
};

// Verify reads every segment; kCorrupt with file, line and what is wrong for the first defect.
Result<Verification> Verify(const std::filesystem::path& directory, const crypto::Key256& chain_key,
                            const Head& at_least);

}  // namespace keyturn::trail
