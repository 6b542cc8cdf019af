// Evidence: nothing can be changed in a bundle unseen, and no wrong signer is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/evidence_bench.h"

namespace keyturn::control {
namespace {

using testing::HasSubstr;

TEST_F(EvidenceTest, EveryChangedByteIsFound) {
  kms.Add({.id = "off"});
  Record();
  for (const std::string_view name : {kRecordsFile, kManifestFile, kAuditFile, kSshSignatureFile}) {
    const std::string good = Text(name);
    // Prime steps reach every kind of member; the manifest is looked at byte by byte.
    const std::size_t step = name == kManifestFile ? 3 : 17;
    for (std::size_t i = 0; i < good.size(); i += step) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      Write(name, bad);
      EXPECT_NE(Verdict(Auditor()), "ok") << name << " " << i;
    }
    Write(name, good);
  }
  EXPECT_EQ(Verdict(Auditor()), "ok");
}

TEST_F(EvidenceTest, TheFirstBadRecordIsNamed) {
  AddKeys();
  Record();
  const std::string good = Text(kRecordsFile);
  const auto lines = Lines(good);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto changed = lines;
    std::string& line = changed[i];
    const std::size_t at = line.find("\"kind\":\"") + 8;
    line[at] = 'x';
    Write(kRecordsFile, Joined(changed));
    EXPECT_THAT(Verdict(), HasSubstr("record " + std::to_string(i) + " of records.ndjson"));
  }
}

TEST_F(EvidenceTest, RecordsCannotBeRemovedAddedMovedOrCutOff) {
  AddKeys();
  Record();
  const std::string good = Text(kRecordsFile);
  const auto lines = Lines(good);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto removed = lines;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
    Write(kRecordsFile, Joined(removed));
    EXPECT_THAT(Verdict(), HasSubstr("records.ndjson")) << i;
    auto twice = lines;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    Write(kRecordsFile, Joined(twice));
    EXPECT_THAT(Verdict(), HasSubstr("record ")) << i;
    if (i + 1 < lines.size()) {
      auto moved = lines;
      std::swap(moved[i], moved[i + 1]);
      Write(kRecordsFile, Joined(moved));
      EXPECT_THAT(Verdict(), HasSubstr("record " + std::to_string(i))) << i;
    }
    Write(kRecordsFile, Joined({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(i)}));
    EXPECT_NE(Verdict(), "ok") << i;
  }
  Write(kRecordsFile, good.substr(0, good.size() - 5));
  EXPECT_THAT(Verdict(), HasSubstr("cut short"));
  Write(kRecordsFile, good + "{}\n");
  EXPECT_THAT(Verdict(), HasSubstr("record " + std::to_string(lines.size())));
  Write(kRecordsFile, good + "\n");
  EXPECT_NE(Verdict(), "ok");
  Write(kRecordsFile, "");
  EXPECT_NE(Verdict(), "ok");
}

TEST_F(EvidenceTest, FilesCannotBeRemovedAddedOrExchanged) {
  AddKeys();
  Record();
  const fs::path first = dir_;
  dir_ = root_ / "other";
  kms.keys.pop_back();
  Record({TargetOf()}, true, {}, {}, "99999999-2222-4333-8444-555555555555");
  ASSERT_EQ(Verdict(), "ok");
  for (const std::string_view name : {kRecordsFile, kManifestFile, kAuditFile, kSshSignatureFile}) {
    const std::string own = Text(name);
    Write(name, ReadText(first / name));
    EXPECT_NE(Verdict(), "ok") << name;
    fs::remove(dir_ / name);
    EXPECT_NE(Verdict(Auditor()), "ok") << name;
    Write(name, own);
  }
  Write("more.txt", "x");
  EXPECT_THAT(Verdict(), HasSubstr("more.txt: is not in the manifest"));
  fs::remove(dir_ / "more.txt");
  EXPECT_EQ(Verdict(Auditor()), "ok");
}

TEST_F(EvidenceTest, AForgedAnswerDoesNotCarryTheRecordedVerdict) {
  AddKeys();
  Record(false);
  ASSERT_EQ(Verdict(), "ok");
  auto lines = Lines(Text(kRecordsFile));
  bool forged = false;
  for (std::string& line : lines) {
    if (line.find("KeyRotationEnabled\\\":false") == std::string::npos) continue;
    // The body says that rotation is on; its digest fits, the chain and the manifest, too.
    Replace(line, "KeyRotationEnabled\\\":false",
            "KeyRotationEnabled\\\":true,\\\"RotationPeriodInDays\\\":90");
    const std::size_t begin = line.find("\"body\":\"") + 8;
    std::string body = line.substr(begin, line.find("\",\"body_base64\"") - begin);
    for (std::size_t at = 0; (at = body.find("\\\"", at)) != std::string::npos;) body.erase(at, 1);
    const std::size_t digest = line.find("\"body_sha256\":\"") + 15;
    line.replace(digest, 64, HexEncode(crypto::Sha256(AsBytes(body))));
    forged = true;
  }
  ASSERT_TRUE(forged);
  Forge(lines);
  EXPECT_THAT(Verdict(), HasSubstr("does not follow from the recorded answers"));
  EXPECT_THAT(Verdict(), HasSubstr("FAIL"));
}

TEST_F(EvidenceTest, AForgedVerdictDoesNotFollowFromTheAnswers) {
  AddKeys();
  Record(false);
  std::string audit = Text(kAuditFile);
  Replace(audit, "automatic rotation is off", "rotates every 365 days");
  Write(kAuditFile, audit);
  Reseal(kAuditFile);
  EXPECT_THAT(Verdict(), HasSubstr("does not follow from the recorded answers"));
}

TEST_F(EvidenceTest, AnAnswerThatNobodyAskedForIsFound) {
  AddKeys();
  Record(false);
  auto lines = Lines(Text(kRecordsFile));
  std::string more = lines[lines.size() - 2];
  const auto number = [](std::string& line, std::string_view name, std::size_t value) {
    const std::size_t at = line.find("\"" + std::string(name) + "\":") + name.size() + 3;
    line.replace(at, line.find_first_of(",}", at) - at, std::to_string(value));
  };
  number(more, "seq", lines.size() - 1);
  std::string& end = lines.back();
  number(end, "seq", lines.size());
  lines.insert(lines.end() - 1, more);
  number(lines.back(), "calls",
         static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const auto& line) {
           return line.find("\"kind\":\"call\"") != std::string::npos;
         })));
  Forge(lines);
  EXPECT_THAT(Verdict(), HasSubstr("did not ask for"));
}

TEST_F(EvidenceTest, TheSignersKeyMustBeAllowed) {
  AddKeys();
  Record();
  EXPECT_EQ(Verdict(), "ok");
  EXPECT_EQ(Verdict(Auditor()), "ok");
  EvidenceTrust other{
      .allowed_signers = "a ssh-ed25519 AAAA", .allowed_signers_place = "signers", .ca_pem = {}};
  EXPECT_THAT(Verdict(other), HasSubstr("does not allow"));
  EvidenceTrust ca;
  ca.ca_pem = ReadText(SigningFile("ca.pem"));
  EXPECT_THAT(Verdict(ca), HasSubstr("no CMS signature"));
  fs::remove(dir_ / kSshSignatureFile);
  EXPECT_EQ(Verdict(), "ok");
  EXPECT_THAT(Verdict(Auditor()), HasSubstr("no SSH signature"));
}

}  // namespace
}  // namespace keyturn::control
