#include "crypto/seal.h"

#include "crypto/gcm.h"

namespace keyturn::crypto {

Bytes Seal(const Key256& key, ByteView associated_data, ByteView plaintext, RandomSource& random) {
  Bytes sealed(plaintext.size() + kSealOverheadBytes);
  const MutableByteView all(sealed);
  const auto iv = all.first(kGcmIvBytes);
  random.Fill(iv);
  GcmEncrypt(key.reveal(), iv, {&associated_data, 1}, plaintext,
             all.subspan(kGcmIvBytes, plaintext.size()), all.last(kGcmTagBytes));
  return sealed;
}

Result<SecretBytes> Open(const Key256& key, ByteView associated_data, ByteView sealed) {
  if (sealed.size() < kSealOverheadBytes) {
    return Fail(ErrorCode::kCorrupt, "sealed value does not open");
  }
  SecretBytes plaintext(sealed.size() - kSealOverheadBytes);
  if (!GcmDecrypt(key.reveal(), sealed.first(kGcmIvBytes), {&associated_data, 1},
                  sealed.subspan(kGcmIvBytes, plaintext.size()), sealed.last(kGcmTagBytes),
                  plaintext.reveal_mutable())) {
    return Fail(ErrorCode::kCorrupt, "sealed value does not open");
  }
  return plaintext;
}

}  // namespace keyturn::crypto
