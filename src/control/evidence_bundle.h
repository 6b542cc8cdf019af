// EvidenceBundle: reading an evidence bundle and checking what it proves.
// docs/formats/evidence.md is the format.
//
// Limits: 32 MiB a record, 16 MiB a manifest, 64 files, 1 GiB each of the
// others. Errors: kCorrupt naming the record or file that is wrong, kNotFound for a bundle that is
// not finished, kNewerFormat, kUsage for what is no bundle. Thread-safety: values and pure
// functions, but for what reads files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "client/kms_client.h"
#include "control/evidence.h"
#include "control/run.h"
#include "control/target.h"
#include "crypto/digest.h"
#include "json/json.h"

namespace keyturn::control {

struct EvidenceManifest {
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;
  };
  std::string run_id;
  std::string command;
  std::string tool_version;
  TimePoint started;
  TimePoint finished;
  std::optional<EvidenceRecorder::Policy> policy;
  std::uint64_t records = 0;
  std::uint64_t calls = 0;
  std::string first_link;
  std::string head;
  std::vector<File> files;
};
Result<EvidenceManifest> ParseManifest(std::string_view text, std::string_view place);

// EvidenceCall: one attempt, as it was recorded.
struct EvidenceCall {
  std::string operation;
  std::string region;
  std::string request;
  std::string outcome;                           // "ok", "retried", "failed"
  std::optional<http::ClientResponse> response;  // absent: no answer
  std::optional<client::CallError> error;        // as the run took it
  TimePoint time;
};

// EvidenceRecord: one line. Of the members after kind, those of its kind are set.
struct EvidenceRecord {
  std::uint64_t seq = 0;
  std::string kind;                       // "begin", "target", "opened", "refused", "call", "end"
  std::size_t target = 0;                 // all but begin and end
  std::string run_id;                     // begin
  std::string command;                    // begin
  TimePoint time;                         // begin
  std::optional<Target> described;        // target
  std::optional<Access::Open> opened;     // opened; without a client
  std::optional<Target::Closed> refused;  // refused
  std::optional<EvidenceCall> call;       // call
  std::uint64_t calls = 0;                // end
  bool cancelled = false;                 // end
};

// RecordChain takes records one after the other and follows their links.
class RecordChain {
 public:
  // Take reads and checks the next line, without its LF: kCorrupt naming the record.
  Result<EvidenceRecord> Take(std::string_view line);
  // Read is Take without the chain, for a line that was taken before.
  Result<EvidenceRecord> Read(std::string_view line);

  std::uint64_t count() const { return count_; }
  std::uint64_t calls() const { return calls_; }
  bool ended() const { return ended_; }
  std::string first_link() const { return first_link_; }
  std::string head() const { return head_; }
  const std::string& run_id() const { return run_id_; }

 private:
  Result<EvidenceRecord> Wrong(std::string_view what) const;
  Result<EvidenceRecord> CheckPlace(EvidenceRecord record);

  json::Parser parser_{json::Limits{.bytes_max = 32 << 20, .depth_max = 8}};
  crypto::Sha256Digest link_{};
  std::string first_link_;
  std::string head_;
  std::string run_id_;
  std::uint64_t count_ = 0;
  std::uint64_t calls_ = 0;
  std::size_t targets_ = 0;
  bool ended_ = false;
};

// RecordVisitor sees each record that was checked, and where its line is in the file.
using RecordVisitor =
    std::function<Status(const EvidenceRecord&, std::uint64_t offset, std::size_t bytes)>;

// EvidenceTrust: who may have signed. Empty: a signature is checked for being right only.
struct EvidenceTrust {
  std::string allowed_signers;        // text of such a file
  std::string allowed_signers_place;  // its name, for messages; empty: none was given
  std::string ca_pem;                 // certificates that are trusted
};

// EvidenceSummary: what a bundle is, for people.
struct EvidenceSummary {
  EvidenceManifest manifest;
  std::vector<std::string> callers;     // "arn:aws:sts::..."
  std::vector<std::string> signatures;  // one sentence each
  bool is_signed = false;
  bool cancelled = false;       // the run was stopped before it was done
  std::optional<AuditRun> run;  // as derived from the answers, of an audit
  std::uint64_t changes = 0;    // with their answers, of an apply or backout
};

// VerifyEvidence checks everything that docs/formats/evidence.md says, offline, and stops at the
// first thing that is wrong.
Result<EvidenceSummary> VerifyEvidence(const std::string& directory, const EvidenceTrust& trust,
                                       TimePoint now);

}  // namespace keyturn::control
