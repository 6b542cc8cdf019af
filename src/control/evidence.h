// Evidence: what a run got from its endpoints, word for word, in a directory that can be checked
// later. docs/formats/evidence.md is the format.
//
// EvidenceRecorder writes; Observer() of a target goes into the client that calls it. Nothing of a
// request's headers is kept, and of an answer's only request id, error type and date.
// Thread-safety: one thread. Errors: kUsage for a directory that holds something already, kNoSpace,
// kReadOnly, kIo; after the first nothing more is written, and failed() is true: a run that was to
// be recorded must not go on unrecorded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/pieces.h"
#include "base/time.h"
#include "client/kms_client.h"
#include "control/target.h"
#include "crypto/digest.h"

namespace keyturn::control {

inline constexpr std::string_view kEvidenceFormat = "keyturn.evidence.v1";
inline constexpr std::string_view kEvidenceNamespace = "keyturn-evidence";
inline constexpr std::string_view kRecordsFile = "records.ndjson";
inline constexpr std::string_view kManifestFile = "manifest.json";
inline constexpr std::string_view kSshSignatureFile = "manifest.json.sig";
inline constexpr std::string_view kCmsSignatureFile = "manifest.json.p7s";
inline constexpr std::string_view kAuditFile = "audit.json";
inline constexpr std::string_view kJournalFile = "journal.jsonl";
inline constexpr std::string_view kExceptionsFile = "exceptions.yaml";
inline constexpr std::string_view kPolicyFile = "policy.yaml";

// GenesisLink: what the first record's link is chained to.
crypto::Sha256Digest GenesisLink(std::string_view run_id);

// EvidenceSink: where records go. Append returns once the text is handed to the system, Sync once
// it is on disk.
class EvidenceSink {
 public:
  virtual ~EvidenceSink() = default;
  virtual Status Append(std::string_view text) = 0;
  virtual Status Sync() = 0;
};

struct EvidenceOptions {
  std::string directory;  // made here; must not be there, or be empty
  std::string run_id;
  std::string command;  // "audit", "apply", ...
  std::string tool_version;
  // arguments: name and value of what the run was told to do; no secret among them.
  std::vector<std::pair<std::string, std::string>> arguments;
};

class EvidenceRecorder {
 public:
  // Create makes the directory and writes the first record. clock must outlive the recorder.
  static Result<std::unique_ptr<EvidenceRecorder>> Create(EvidenceOptions options,
                                                          const Clock& clock);
  // CreateWith writes the records elsewhere: for tests of what happens when that fails.
  static Result<std::unique_ptr<EvidenceRecorder>> CreateWith(EvidenceOptions options,
                                                              const Clock& clock,
                                                              std::unique_ptr<EvidenceSink> sink);

  // AddTarget names a target and returns its number; the same target has the same number.
  std::size_t AddTarget(const Target& target);
  void AddOpened(std::size_t target, const Access::Open& opened);
  void AddRefused(std::size_t target, const Target::Closed& refused);
  // Observer records the calls of a client of a target; the recorder must outlive the client's use.
  client::Observer ObserverOf(std::size_t target);

  const std::string& run_id() const { return options_.run_id; }
  bool failed() const { return !status_; }
  const Status& status() const { return status_; }

  // File: a file of the bundle beside its records.
  struct File {
    std::string name;
    std::string text;
    TextSource source{};  // instead of text: of a file that is too long to stand in memory
  };
  // Policy of an audit, for the manifest.
  struct Policy {
    int max_period_days = 0;
    bool strict_disabled = false;
  };
  struct Conclusion {
    bool cancelled = false;
    std::optional<Policy> policy;
    std::vector<File> files;
  };
  // Sign makes the signature files of a manifest: names and contents. Empty: none.
  using Sign = std::function<Result<std::vector<File>>(std::string_view manifest)>;
  // Finish writes the last record, the files, the manifest and its signatures.
  Status Finish(const Conclusion& conclusion, const Sign& sign);
  // DiscardUnused takes the directory away again when nothing was called, so that a run that could
  // not begin leaves nothing in the way of the next one.
  void DiscardUnused();

 private:
  EvidenceRecorder(EvidenceOptions options, const Clock& clock, std::unique_ptr<EvidenceSink> sink);
  void AddCall(std::size_t target, const client::Exchange& exchange);
  // Append closes record text (an object without its last brace) with its link and writes it.
  void Append(std::string text);
  void SyncNowAndThen();
  // Written: what the manifest says of a file.
  struct Written {
    std::string_view name;
    std::uint64_t bytes = 0;
    crypto::Sha256Digest digest{};
  };
  Result<Written> WriteOne(const File& file);
  Status WriteFiles(const Conclusion& conclusion, const Sign& sign);
  std::string ManifestText(const Conclusion& conclusion, const std::vector<Written>& files);

  const EvidenceOptions options_;
  const Clock& clock_;
  std::unique_ptr<EvidenceSink> sink_;
  const TimePoint started_;
  TimePoint synced_;
  Status status_;
  crypto::Sha256Digest link_;
  crypto::Sha256Digest first_link_{};
  std::uint64_t count_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t bytes_ = 0;
  crypto::Sha256Stream whole_;  // of the file of records, as it grows
  std::vector<Target> targets_;
};

// RecordingAccess records what is done through another access. It stops the run, as if it were
// cancelled, when a record cannot be written.
class RecordingAccess final : public Access {
 public:
  // Both must outlive it.
  RecordingAccess(Access& inner, EvidenceRecorder& recorder) : inner_(inner), recorder_(recorder) {}

  void Begin(const Target& target, Opened opened) override;
  void Close(client::KmsClient* client) override;
  std::size_t Pump(std::chrono::milliseconds max_wait) override;
  void CancelAll() override { inner_.CancelAll(); }
  std::map<std::string, client::OperationCount, std::less<>> counts() const override {
    return inner_.counts();
  }
  double quota_used() const override { return inner_.quota_used(); }
  std::size_t open_max() const override { return inner_.open_max(); }

 private:
  Access& inner_;
  EvidenceRecorder& recorder_;
};

}  // namespace keyturn::control
