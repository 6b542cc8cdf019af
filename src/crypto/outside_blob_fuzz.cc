// Outside blobs: no bytes crash the parsers, and what they accept is made again to the byte.
#include <algorithm>

#include "base/check.h"
#include "crypto/outside_blob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  using namespace keyturn::crypto;
  const ByteView input(data, size);
  const auto header = ParseAnyBlobHeader(input);
  if (!header) {
    KT_CHECK(header.error().code == ErrorCode::kInvalidCiphertextException);
    return 0;
  }
  const std::string_view key_id(header->key_id.data(), header->key_id.size());
  if (header->kind == BlobKind::kToken) {
    const auto parts = ParseTokenBlob(input);
    KT_CHECK(parts);
    const Bytes again = MakeTokenBlob(AsBytes(key_id), *parts);
    KT_CHECK(std::equal(again.begin(), again.end(), input.begin(), input.end()));
  } else if (header->kind == BlobKind::kExternal) {
    const auto parts = ParseExternalBlob(input);
    KT_CHECK(parts);
    const Bytes inner = InnerBlob(input, parts->ciphertext);
    const Bytes again = MakeExternalBlob(inner, *parts);
    KT_CHECK(std::equal(again.begin(), again.end(), input.begin(), input.end()));
  }
  return 0;
}
