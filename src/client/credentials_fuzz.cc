// Configuration files, commands and the answers of credential services, whatever their bytes.
#include <cstdint>
#include <string_view>

#include "client/profile_file.h"
#include "client/sources.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::client;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ParseProfileFile(text, ProfileFileKind::kConfig, "fuzz");
  (void)ParseProfileFile(text, ProfileFileKind::kCredentials, "fuzz");
  (void)SplitCommand(text);
  (void)ParseCredentials(text, "Token", "fuzz");
  return 0;
}
