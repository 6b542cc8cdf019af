// Answers of external key store proxies: no bytes crash a parser, and what one accepts keeps to the
// sizes that the specification has.
#include "base/check.h"
#include "xks/answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  const std::string_view body = AsText({data, size});
  const xks::Reported reported = xks::ReadError(body);
  KT_CHECK(reported.message.size() <= 512);
  for (const char c : reported.message) KT_CHECK(c >= ' ' && c <= '~');
  (void)xks::ReadHealth(body);
  if (const auto facts = xks::ReadMetadata(body)) KT_CHECK(facts->usage.size() <= 10);
  for (const std::size_t expected : {std::size_t{0}, std::size_t{12}}) {
    const auto encrypted = xks::ReadEncrypted(body, expected,
                                              AsBytes("project=nile,department="
                                                      "marketing"));
    if (encrypted) {
      KT_CHECK(encrypted->ciphertext.size() == expected && encrypted->tag.size() == 16 &&
               encrypted->metadata.size() <= 20);
      KT_CHECK(encrypted->iv.size() == 12 || encrypted->iv.size() == 16);
    }
    const auto decrypted = xks::ReadDecrypted(body, expected);
    KT_CHECK(!decrypted || decrypted->size() == expected);
  }
  return 0;
}
