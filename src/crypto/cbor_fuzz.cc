// The CBOR reader: whatever it accepts has no more items than bytes, and the attestation reader on
// top of it never crashes.
#include "base/check.h"
#include "crypto/attestation.h"
#include "crypto/cbor.h"

namespace {

std::size_t Items(const keyturn::crypto::CborValue& value) {
  std::size_t count = 1;
  for (const auto& item : value.items) count += Items(item);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const keyturn::ByteView input(data, size);
  if (const auto value = keyturn::crypto::ParseCbor(input)) {
    const std::size_t items = Items(*value);
    KT_CHECK(items <= size && items <= keyturn::crypto::CborLimits().items_max);
  }
  (void)keyturn::crypto::ReadAttestationDocument(input);
  return 0;
}
