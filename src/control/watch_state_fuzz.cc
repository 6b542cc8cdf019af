// State of watch: no crash on any input; what is taken is written again as it was.
#include "base/bytes.h"
#include "base/check.h"
#include "control/watch_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using keyturn::control::WatchState;
  const auto state = WatchState::Parse(keyturn::AsText({data, size}), "file");
  if (!state) {
    KT_CHECK(state.error().message.starts_with("file:"));
    return 0;
  }
  const std::string text = state->Text();
  const auto again = WatchState::Parse(text, "again");
  KT_CHECK(again.has_value());
  KT_CHECK(again->Text() == text);
  return 0;
}
