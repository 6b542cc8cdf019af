// Recorded runs: no crash on any input; what is read adds up.
#include "base/bytes.h"
#include "base/check.h"
#include "control/run_compare.h"
#include "control/run_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::control;  // NOLINT(google-build-using-namespace)
  const auto run = ParseRun(keyturn::AsText({data, size}), "file");
  if (!run) return 0;
  KT_CHECK(run->totals.listed == run->keys.size());
  KT_CHECK(!FirstDifference(*run, *run, false));
  DiffRuns(*run, *run);
  return 0;
}
