// Verification of a bundle: files, records, manifest, signatures, and what follows from the
// answers.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <unordered_map>

#include "base/hex.h"
#include "control/audit.h"
#include "control/evidence_bundle.h"
#include "control/evidence_replay.h"
#include "control/files.h"
#include "control/journal.h"
#include "control/policy_file.h"
#include "control/run_compare.h"
#include "control/run_json.h"
#include "crypto/cms.h"
#include "crypto/random.h"
#include "crypto/ssh_signature.h"

namespace keyturn::control {
namespace {

constexpr std::size_t kManifestBytesMax = 16 << 20;
constexpr std::size_t kFileBytesMax = 1UL << 30;
constexpr std::size_t kLineBytesMax = 32 << 20;

std::string PathIn(const std::string& directory, std::string_view name) {
  return (std::filesystem::path(directory) / name).string();
}

tl::unexpected<Error> Corrupt(std::string_view name, std::string_view what) {
  return Fail(ErrorCode::kCorrupt, std::string(name) + ": " + std::string(what));
}

bool Exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

// RecordsFile reads lines in order, and one again.
class RecordsFile {
 public:
  static Result<RecordsFile> Open(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return Fail(SystemError("cannot read", path, errno));
    return RecordsFile(path, fd);
  }
  RecordsFile(RecordsFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  RecordsFile& operator=(RecordsFile&&) = delete;
  ~RecordsFile() {
    if (fd_ >= 0) close(fd_);
  }

  // EachLine: whole lines only; rest tells how many bytes stand behind the last one.
  Status EachLine(const std::function<Status(std::string_view, std::uint64_t)>& take,
                  std::uint64_t& rest) {
    std::string buffer;
    std::string block(1 << 20, '\0');
    std::uint64_t offset = 0;  // of the buffer's begin
    for (;;) {
      const ssize_t count = read(fd_, block.data(), block.size());
      if (count < 0) return Fail(SystemError("cannot read", path_, errno));
      if (count == 0) break;
      buffer.append(block.data(), static_cast<std::size_t>(count));
      std::size_t begin = 0;
      for (std::size_t end = buffer.find('\n'); end != std::string::npos;
           end = buffer.find('\n', begin)) {
        KT_TRY(take(std::string_view(buffer).substr(begin, end - begin), offset + begin));
        begin = end + 1;
      }
      buffer.erase(0, begin);
      offset += begin;
      if (buffer.size() > kLineBytesMax) return Corrupt(kRecordsFile, "a record is too long");
    }
    rest = buffer.size();
    return {};
  }

  Result<std::string> ReadAt(std::uint64_t offset, std::size_t bytes) const {
    std::string line(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
      const ssize_t count =
          pread(fd_, line.data() + done, bytes - done, static_cast<off_t>(offset + done));
      if (count <= 0) return Fail(SystemError("cannot read", path_, count < 0 ? errno : EIO));
      done += static_cast<std::size_t>(count);
    }
    return line;
  }

 private:
  RecordsFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

// Checker goes through one bundle.
class Checker {
 public:
  Checker(std::string directory, const EvidenceTrust& trust, TimePoint now)
      : directory_(std::move(directory)), trust_(trust), now_(now) {}

  Result<EvidenceSummary> Run();

 private:
  Status ReadRecords(RecordsFile& file, EvidenceReplay& replay);
  Status Unfinished(const Status& records) const;
  Status CheckNames() const;
  Status CheckFiles();
  Status CheckManifest() const;
  Status CheckSignatures();
  Status CheckSshSignature();
  Status CheckCmsSignature();
  Status FindPolicy(const AuditRun& recorded, AuditOptions& options);
  Status CheckAudit(EvidenceReplay& replay);
  Status CheckJournal();
  Result<std::string> Read(std::string_view name, std::size_t bytes_max) const {
    return ReadWholeFile(PathIn(directory_, name), bytes_max);
  }
  bool Has(std::string_view name) const { return Exists(PathIn(directory_, name)); }
  bool Names(std::string_view name) const {
    return std::any_of(summary_.manifest.files.begin(), summary_.manifest.files.end(),
                       [name](const auto& file) { return file.name == name; });
  }

  const std::string directory_;
  const EvidenceTrust& trust_;
  const TimePoint now_;
  EvidenceSummary summary_;
  std::string manifest_;
  RecordChain chain_;
  EvidenceRecord begin_;
  crypto::Sha256Stream whole_;
  std::uint64_t whole_bytes_ = 0;
  // writes: EnableKeyRotation and DisableKeyRotation that succeeded, by request id.
  std::unordered_map<std::string, std::uint64_t> writes_;
};

Status Checker::ReadRecords(RecordsFile& file, EvidenceReplay& replay) {
  std::set<std::string> callers;
  std::uint64_t rest = 0;
  KT_TRY(file.EachLine(
      [&](std::string_view line, std::uint64_t offset) -> Status {
        whole_.Update(AsBytes(line));
        whole_.Update(AsBytes("\n"));
        whole_bytes_ += line.size() + 1;
        KT_ASSIGN(const EvidenceRecord record, chain_.Take(line));
        if (record.kind == "begin") begin_ = record;
        summary_.cancelled = record.cancelled;
        if (record.opened && !record.opened->caller_arn.empty()) {
          callers.insert(record.opened->caller_arn);
        }
        const auto& call = record.call;
        if (call && call->outcome == "ok" &&
            (call->operation == "EnableKeyRotation" || call->operation == "DisableKeyRotation")) {
          writes_.emplace(std::string(call->response->Header("x-amzn-requestid")), record.seq);
        }
        replay.Add(record, offset, line.size());
        return {};
      },
      rest));
  summary_.callers.assign(callers.begin(), callers.end());
  if (rest > 0) return Corrupt(kRecordsFile, "the last record is cut short");
  if (!chain_.ended()) return Corrupt(kRecordsFile, "there is no last record ('end')");
  return {};
}

// Unfinished: no manifest. What was recorded until then is worth telling.
Status Checker::Unfinished(const Status& records) const {
  std::string text = directory_ + ": the run that was recorded here did not finish, or goes on: " +
                     std::string(kManifestFile) + " is missing. " + std::to_string(chain_.count()) +
                     " whole records are chained";
  if (!records && !chain_.ended() && chain_.count() == 0)
    text += " (" + records.error().message + ")";
  return Fail(ErrorCode::kNotFound, text);
}

Status Checker::CheckNames() const {
  std::set<std::string> expected = {std::string(kManifestFile), std::string(kSshSignatureFile),
                                    std::string(kCmsSignatureFile)};
  for (const auto& file : summary_.manifest.files) {
    if (!Has(file.name)) return Corrupt(file.name, "is missing");
    expected.insert(file.name);
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (!expected.contains(name)) return Corrupt(name, "is not in the manifest");
  }
  if (error) return Fail(ErrorCode::kIo, directory_ + ": " + error.message());
  return {};
}

Status Checker::CheckFiles() {
  for (const auto& file : summary_.manifest.files) {
    std::uint64_t bytes = whole_bytes_;
    std::string sha256;
    if (file.name == kRecordsFile) {
      sha256 = HexEncode(whole_.Finish());
    } else {
      KT_ASSIGN(const std::string text, Read(file.name, kFileBytesMax));
      bytes = text.size();
      sha256 = HexEncode(crypto::Sha256(AsBytes(text)));
    }
    if (bytes != file.bytes || sha256 != file.sha256) {
      return Corrupt(file.name, "is not what the manifest says: it was changed");
    }
  }
  return {};
}

Status Checker::CheckManifest() const {
  const EvidenceManifest& manifest = summary_.manifest;
  if (manifest.run_id != begin_.run_id || manifest.command != begin_.command) {
    return Corrupt(kManifestFile, "is of another run than the records");
  }
  if (manifest.records != chain_.count() || manifest.calls != chain_.calls() ||
      manifest.head != chain_.head() || manifest.first_link != chain_.first_link()) {
    return Corrupt(kManifestFile,
                   "its number of records or its links are not those of the records");
  }
  return {};
}

Status Checker::CheckSignatures() {
  KT_TRY(CheckSshSignature());
  return CheckCmsSignature();
}

Status Checker::CheckSshSignature() {
  const bool wanted = !trust_.allowed_signers_place.empty();
  if (!Has(kSshSignatureFile)) {
    if (!wanted) return {};
    return Corrupt(kSshSignatureFile, "is missing: the bundle has no SSH signature");
  }
  KT_ASSIGN(const std::string text, Read(kSshSignatureFile, kManifestBytesMax));
  const auto signature = crypto::SshSignature::Parse(text);
  if (!signature) return Corrupt(kSshSignatureFile, signature.error().message);
  if (!signature->Verify(AsBytes(manifest_), kEvidenceNamespace)) {
    return Corrupt(kSshSignatureFile,
                   "the signature is not of this manifest.json: one of the two was changed");
  }
  summary_.is_signed = true;
  const std::string key = "ssh-ed25519 " + signature->Fingerprint();
  if (!wanted) {
    summary_.signatures.push_back("by " + key + "; whose key that is was not checked");
    return {};
  }
  KT_ASSIGN(const auto signers,
            crypto::ParseAllowedSigners(trust_.allowed_signers, trust_.allowed_signers_place));
  const auto* signer = crypto::FindSigner(signers, *signature, kEvidenceNamespace, now_);
  if (signer == nullptr) {
    return Corrupt(kSshSignatureFile,
                   "is by " + key + ", which " + trust_.allowed_signers_place + " does not allow");
  }
  summary_.signatures.push_back("by " + signer->principals + ", " + key);
  return {};
}

Status Checker::CheckCmsSignature() {
  const bool wanted = !trust_.ca_pem.empty();
  if (!Has(kCmsSignatureFile)) {
    if (!wanted) return {};
    return Corrupt(kCmsSignatureFile, "is missing: the bundle has no CMS signature");
  }
  KT_ASSIGN(const std::string der, Read(kCmsSignatureFile, kManifestBytesMax));
  const auto subject = crypto::VerifyCms(AsBytes(der), AsBytes(manifest_), trust_.ca_pem, now_);
  if (!subject) return Corrupt(kCmsSignatureFile, subject.error().message);
  summary_.is_signed = true;
  summary_.signatures.push_back("by " + *subject +
                                (wanted ? "" : "; who vouches for that was not checked"));
  return {};
}

// FindPolicy: what the run was judged by: the policy file, where there was one.
Status Checker::FindPolicy(const AuditRun& recorded, AuditOptions& options) {
  options.policy.max_period_days = recorded.max_period_days;
  options.policy.strict_disabled = recorded.strict_disabled;
  if (!Names(kPolicyFile)) {
    if (recorded.policy.sha256.empty()) return {};
    return Corrupt(kPolicyFile, "is missing: the audit was judged by a policy file");
  }
  KT_ASSIGN(const std::string yaml, Read(kPolicyFile, kManifestBytesMax));
  KT_ASSIGN(const PolicyFile policy, ParsePolicyFile(yaml, kPolicyFile));
  if (policy.sha256 != recorded.policy.sha256 ||
      policy.evaluation.max_period_days != recorded.max_period_days ||
      policy.evaluation.strict_disabled != recorded.strict_disabled) {
    return Corrupt(kAuditFile, "was judged by another policy than the one in the bundle");
  }
  policy.Fill(options);
  return {};
}

Status Checker::CheckAudit(EvidenceReplay& replay) {
  if (!Names(kAuditFile)) return Corrupt(kAuditFile, "is missing from an audit");
  KT_ASSIGN(const std::string text, Read(kAuditFile, kFileBytesMax));
  KT_ASSIGN(const AuditRun recorded, ParseRun(text, kAuditFile));
  if (recorded.run_id != begin_.run_id) return Corrupt(kAuditFile, "is of another run");
  const auto& policy = summary_.manifest.policy;
  if (!policy || policy->max_period_days != recorded.max_period_days ||
      policy->strict_disabled != recorded.strict_disabled) {
    return Corrupt(kAuditFile, "was judged by another policy than the manifest says");
  }
  ExceptionList exceptions;
  if (Names(kExceptionsFile)) {
    KT_ASSIGN(const std::string yaml, Read(kExceptionsFile, kManifestBytesMax));
    KT_ASSIGN(exceptions, ParseExceptions(yaml, kExceptionsFile));
  }
  AuditOptions options;
  KT_TRY(FindPolicy(recorded, options));
  options.tool_version = recorded.tool_version;
  options.run_id = recorded.run_id;
  const ManualClock clock(recorded.started);
  auto derived = RunAudit(replay, replay.targets(), options, exceptions, clock,
                          crypto::SystemRandom(), Monitor{});
  if (!derived) return Fail(derived.error());
  if (!replay.broken().empty()) return Corrupt(kRecordsFile, replay.broken());
  if (const auto difference = FirstDifference(recorded, *derived, summary_.cancelled)) {
    return Corrupt(kAuditFile, "does not follow from the recorded answers: " + *difference);
  }
  if (!summary_.cancelled && !replay.missing().empty()) {
    return Corrupt(kRecordsFile, "there is no answer to " + replay.missing());
  }
  if (const auto unused = replay.unused(); unused && !summary_.cancelled) {
    return Corrupt(kRecordsFile, "record " + std::to_string(*unused) +
                                     " is an answer that the audit did not ask for");
  }
  summary_.run = *std::move(derived);
  return {};
}

// CheckJournal: every change that this run reports as done has its answer, and the reverse.
Status Checker::CheckJournal() {
  if (!Names(kJournalFile)) return Corrupt(kJournalFile, "is missing");
  KT_ASSIGN(const std::string text, Read(kJournalFile, kFileBytesMax));
  KT_ASSIGN(const Journal journal, ParseJournal(text, kJournalFile));
  std::set<std::string_view> told;
  for (const JournalEntry& entry : journal.entries) {
    if (entry.kind != JournalEntry::Kind::kResult || entry.request_id.empty()) continue;
    told.insert(entry.request_id);
    if (entry.outcome != ChangeOutcome::kDone || entry.time < begin_.time) continue;
    if (!writes_.contains(entry.request_id)) {
      return Corrupt(kJournalFile, "tells of request " + entry.request_id + " for " +
                                       journal.changes[entry.index].arn +
                                       ", of which there is no answer in the records");
    }
    ++summary_.changes;
  }
  for (const auto& [request_id, seq] : writes_) {
    if (!request_id.empty() && !told.contains(request_id)) {
      return Corrupt(kJournalFile, "does not tell of request " + request_id + " (record " +
                                       std::to_string(seq) + ")");
    }
  }
  return {};
}

Result<EvidenceSummary> Checker::Run() {
  if (!Has(kRecordsFile)) {
    return Fail(ErrorCode::kUsage,
                directory_ + ": is no evidence bundle: there is no " + std::string(kRecordsFile));
  }
  KT_ASSIGN(auto file, RecordsFile::Open(PathIn(directory_, kRecordsFile)));
  EvidenceReplay replay(
      [&file](std::uint64_t offset, std::size_t bytes) { return file.ReadAt(offset, bytes); });
  const Status records = ReadRecords(file, replay);
  if (!Has(kManifestFile)) KT_TRY(Unfinished(records));
  KT_TRY(records);
  KT_ASSIGN(manifest_, Read(kManifestFile, kManifestBytesMax));
  KT_ASSIGN(summary_.manifest, ParseManifest(manifest_, kManifestFile));
  // The signature comes first: what it does not hold for is the manifest, not a file that it names.
  KT_TRY(CheckSignatures());
  KT_TRY(CheckNames());
  KT_TRY(CheckFiles());
  KT_TRY(CheckManifest());
  KT_TRY(summary_.manifest.command == "audit" ? CheckAudit(replay) : CheckJournal());
  return std::move(summary_);
}

}  // namespace

Result<EvidenceSummary> VerifyEvidence(const std::string& directory, const EvidenceTrust& trust,
                                       TimePoint now) {
  return Checker(directory, trust, now).Run();
}

}  // namespace keyturn::control
