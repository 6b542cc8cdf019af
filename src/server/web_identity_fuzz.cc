// WebIdentity: no crash on any token and any key set, and no token of the fuzzer's is taken.
#include "base/bytes.h"
#include "base/check.h"
#include "server/web_identity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  const std::string_view text = AsText({data, size});
  auto provider = std::make_shared<store::ProviderRow>();
  provider->host = "id.example.com";
  provider->audiences = {"app"};
  // The key is the generator of P-256: public, so its private key (1) is known to everybody, but no
  // corpus file is signed with it.
  provider->key_set =
      R"({"keys":[{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
      R"("y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}]})";
  (void)server::IssuerHost(text);
  const auto taken = server::VerifyWebIdentity(text, provider, FromEpochMillis(1'795'000'000'000));
  KT_CHECK(!taken && !taken.error().message.empty());
  const std::size_t line = text.find('\n');
  if (line != std::string_view::npos) {
    provider->key_set = text.substr(0, line);
    (void)server::CheckKeySet(provider->key_set);
    (void)server::VerifyWebIdentity(text.substr(line + 1), provider,
                                    FromEpochMillis(1'795'000'000'000));
  }
  return 0;
}
