// SigV4: no Authorization header, date or request line crashes the parser, and nothing that the
// fuzzer can write verifies under a key that it does not know.
//
// Input: lines. The first is the Authorization header, the second X-Amz-Date, the third the path,
// the fourth the query; each further line is a header "name:value".
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "sigv4/sigv4.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  std::vector<std::string_view> lines;
  for (std::string_view rest = AsText({data, size}); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  lines.resize(std::max<std::size_t>(lines.size(), 4));
  std::vector<sigv4::Header> headers = {
      {"host", "example.amazonaws.com"}, {"Authorization", lines[0]}, {"X-Amz-Date", lines[1]}};
  for (std::size_t i = 4; i < lines.size(); ++i) {
    const std::size_t colon = std::min(lines[i].find(':'), lines[i].size());
    headers.push_back(
        {lines[i].substr(0, colon), lines[i].substr(std::min(colon + 1, lines[i].size()))});
  }
  const sigv4::Request request{"POST", lines[2], lines[3], headers, AsBytes("{}")};
  const auto parsed =
      sigv4::ParseAuthorization(request, "service", *ParseBasic("20150830T123600Z"));
  if (parsed) {
    KT_CHECK(parsed->service == "service" && parsed->date == "20150830");
    KT_CHECK(
        !sigv4::VerifySignature(request, *parsed,
                                crypto::HmacKey(sigv4::SigningKey(AsBytes("unknown"), parsed->date,
                                                                  parsed->region, parsed->service)
                                                    .reveal())));
  }
  return 0;
}
