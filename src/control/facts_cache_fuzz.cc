// Facts cache: no crash on any input, and what is taken is written and read back the same.
#include "base/bytes.h"
#include "base/check.h"
#include "control/facts_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using keyturn::control::FactsCache;
  const auto cache = FactsCache::Parse(keyturn::AsText({data, size}), "file");
  if (!cache) {
    KT_CHECK(cache.error().message.starts_with("file: "));
    return 0;
  }
  KT_CHECK(cache->problem().empty() || cache->size() == 0);
  const std::string text = cache->Text();
  const auto again = FactsCache::Parse(text, "file");
  KT_CHECK(again && again->problem().empty() && again->Text() == text);
  return 0;
}
