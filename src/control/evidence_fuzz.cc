// Bundles: no crash on any records or manifest; what is taken is chained.
#include "base/bytes.h"
#include "base/check.h"
#include "control/evidence_bundle.h"
#include "control/evidence_replay.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;           // NOLINT(google-build-using-namespace)
  using namespace keyturn::control;  // NOLINT(google-build-using-namespace)
  const std::string_view text = AsText({data, size});
  if (const auto manifest = ParseManifest(text, "manifest")) {
    KT_CHECK(!manifest->files.empty());
  }
  RecordChain chain;
  EvidenceReplay replay([text](std::uint64_t offset, std::size_t bytes) -> Result<std::string> {
    return std::string(text.substr(offset, bytes));
  });
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::uint64_t before = chain.count();
    const auto record = chain.Take(line);
    if (!record) break;
    KT_CHECK(chain.count() == before + 1);
    replay.Add(*record, static_cast<std::uint64_t>(line.data() - text.data()), line.size());
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  for (const Target& target : replay.targets()) {
    replay.Begin(target, [](const tl::expected<Access::Open, Access::Closed>& opened) {
      if (opened) {
        opened->client->Call("ListKeys", "eu-central-1", R"({"Limit":1000})",
                             [](const client::CallResult&) {});
      }
    });
  }
  while (replay.Pump(std::chrono::milliseconds(0)) > 0) {
  }
  return 0;
}
