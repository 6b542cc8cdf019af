// AuditState: what an audit has read so far, in a file, so that one that was stopped does not begin
// anew. The next audit with the same file lists keys again and asks only about those that the file
// does not have. docs/formats/audit-state.md has the format.
//
// Thread-safety: one thread; a lock on the file keeps other processes away. Lines are handed to the
// operating system every second or so: what a crash takes is read again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/time.h"
#include "control/run.h"

namespace keyturn::control {

class AuditState {
 public:
  // Facts are too old after this long.
  static constexpr std::chrono::hours kOldest{24};

  // Open makes the file or goes on with it: kUsage when it is something else, or older than a day,
  // kNewerFormat, kCorrupt naming the line, kLocked, kIo.
  static Result<std::unique_ptr<AuditState>> Open(const std::string& path, const Clock& clock);
  ~AuditState();
  AuditState(const AuditState&) = delete;
  AuditState& operator=(const AuditState&) = delete;

  // started: of the first run of the file.
  TimePoint started() const { return started_; }
  std::size_t known() const { return known_.size(); }
  // Take moves what is known of the key with facts.endpoint_url and facts.arn there; false when
  // nothing is. Aliases are not kept: they are listed again.
  bool Take(KeyFacts& facts);
  // Note keeps a key that has been read without failure; others are to be read again.
  void Note(const KeyFacts& facts);
  // Flush: kIo, kNoSpace; told once, and nothing is kept after that.
  Status Flush();
  // Remove: the run is complete.
  Status Remove();

 private:
  AuditState(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Status Load(const Clock& clock);

  const std::string path_;
  const int fd_;
  TimePoint started_{};
  std::unordered_map<std::string, KeyFacts> known_;  // by endpoint, a space, and ARN
  std::string pending_;
  bool broken_ = false;
};

// StateLine, ReadStateLine: one key's facts as a line of JSON, without its line break.
std::string StateLine(const KeyFacts& facts);
Result<KeyFacts> ReadStateLine(std::string_view line);

}  // namespace keyturn::control
