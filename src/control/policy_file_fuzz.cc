// Policy file: no crash on any input; what is taken keeps within its bounds, and an error names the
// file.
#include "base/bytes.h"
#include "base/check.h"
#include "control/policy_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace control = keyturn::control;
  const auto policy = control::ParsePolicyFile(keyturn::AsText({data, size}), "file");
  if (!policy) {
    KT_CHECK(policy.error().message.starts_with("file:"));
    return 0;
  }
  const auto in_range = [](int days) {
    return days >= control::kPeriodDaysMin && days <= control::kPeriodDaysMax;
  };
  KT_CHECK(in_range(policy->evaluation.max_period_days));
  for (const int days : policy->also_judge) KT_CHECK(in_range(days));
  KT_CHECK(policy->watch.keys_per_run_max > 0 && policy->watch.failing_runs_min > 0);
  KT_CHECK(policy->watch.from_hour != policy->watch.to_hour);
  for (const std::string& rule : policy->Rules()) KT_CHECK(!rule.empty());
  return 0;
}
