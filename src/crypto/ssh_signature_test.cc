#include "crypto/ssh_signature.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "crypto/cms.h"
#include "crypto/digest.h"

namespace keyturn::crypto {
namespace {

constexpr std::string_view kSpace = "keyturn-evidence";

std::string Read(const std::string& name) {
  std::ifstream file(std::string(KEYTURN_SOURCE_DIR) + "/tests/data/signing/" + name,
                     std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

Result<SshSigner> SignerOf(const std::string& text) {
  return SshSigner::FromPrivateKey(AsBytes(text));
}

TEST(Sha256Stream, PiecesAreTheWhole) {
  Sha256Stream stream;
  EXPECT_EQ(stream.Finish(), Sha256({}));
  for (const std::string_view piece : {"one", "", " two"}) stream.Update(AsBytes(piece));
  EXPECT_EQ(stream.Finish(), Sha256(AsBytes("one two")));
  EXPECT_EQ(stream.Finish(), Sha256({}));
}

TEST(SshSignature, IsWhatSshKeygenMakes) {
  const auto signer = SignerOf(Read("ed25519"));
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_EQ(signer->Sign(AsBytes(Read("message")), kSpace), Read("message.sig"));
  EXPECT_EQ(signer->PublicKey() + " auditor@example.com\n", Read("ed25519.pub"));
}

TEST(SshSignature, HoldsForTheMessageAndTheNameSpaceOnly) {
  const auto signature = SshSignature::Parse(Read("message.sig"));
  ASSERT_TRUE(signature) << signature.error().message;
  const std::string message = Read("message");
  EXPECT_TRUE(signature->Verify(AsBytes(message), kSpace));
  EXPECT_FALSE(signature->Verify(AsBytes(message + "x"), kSpace));
  EXPECT_FALSE(signature->Verify(AsBytes(message), "file"));
  EXPECT_TRUE(signature->Fingerprint().starts_with("SHA256:"));
}

TEST(SshSignature, EveryChangedByteIsFound) {
  const std::string text = Read("message.sig");
  const std::string message = Read("message");
  const std::size_t begin = text.find('\n') + 1;
  const std::size_t end = text.find("-----END");
  for (std::size_t i = begin; i < end; ++i) {
    if (text[i] == '\n') continue;
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto signature = SshSignature::Parse(changed);
    EXPECT_FALSE(signature && signature->Verify(AsBytes(message), kSpace)) << i;
  }
}

TEST(SshSignature, KeysThatCannotBeUsedAreRefusedByName) {
  const auto message_of = [](const std::string& text) {
    const auto signer = SignerOf(text);
    return signer ? std::string("taken") : signer.error().message;
  };
  EXPECT_NE(message_of(Read("ed25519-passphrase")).find("passphrase"), std::string::npos);
  EXPECT_NE(message_of(Read("rsa")).find("ssh-rsa"), std::string::npos);
  EXPECT_NE(message_of("-----BEGIN PRIVATE KEY-----\n").find("ssh-keygen"), std::string::npos);
  EXPECT_NE(message_of("").find("ssh-keygen"), std::string::npos);
  const auto rsa = SshSignature::Parse(Read("message-rsa.sig"));
  ASSERT_FALSE(rsa);
  EXPECT_NE(rsa.error().message.find("ssh-rsa"), std::string::npos);
}

TEST(SshSignature, ADamagedKeyFileIsRefused) {
  const std::string text = Read("ed25519");
  for (std::size_t size = 0; size + 1 < text.size(); size += 7) {
    EXPECT_FALSE(SignerOf(text.substr(0, size))) << size;
  }
  int taken = 0;
  for (std::size_t i = 36; i < text.find("-----END"); ++i) {
    std::string changed = text;
    if (changed[i] == '\n') continue;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // Only the two equal check numbers and the comment are not part of the key.
    if (SignerOf(changed)) ++taken;
  }
  EXPECT_LE(taken, 30);
}

TEST(AllowedSigners, FindsTheKeyInItsNameSpaceAndTime) {
  const auto signature = SshSignature::Parse(Read("message.sig"));
  ASSERT_TRUE(signature);
  std::string key = Read("ed25519.pub");
  key.pop_back();
  const auto now = *ParseIso8601("2026-11-25T10:00:00Z");
  const auto found = [&](const std::string& text) -> std::string {
    const auto signers = ParseAllowedSigners(text, "signers");
    if (!signers) return signers.error().message;
    const auto* one = FindSigner(*signers, *signature, kSpace, now);
    return one == nullptr ? "none" : one->principals;
  };
  EXPECT_EQ(found("# comment\n\na@example.com " + key + "\n"), "a@example.com");
  EXPECT_EQ(found("a,b namespaces=\"git,keyturn-*\" " + key), "a,b");
  EXPECT_EQ(found("a namespaces=\"git\" " + key), "none");
  EXPECT_EQ(found("a valid-after=\"20260101\",valid-before=\"20270101Z\" " + key), "a");
  EXPECT_EQ(found("a valid-before=\"20260101\" " + key), "none");
  EXPECT_EQ(found("a valid-after=\"20270101\" " + key), "none");
  EXPECT_EQ(found("a cert-authority " + key), "none");
  EXPECT_EQ(found("a ssh-ed25519 AAAA"), "none");
  EXPECT_EQ(found("a unknown=\"x\" " + key), "signers:1: an option is not understood");
  EXPECT_EQ(found("ok " + key + "\na " + "\n"), "signers:2: there is no type of key");
  EXPECT_EQ(found("a ssh-ed25519 ===="), "signers:1: the key is no base64");
}

TEST(Cms, SignsAndVerifiesAgainstTheRoot) {
  const auto signer = CmsSigner::Create(AsBytes(Read("signer.pem")), AsBytes(Read("signer.key")));
  ASSERT_TRUE(signer) << signer.error().message;
  const auto now = *ParseIso8601("2030-01-01T00:00:00Z");
  const std::string message = Read("message");
  const auto signature = signer->Sign(AsBytes(message), now);
  ASSERT_TRUE(signature) << signature.error().message;
  const auto who = VerifyCms(*signature, AsBytes(message), Read("ca.pem"), now);
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(*who, "CN=Auditor,O=Example");
  EXPECT_TRUE(VerifyCms(*signature, AsBytes(message), "", now));
  EXPECT_FALSE(VerifyCms(*signature, AsBytes(message + "x"), Read("ca.pem"), now));
  EXPECT_FALSE(VerifyCms(*signature, AsBytes(message + "x"), "", now));
  EXPECT_FALSE(VerifyCms(*signature, AsBytes(message), Read("other-ca.pem"), now));
  EXPECT_FALSE(VerifyCms(*signature, AsBytes(message), Read("ca.pem"),
                         *ParseIso8601("2200-01-01T00:00:00Z")));
  Bytes cut(signature->begin(), signature->end() - 1);
  EXPECT_FALSE(VerifyCms(cut, AsBytes(message), Read("ca.pem"), now));
}

TEST(Cms, KeysThatCannotBeUsedAreRefusedByName) {
  const auto refused = [](const std::string& certificate, const std::string& key) {
    const auto signer = CmsSigner::Create(AsBytes(certificate), AsBytes(key));
    return signer ? std::string("taken") : signer.error().message;
  };
  EXPECT_NE(refused(Read("signer.pem"), Read("signer-passphrase.key")).find("passphrase"),
            std::string::npos);
  EXPECT_NE(refused(Read("ca.pem"), Read("signer.key")).find("does not belong"), std::string::npos);
  EXPECT_NE(refused("", Read("signer.key")).find("no certificate"), std::string::npos);
  EXPECT_NE(refused(Read("signer.pem"), "x").find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace keyturn::crypto
