// YamlToJson: no crash on any file; what it makes is JSON within our limits.
#include "base/bytes.h"
#include "base/check.h"
#include "cli/yaml_json.h"
#include "json/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  const auto made = cli::YamlToJson(AsText({data, size}));
  if (!made) {
    KT_CHECK(!made.error().message.empty());
    return 0;
  }
  json::Parser parser(json::Limits{.bytes_max = 4 << 20, .depth_max = 32});
  const auto parsed = parser.Parse(*made);
  // YAML holds bytes that are no UTF-8; JSON does not.
  KT_CHECK(parsed || parsed.error().code == ErrorCode::kMalformed);
  return 0;
}
