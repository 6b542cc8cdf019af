// RecordFlags: --record and the keys that its evidence is signed with.
//
// Thread-safety: values. Errors: kUsage, naming the file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/evidence.h"

namespace CLI {
class App;
}  // namespace CLI

namespace keyturn::cli {

struct RecordFlags {
  std::string directory;  // empty: nothing is recorded
  std::string sign_key;
  std::string sign_cert;
  std::string sign_cert_key;
};

void AddRecord(CLI::App* command, RecordFlags& flags);
// CheckRecord throws what CLI11 reports when the flags do not go together.
void CheckRecord(const RecordFlags& flags);

// MakeSigner reads the keys, so that a wrong one is told before the run; empty when none is given.
// clock must outlive what it returns.
Result<control::EvidenceRecorder::Sign> MakeSigner(const RecordFlags& flags, const Clock& clock);

}  // namespace keyturn::cli
