// EvidenceTest: a bundle of a small audit on a simulated endpoint, and what an attacker can do to
// it, for the tests of evidence; in this room because a bundle holds its JSON. Thread-safety: none.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/hex.h"
#include "control/audit.h"
#include "control/evidence_bundle.h"
#include "control/fake_kms.h"
#include "crypto/ssh_signature.h"
#include "report/report.h"

namespace keyturn::control {

namespace fs = std::filesystem;

inline constexpr const char* kRunId = "11111111-2222-4333-8444-555555555555";

// SigningFile: one of tests/data/signing. Defined in evidence_test.cc, which knows where that is.
fs::path SigningFile(const std::string& name);

inline std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
inline void WriteText(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
}
inline std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
inline std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}
inline void Replace(std::string& text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

class EvidenceTest : public testing::Test, protected KmsBench {
 protected:
  EvidenceTest() {
    std::string pattern = (fs::temp_directory_path() / "keyturn-evidence-XXXXXX").string();
    KT_CHECK(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    dir_ = root_ / "bundle";
  }
  ~EvidenceTest() override { fs::remove_all(root_); }

  static Target TargetOf(std::vector<std::string> regions = {"eu-central-1"}) {
    Target target;
    target.endpoint_url = kUrl;
    target.account = "111122223333";
    target.regions = std::move(regions);
    return target;
  }

  std::unique_ptr<EvidenceRecorder> Recorder(const std::string& command = "audit",
                                             const std::string& run_id = kRunId) {
    auto recorder = EvidenceRecorder::Create({.directory = dir_.string(),
                                              .run_id = run_id,
                                              .command = command,
                                              .tool_version = "test",
                                              .arguments = {{"region", "eu-central-1"}}},
                                             clock);
    EXPECT_TRUE(recorder) << (recorder ? "" : recorder.error().message);
    return recorder ? std::move(*recorder) : nullptr;
  }

  static EvidenceRecorder::Sign Signing() {
    return [](std::string_view manifest) -> Result<std::vector<EvidenceRecorder::File>> {
      const auto key = ReadText(SigningFile("ed25519"));
      KT_ASSIGN(const auto signer, crypto::SshSigner::FromPrivateKey(AsBytes(key)));
      return std::vector<EvidenceRecorder::File>{
          {std::string(kSshSignatureFile), signer.Sign(AsBytes(manifest), kEvidenceNamespace)}};
    };
  }

  // Record audits and leaves a bundle; the run as it was judged.
  AuditRun Record(const std::vector<Target>& targets, bool with_signature = true,
                  const std::string& exceptions = {}, const Monitor& monitor = {},
                  const std::string& run_id = kRunId) {
    auto recorder = Recorder("audit", run_id);
    ExceptionList list;
    if (!exceptions.empty()) list = *ParseExceptions(exceptions, "exceptions.yaml");
    AuditOptions options;
    options.tool_version = "test";
    options.run_id = run_id;
    SingleAccess single(*client);
    for (const Target& target : targets) recorder->AddTarget(target);
    RecordingAccess access(single, *recorder);
    auto run = RunAudit(access, targets, options, list, clock, random, monitor);
    KT_CHECK(run.has_value());
    EvidenceRecorder::Conclusion conclusion;
    conclusion.cancelled = run->cancelled;
    conclusion.policy = EvidenceRecorder::Policy{run->max_period_days, run->strict_disabled};
    conclusion.files.push_back({std::string(kAuditFile), report::RenderJson(*run)});
    if (!exceptions.empty()) {
      conclusion.files.push_back({std::string(kExceptionsFile), exceptions});
    }
    const Status done =
        recorder->Finish(conclusion, with_signature ? Signing() : EvidenceRecorder::Sign());
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return *std::move(run);
  }
  AuditRun Record(bool with_signature = true) { return Record({TargetOf()}, with_signature); }

  // Verdict: "ok", or what is wrong.
  std::string Verdict(const EvidenceTrust& trust = {}) {
    const auto checked = VerifyEvidence(dir_.string(), trust, clock.Now());
    return checked ? "ok" : checked.error().message;
  }
  static EvidenceTrust Auditor(const std::string& file = "ed25519.pub") {
    return {.allowed_signers = "auditor@example.com " + ReadText(SigningFile(file)),
            .allowed_signers_place = "signers",
            .ca_pem = {}};
  }

  std::string Text(std::string_view name) const { return ReadText(dir_ / name); }
  void Write(std::string_view name, std::string_view text) const { WriteText(dir_ / name, text); }

  // Forge makes records and manifest fit again after lines were changed: what somebody can do who
  // has the files and no key.
  void Forge(std::vector<std::string> lines) const {
    crypto::Sha256Digest link = GenesisLink(kRunId);
    std::string first;
    for (std::string& line : lines) {
      const std::string text = line.substr(0, line.rfind(",\"link\":\""));
      const std::array<ByteView, 2> parts = {ByteView(link), AsBytes(text)};
      link = crypto::Sha256Parts(parts);
      line = text + ",\"link\":\"" + HexEncode(link) + "\"}";
      if (first.empty()) first = HexEncode(link);
    }
    Write(kRecordsFile, Joined(lines));
    std::string manifest = Text(kManifestFile);
    const auto set = [&manifest](const std::string& name, const std::string& value,
                                 std::size_t from) {
      const std::size_t at = manifest.find("\"" + name + "\": ", from) + name.size() + 4;
      manifest.replace(at, manifest.find_first_of(",\n", at) - at, value);
    };
    const std::string records = Joined(lines);
    const std::size_t calls = static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("\"kind\":\"call\"") != std::string::npos;
        }));
    set("count", std::to_string(lines.size()), 0);
    set("calls", std::to_string(calls), 0);
    set("first_link", '"' + first + '"', 0);
    set("head", '"' + HexEncode(link) + '"', 0);
    const std::size_t files = manifest.find("\"files\"");
    set("bytes", std::to_string(records.size()), files);
    set("sha256", '"' + HexEncode(crypto::Sha256(AsBytes(records))) + '"', files);
    Write(kManifestFile, manifest);
  }

  // Reseal gives a changed file its size and digest in the manifest.
  void Reseal(std::string_view name) const {
    std::string manifest = Text(kManifestFile);
    const std::string text = Text(name);
    std::size_t at = manifest.find("\"name\": \"" + std::string(name) + '"');
    ASSERT_NE(at, std::string::npos);
    at = manifest.find("\"bytes\": ", at) + 9;
    manifest.replace(at, manifest.find(',', at) - at, std::to_string(text.size()));
    at = manifest.find("\"sha256\": \"", at) + 11;
    manifest.replace(at, 64, HexEncode(crypto::Sha256(AsBytes(text))));
    Write(kManifestFile, manifest);
  }

  void AddKeys() {
    kms.Add({.id = "on", .aliases = {"alias/b"}, .enabled = true});
    kms.Add({.id = "off"});
    kms.Add({.id = "aws", .aliases = {"alias/aws/s3"}, .manager = "AWS"});
    kms.Add({.id = "rsa", .spec = "RSA_2048"});
  }

  fs::path root_;
  fs::path dir_;
};

}  // namespace keyturn::control
