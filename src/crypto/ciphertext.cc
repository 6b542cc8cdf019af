#include "crypto/ciphertext.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/hex.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "crypto/gcm.h"

namespace keyturn::crypto {
namespace {

// docs/formats/ciphertext.md: version, key kind and id, material id, nonce, IV, commitment.
constexpr std::uint8_t kVersion = 0x01;
constexpr std::uint8_t kKindUuid = 0x00;
constexpr std::uint8_t kKindMultiRegion = 0x01;

constexpr std::size_t kKindAt = 1;
constexpr std::size_t kKeyIdAt = 2;
constexpr std::size_t kMaterialIdAt = kKeyIdAt + 16;
constexpr std::size_t kNonceAt = kMaterialIdAt + 32;
constexpr std::size_t kIvAt = kNonceAt + 16;
constexpr std::size_t kCommitmentAt = kIvAt + kGcmIvBytes;
constexpr std::size_t kBodyAt = kCommitmentAt + 32;
constexpr std::size_t kOverhead = kBodyAt + kGcmTagBytes;
static_assert(kOverhead <= kBlobOverheadMax);

constexpr std::size_t kPlaintextBytesMax = 4096;

constexpr std::string_view kMessageKeyLabel = "keyturn/v1/message-key";
constexpr std::string_view kCommitmentLabel = "keyturn/v1/key-commitment";

// PackKeyId: 36 characters to kind and 16 bytes.
void PackKeyId(ByteView key_id, MutableByteView kind, MutableByteView packed) {
  const std::string_view text = AsText(key_id);
  KT_CHECK(text.size() == 36);
  std::array<char, 32> hex{};
  const bool multi_region = text.starts_with("mrk-");
  KT_CHECK(multi_region || IsUuid(text));
  std::size_t at = 0;
  for (const char c : multi_region ? text.substr(4) : text) {
    if (c != '-') {
      KT_CHECK(at < hex.size());
      hex[at++] = c;
    }
  }
  kind[0] = multi_region ? kKindMultiRegion : kKindUuid;
  KT_CHECK(at == hex.size() && HexDecodeInto({hex.data(), hex.size()}, packed));
}

void UnpackKeyId(bool multi_region, ByteView packed, std::array<char, 36>& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::size_t at = 0;
  if (multi_region) {
    std::copy_n("mrk-", 4, out.begin());
    at = 4;
  }
  for (std::size_t i = 0; i < packed.size(); ++i) {
    if (!multi_region && (i == 4 || i == 6 || i == 8 || i == 10)) {
      out[at++] = '-';
    }
    out[at++] = kDigits[packed[i] >> 4];
    out[at++] = kDigits[packed[i] & 0x0F];
  }
}

// IsBlob: of this version, by its looks.
bool IsBlob(ByteView blob) {
  return blob.size() >= kOverhead && blob.size() <= kOverhead + kPlaintextBytesMax &&
         blob[0] == kVersion && blob[kKindAt] <= kKindMultiRegion;
}

void AppendLength(std::size_t size, Bytes& out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(size >> shift));
  }
}

}  // namespace

const Bytes& EncodeContext(const EncryptionContext& context) {
  thread_local Bytes encoded;
  encoded.clear();
  AppendLength(context.size(), encoded);
  for (const auto& [key, value] : context) {
    for (const std::string* part : {&key, &value}) {
      AppendLength(part->size(), encoded);
      encoded.insert(encoded.end(), part->begin(), part->end());
    }
  }
  return encoded;
}

Bytes EncryptBlob(const HmacKey& material, const BlobIds& ids, const EncryptionContext& context,
                  ByteView plaintext, RandomSource& random) {
  KT_CHECK(plaintext.size() <= kPlaintextBytesMax && ids.material_id.size() == 32);
  Bytes blob(plaintext.size() + kOverhead);
  const MutableByteView all(blob);
  all[0] = kVersion;
  PackKeyId(ids.key_id, all.subspan(kKindAt, 1), all.subspan(kKeyIdAt, 16));
  std::copy(ids.material_id.begin(), ids.material_id.end(), blob.begin() + kMaterialIdAt);
  random.Fill(all.subspan(kNonceAt, 16 + kGcmIvBytes));

  const ByteView nonce = all.subspan(kNonceAt, 16);
  const Key256 commitment = DeriveKey(material, kCommitmentLabel, nonce);
  const ByteView commitment_bytes = commitment.reveal();
  std::copy(commitment_bytes.begin(), commitment_bytes.end(), blob.begin() + kCommitmentAt);

  const Key256 message_key = DeriveKey(material, kMessageKeyLabel, nonce);
  const ByteView associated_data[] = {all.first(kBodyAt), EncodeContext(context)};
  GcmEncrypt(message_key.reveal(), all.subspan(kIvAt, kGcmIvBytes), associated_data, plaintext,
             all.subspan(kBodyAt, plaintext.size()), all.last(kGcmTagBytes));
  return blob;
}

Result<BlobHeader> ParseBlobHeader(ByteView blob) {
  if (!IsBlob(blob)) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  BlobHeader header;
  UnpackKeyId(blob[kKindAt] == kKindMultiRegion, blob.subspan(kKeyIdAt, 16), header.key_id);
  const ByteView material_id = blob.subspan(kMaterialIdAt, 32);
  std::copy(material_id.begin(), material_id.end(), header.material_id.begin());
  return header;
}

Result<SecretBytes> DecryptBlob(const HmacKey& material, ByteView blob,
                                const EncryptionContext& context) {
  if (!IsBlob(blob)) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  const ByteView nonce = blob.subspan(kNonceAt, 16);
  const Key256 commitment = DeriveKey(material, kCommitmentLabel, nonce);
  const Key256 message_key = DeriveKey(material, kMessageKeyLabel, nonce);
  // Both checks are always made, and decided together: a caller cannot learn which one failed.
  const bool committed =
      ConstantTimeEquals(commitment.reveal(), blob.subspan(kCommitmentAt, commitment.size()));
  SecretBytes plaintext(blob.size() - kOverhead);
  const ByteView associated_data[] = {blob.first(kBodyAt), EncodeContext(context)};
  const bool authentic = GcmDecrypt(message_key.reveal(), blob.subspan(kIvAt, kGcmIvBytes),
                                    associated_data, blob.subspan(kBodyAt, plaintext.size()),
                                    blob.last(kGcmTagBytes), plaintext.reveal_mutable());
  if (!committed || !authentic) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  return plaintext;
}

}  // namespace keyturn::crypto
