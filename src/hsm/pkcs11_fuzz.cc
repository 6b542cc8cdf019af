// Protocol of the PKCS#11 worker: no bytes crash either side's parser, and what one accepts is
// encoded to the same bytes.
#include <algorithm>

#include "base/check.h"
#include "hsm/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  const ByteView input(data, size);
  if (size > hsm::kFrameBytesMax) return 0;
  if (const auto request = hsm::DecodeRequest(input)) {
    const SecretBytes again = hsm::Encode(*request);
    const ByteView bytes = again.reveal();
    KT_CHECK(std::equal(bytes.begin(), bytes.end(), input.begin(), input.end()));
  }
  if (const auto reply = hsm::DecodeReply(input)) {
    const SecretBytes again = hsm::Encode(*reply);
    const ByteView bytes = again.reveal();
    KT_CHECK(std::equal(bytes.begin(), bytes.end(), input.begin(), input.end()));
  }
  return 0;
}
