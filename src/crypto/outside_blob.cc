#include "crypto/outside_blob.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/hex.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "crypto/gcm.h"

namespace keyturn::crypto {
namespace {

// All versions begin alike: version, key kind, key id. Keys of custom key stores are single-Region.
constexpr std::uint8_t kKindUuid = 0x00;
constexpr std::size_t kKeyIdAt = 2;
constexpr std::size_t kIdsEnd = kKeyIdAt + 16;
// Version 1 and 2 go on with the material id.
constexpr std::size_t kMaterialIdsEnd = kIdsEnd + 32;
constexpr std::size_t kSizesBytes = 2;  // of iv and metadata

constexpr std::size_t kPlaintextBytesMax = 4096;
constexpr std::size_t kInnerOverhead = 126 - kMaterialIdsEnd;  // nonce, iv, commitment, tag
constexpr std::string_view kAadLabel = "keyturn/v2/external";

void Append(ByteView from, Bytes& to) { to.insert(to.end(), from.begin(), from.end()); }

void AppendIds(BlobKind kind, ByteView key_id, Bytes& out) {
  const std::string_view text = AsText(key_id);
  KT_CHECK(IsUuid(text));
  std::string hex;
  std::copy_if(text.begin(), text.end(), std::back_inserter(hex), [](char c) { return c != '-'; });
  out.push_back(static_cast<std::uint8_t>(kind));
  out.push_back(kKindUuid);
  out.resize(kIdsEnd);
  KT_CHECK(HexDecodeInto(hex, MutableByteView(out).subspan(kKeyIdAt, 16)));
}

bool Begins(ByteView blob, BlobKind kind) {
  return blob.size() >= kIdsEnd && blob[0] == static_cast<std::uint8_t>(kind) &&
         blob[1] == kKindUuid;
}

}  // namespace

Result<AnyBlobHeader> ParseAnyBlobHeader(ByteView blob) {
  AnyBlobHeader header;
  if (Begins(blob, BlobKind::kExternal)) {
    KT_TRY(ParseExternalBlob(blob));
    header.kind = BlobKind::kExternal;
  } else if (Begins(blob, BlobKind::kToken)) {
    KT_TRY(ParseTokenBlob(blob));
    header.kind = BlobKind::kToken;
  } else {
    KT_ASSIGN(const BlobHeader known, ParseBlobHeader(blob));
    header.key_id = known.key_id;
    return header;
  }
  std::string hex = HexEncode(blob.subspan(kKeyIdAt, 16));
  for (const std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  std::copy(hex.begin(), hex.end(), header.key_id.begin());
  return header;
}

ByteView ForProxy(ByteView inner_blob) {
  KT_CHECK(inner_blob.size() >= kMaterialIdsEnd);
  return inner_blob.subspan(kMaterialIdsEnd);
}

std::array<std::uint8_t, 32> ExternalAad(ByteView blob, const EncryptionContext& context) {
  KT_CHECK(blob.size() >= kMaterialIdsEnd);
  const ByteView parts[] = {AsBytes(kAadLabel), blob.subspan(1, kMaterialIdsEnd - 1),
                            EncodeContext(context)};
  return Sha256Parts(parts);
}

Bytes MakeExternalBlob(ByteView inner_blob, const ExternalParts& parts) {
  KT_CHECK(Begins(inner_blob, BlobKind::kMaterial) && inner_blob.size() >= kMaterialIdsEnd);
  KT_CHECK((parts.iv.size() == 12 || parts.iv.size() == 16) && parts.tag.size() == kGcmTagBytes &&
           parts.metadata.size() <= kExternalMetadataBytesMax);
  Bytes blob(inner_blob.begin(), inner_blob.begin() + kMaterialIdsEnd);
  blob[0] = static_cast<std::uint8_t>(BlobKind::kExternal);
  blob.push_back(static_cast<std::uint8_t>(parts.iv.size()));
  blob.push_back(static_cast<std::uint8_t>(parts.metadata.size()));
  for (const ByteView part : {parts.iv, parts.metadata, parts.tag, parts.ciphertext}) {
    Append(part, blob);
  }
  return blob;
}

Result<ExternalParts> ParseExternalBlob(ByteView blob) {
  constexpr std::size_t kFixed = kMaterialIdsEnd + kSizesBytes;
  if (!Begins(blob, BlobKind::kExternal) || blob.size() < kFixed) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  const std::size_t iv_bytes = blob[kMaterialIdsEnd];
  const std::size_t metadata_bytes = blob[kMaterialIdsEnd + 1];
  const std::size_t least = kFixed + iv_bytes + metadata_bytes + kGcmTagBytes + kInnerOverhead;
  if ((iv_bytes != 12 && iv_bytes != 16) || metadata_bytes > kExternalMetadataBytesMax ||
      blob.size() < least || blob.size() > least + kPlaintextBytesMax) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  ExternalParts parts;
  std::size_t at = kFixed;
  parts.iv = blob.subspan(at, iv_bytes);
  parts.metadata = blob.subspan(at += iv_bytes, metadata_bytes);
  parts.tag = blob.subspan(at += metadata_bytes, kGcmTagBytes);
  parts.ciphertext = blob.subspan(at + kGcmTagBytes);
  return parts;
}

Bytes InnerBlob(ByteView blob, ByteView opened) {
  KT_CHECK(blob.size() >= kMaterialIdsEnd);
  Bytes inner(blob.begin(), blob.begin() + kMaterialIdsEnd);
  inner[0] = static_cast<std::uint8_t>(BlobKind::kMaterial);
  Append(opened, inner);
  return inner;
}

Bytes TokenAad(ByteView key_id, const EncryptionContext& context) {
  Bytes aad;
  AppendIds(BlobKind::kToken, key_id, aad);
  Append(EncodeContext(context), aad);
  return aad;
}

Bytes MakeTokenBlob(ByteView key_id, const TokenParts& parts) {
  KT_CHECK(parts.iv.size() == kGcmIvBytes && parts.sealed.size() >= kGcmTagBytes);
  Bytes blob;
  AppendIds(BlobKind::kToken, key_id, blob);
  Append(parts.iv, blob);
  Append(parts.sealed, blob);
  return blob;
}

Result<TokenParts> ParseTokenBlob(ByteView blob) {
  constexpr std::size_t kLeast = kIdsEnd + kGcmIvBytes + kGcmTagBytes;
  if (!Begins(blob, BlobKind::kToken) || blob.size() < kLeast ||
      blob.size() > kLeast + kPlaintextBytesMax) {
    return Fail(ErrorCode::kInvalidCiphertextException);
  }
  return TokenParts{blob.subspan(kIdsEnd, kGcmIvBytes), blob.subspan(kIdsEnd + kGcmIvBytes)};
}

}  // namespace keyturn::crypto
