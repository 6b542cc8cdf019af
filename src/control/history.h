// History: what a journal says about one key. Private to this room.
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "control/journal.h"

namespace keyturn::control {

struct KeyHistory {
  // write: the write of ours that took effect, or may have; its prior is what backout restores.
  std::optional<JournalEntry> write;
  bool write_acknowledged = false;
  // apply: the last result of apply; absent when there is none.
  std::optional<JournalEntry> apply;
  // backout_write: the same for backout.
  std::optional<JournalEntry> backout_write;
  bool backout_acknowledged = false;
  std::optional<JournalEntry> backout;
  // taken_back: backout has seen the prior state. What is there later is somebody else's, another
  // plan's too.
  bool taken_back = false;

  // settled: apply has nothing left to do about the key.
  bool settled() const;
};

std::vector<KeyHistory> HistoriesOf(const Journal& journal);

// Written: the changes that apply has made or may have made, by index.
std::vector<std::size_t> Written(const std::vector<KeyHistory>& histories);

// HasBackout: taking back has begun.
bool HasBackout(const Journal& journal);

}  // namespace keyturn::control
