// Response reader: no crash on any input, and the same answers whether the bytes come at once or in
// small pieces (the first byte of the input says how small, and whether it answers HEAD).
#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "http/response_reader.h"

namespace {

using namespace keyturn::http;  // a fuzz target is one file, with no header to leak this

constexpr std::size_t kBytesMax = 4096;

// Transcript returns the answer of text and how it ended.
std::string Transcript(std::string_view text, std::size_t step, bool without_body) {
  ResponseReader reader;
  reader.Begin(kBytesMax, without_body);
  auto state = ResponseReader::State::kMore;
  while (state == ResponseReader::State::kMore && !text.empty()) {
    state = reader.Put(text.substr(0, step));
    text.remove_prefix(std::min(step, text.size()));
  }
  if (state == ResponseReader::State::kMore) state = reader.End();
  if (state != ResponseReader::State::kDone) return "none";
  const ClientResponse response = reader.Take();
  KT_CHECK(response.body.size() <= kBytesMax);
  std::string out = std::to_string(response.status) + "\n";
  for (const auto& [name, value] : response.headers) {
    out.append(std::to_string(name.size())).append(name).append(value).append("\n");
  }
  return out.append(response.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 65536) {
    return 0;
  }
  const std::string_view text = keyturn::AsText({data + 1, size - 1});
  const bool without_body = (data[0] & 0x80) != 0;
  const std::size_t step = static_cast<std::size_t>(data[0] & 0x7F) + 1;
  KT_CHECK(Transcript(text, text.size() + 1, without_body) == Transcript(text, step, without_body));
  return 0;
}
