// Lines of an audit's state: no crash on any input, and what is taken is written and read back the
// same.
#include "base/bytes.h"
#include "base/check.h"
#include "control/audit_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::control;
  const auto facts = ReadStateLine(keyturn::AsText({data, size}));
  if (!facts) return 0;
  const std::string line = StateLine(*facts);
  const auto again = ReadStateLine(line);
  KT_CHECK(again && StateLine(*again) == line);
  return 0;
}
