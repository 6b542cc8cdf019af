// Key files, signatures and files of allowed signers: any bytes are read or refused.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "crypto/cms.h"
#include "crypto/ssh_signature.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;          // NOLINT(google-build-using-namespace)
  using namespace keyturn::crypto;  // NOLINT(google-build-using-namespace)
  const ByteView bytes(data, size);
  const std::string_view text = AsText(bytes);
  if (const auto signer = SshSigner::FromPrivateKey(bytes)) {
    const auto own = SshSignature::Parse(signer->Sign(bytes, "fuzz"));
    KT_CHECK(own && own->Verify(bytes, "fuzz"));
  }
  const auto signature = SshSignature::Parse(text);
  if (signature) {
    signature->Verify(bytes, signature->name_space);
    KT_CHECK(!signature->Fingerprint().empty());
  }
  const auto signers = ParseAllowedSigners(text, "file");
  if (signers && signature) FindSigner(*signers, *signature, "fuzz", FromEpochMillis(0));
  const auto who = VerifyCms(bytes, AsBytes("x"), {}, FromEpochMillis(0));
  KT_CHECK(who || who.error().code == ErrorCode::kUsage);
  return 0;
}
