// Targets file: no crash on any input; what is taken can be called, and an error names the file.
#include "base/bytes.h"
#include "base/check.h"
#include "control/targets_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::control;
  const auto entries = ParseTargetsFile(keyturn::AsText({data, size}), "file");
  if (!entries) {
    KT_CHECK(entries.error().message.starts_with("file:"));
    return 0;
  }
  KT_CHECK(!entries->empty());
  for (const FleetEntry& entry : *entries) {
    KT_CHECK(entry.place.starts_with("file:"));
    KT_CHECK(entry.accounts.size() < 2 || !entry.role_name.empty());
    for (const std::string& account : entry.accounts) KT_CHECK(IsAccountId(account));
  }
  return 0;
}
