// Does a document that AWS made verify with AWS's root, at its time, as it is, and only so?
// (Documents of our own making, and envelopes, are tests/conformance/recipient.test.mjs.)
#include "crypto/attestation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/base64.h"
#include "base/hex.h"

namespace keyturn::crypto {
namespace {

std::string ReadVector(const std::string& name) {
  std::ifstream file(std::string(KEYTURN_SOURCE_DIR) + "/tests/data/vectors/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Bytes Document() {
  std::istringstream lines(ReadVector("nitro_attestation.txt"));
  std::string base64;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) base64 += line;
  }
  return *Base64Decode(base64);
}

AttestationRoots AwsRoot() { return *AttestationRoots::FromPem(ReadVector("nitro_root.pem")); }

// The certificate of the document was valid for three hours.
const TimePoint kThen = FromEpochMillis(1'726'535'000'000);

TEST(Attestation, ADocumentOfAwsVerifies) {
  const auto document = AwsRoot().Verify(Document(), kThen);
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->module_id, "i-0bbf1bfe232b8c2ce-enc0191fc27458c1d41");
  EXPECT_EQ(document->pcrs.size(), 16U);
  EXPECT_EQ(document->pcrs.at(0), Bytes(48, 0));
  EXPECT_EQ(HexEncode(document->pcrs.at(4)).substr(0, 16), "d352cfa31b8dc5f4");
  EXPECT_EQ(AsText(document->public_key), "dummy");
  EXPECT_FALSE(EnvelopFor(document->public_key, AsBytes("secret")));
}

TEST(Attestation, OnlyWhileItsCertificatesAreValid) {
  EXPECT_FALSE(AwsRoot().Verify(Document(), kThen + std::chrono::hours(24)));
  EXPECT_FALSE(AwsRoot().Verify(Document(), kThen - std::chrono::hours(24)));
}

TEST(Attestation, EveryBitCounts) {
  const AttestationRoots root = AwsRoot();
  const Bytes document = Document();
  // Every byte would take a minute; every 7th meets all kinds of them.
  for (std::size_t at = 0; at < document.size(); at += 7) {
    Bytes changed = document;
    changed[at] ^= 0x10;
    EXPECT_FALSE(root.Verify(changed, kThen)) << "byte " << at;
  }
}

TEST(Attestation, APieceIsNoDocument) {
  const Bytes document = Document();
  for (std::size_t size = 0; size < document.size(); size += 13) {
    EXPECT_FALSE(ReadAttestationDocument(ByteView(document).first(size)));
  }
  EXPECT_TRUE(ReadAttestationDocument(document));
}

TEST(Attestation, RootsAreCertificates) {
  EXPECT_FALSE(AttestationRoots::FromPem(""));
  EXPECT_FALSE(AttestationRoots::FromPem("no certificate"));
  std::string broken = ReadVector("nitro_root.pem");
  broken.replace(broken.find("MIIC"), 4, "MIIX");
  EXPECT_FALSE(AttestationRoots::FromPem(broken));
  EXPECT_FALSE(AttestationRoots::FromPem(ReadVector("nitro_root.pem") + broken));
}

}  // namespace
}  // namespace keyturn::crypto
