// What the console reads from pages and from its own files: no input may crash it, and what is
// taken is written back the same.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "console/compliance_log.h"
#include "console/jobs/job.h"
#include "console/jobs/job_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::console;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto job = ParseJob(text)) {
    const std::string written = JobText(*job);
    const auto again = ParseJob(written);
    KT_CHECK(again && JobText(*again) == written);
  }
  if (const auto request = ParseJobRequest(text)) {
    KT_CHECK(!request->keys.empty() && request->keys.size() <= kJobKeysMax);
    KT_CHECK(request->wanted.enabled || !request->justification.empty());
  }
  (void)ParseJustification(text);
  const auto days = ParseComplianceDays(text);
  KT_CHECK(ParseComplianceDays(ComplianceText(days)).size() == days.size());
  return 0;
}
