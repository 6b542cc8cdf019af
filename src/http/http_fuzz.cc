// Request parser: no crash on any input, and the same requests whether the bytes come at once or in
// small pieces (the first byte of the input says how small). When a malformed head is refused may
// differ: one that comes in pieces is sometimes looked at only when it seems whole.
#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "http/request_parser.h"

namespace {

using namespace keyturn::http;  // a fuzz target is one file, with no header to leak this

void Append(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(":").append(text);
}

// Transcript returns every request of text.
std::string Transcript(std::string_view text, std::size_t step) {
  RequestParser parser(4096);
  InputBuffer input(kHeadBytesMax);
  RequestView view;
  std::string out;
  for (;;) {
    const ParseState state = parser.Parse(input, view);
    if (state == ParseState::kFailed) {
      KT_CHECK(parser.failure_status() >= 400 && !parser.failure_reason().empty());
      return out;
    }
    if (state == ParseState::kComplete) {
      Append(out, view.method);
      Append(out, view.target);
      Append(out, view.path);
      Append(out, view.query);
      for (const HeaderView& header : view.headers) {
        Append(out, header.name);
        Append(out, header.value);
      }
      Append(out, view.body);
      out += parser.keep_alive() ? " keep\n" : " close\n";
      parser.Finish(input);
      continue;
    }
    parser.TakeContinue();
    if (text.empty()) {
      return out;
    }
    const auto space = input.free_space();
    KT_CHECK(!space.empty());
    const std::size_t count = std::min({step, text.size(), space.size()});
    std::copy_n(text.data(), count, space.data());
    input.Commit(count);
    text.remove_prefix(count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 65536) {
    return 0;
  }
  const std::string_view text = keyturn::AsText({data + 1, size - 1});
  const std::size_t step = static_cast<std::size_t>(data[0]) + 1;
  KT_CHECK(Transcript(text, text.size()) == Transcript(text, step));
  return 0;
}
