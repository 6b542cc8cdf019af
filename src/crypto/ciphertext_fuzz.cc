// Ciphertext: no bytes crash the parser, no bytes decrypt that EncryptBlob did not write, and no
// change to a blob goes unnoticed.
//
// Input: the first two bytes choose the change to a good blob; all of it is also tried as a blob.
#include <algorithm>

#include "base/check.h"
#include "crypto/ciphertext.h"
#include "crypto/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  using namespace keyturn::crypto;
  // Fresh for each process: no input can be a valid blob.
  static const HmacKey material = [] {
    Key256 key;
    SystemRandom().Fill(key.reveal_mutable());
    return HmacKey(key.reveal());
  }();
  const ByteView input(data, size);
  const bool parsed = ParseBlobHeader(input).has_value();
  const auto opened = DecryptBlob(material, input, {});
  KT_CHECK(!opened && opened.error().code == ErrorCode::kInvalidCiphertextException);
  KT_CHECK(opened.error().message.empty());
  KT_CHECK(parsed || size < 126 || data[0] != 1 || data[1] > 1 || size > 4096 + 126);

  if (size < 2) {
    return 0;
  }
  const Bytes material_id(32, data[0]);
  const EncryptionContext context = {{"k", std::string(AsText(input.subspan(2)))}};
  const ByteView plaintext = input.first(std::min<std::size_t>(size, 64));
  Bytes blob = EncryptBlob(material, {AsBytes("1234abcd-12ab-34cd-56ef-1234567890ab"), material_id},
                           context, plaintext, SystemRandom());
  const auto whole = DecryptBlob(material, blob, context);
  KT_CHECK(whole && std::equal(plaintext.begin(), plaintext.end(), whole->reveal().begin()));
  KT_CHECK(!DecryptBlob(material, blob, {}));
  blob[data[0] % blob.size()] ^= static_cast<std::uint8_t>(1U << (data[1] % 8));
  KT_CHECK(!DecryptBlob(material, blob, context));
  blob.resize(data[1] % blob.size());
  KT_CHECK(!DecryptBlob(material, blob, context));
  return 0;
}
