// JSON parser: no crash on any input; what parses is written and parsed again to the same text.
#include "base/check.h"
#include "json/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using keyturn::json::Parser;
  static Parser parser;
  static Parser again;
  const auto value = parser.Parse(keyturn::AsText({data, size}));
  if (value) {
    const std::string text = value->ToJson();
    const auto second = again.Parse(text);
    KT_CHECK(second && second->ToJson() == text);
  }
  return 0;
}
