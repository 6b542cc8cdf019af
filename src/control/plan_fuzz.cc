// Plan: no crash on any input, taken as a plan and as the content of one; what is read is written
// and read back the same.
#include "base/bytes.h"
#include "base/check.h"
#include "base/hex.h"
#include "control/plan.h"
#include "crypto/digest.h"
#include "json/json.h"

namespace {

// WithHash makes a plan of any content, as somebody who edits one could.
std::string WithHash(std::string_view content) {
  keyturn::json::Parser parser(keyturn::json::Limits{.bytes_max = 1 << 20, .depth_max = 15});
  const auto value = parser.Parse(content);
  const std::string canonical = value ? value->ToJson() : std::string(content);
  return R"({"format":"keyturn-plan","version":3,"sha256":")" +
         keyturn::HexEncode(keyturn::crypto::Sha256(keyturn::AsBytes(canonical))) +
         R"(","content":)" + canonical + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::control;  // NOLINT(google-build-using-namespace)
  const std::string_view text = keyturn::AsText({data, size});
  (void)ParsePlan(text, "file");
  const auto plan = ParsePlan(WithHash(text), "file");
  if (!plan) return 0;
  (void)PlanNotes(*plan);
  const std::string written = PlanText(*plan);
  const auto again = ParsePlan(written, "again");
  KT_CHECK(again && PlanText(*again) == written);
  return 0;
}
