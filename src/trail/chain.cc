#include "trail/chain.h"

#include <array>
#include <charconv>
#include <iterator>

#include "base/hex.h"

namespace keyturn::trail {
namespace {

constexpr std::string_view kMark = R"({"keyturnChain":)";
constexpr std::string_view kOpening = R"({"keyturnChain":1,"sequence":)";
constexpr std::string_view kBytes = R"(,"bytes":)";
constexpr std::string_view kRecovered = R"(,"recovered":true)";
constexpr std::string_view kValue = R"(,"value":")";
constexpr std::string_view kClosing = R"("})";

bool Skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) {
    return false;
  }
  text.remove_prefix(expected.size());
  return true;
}

// Number takes a decimal without sign and leading zero.
bool Number(std::string_view& text, std::uint64_t& out) {
  if (text.empty() || text.front() == '0' || text.front() == '-') {
    return false;
  }
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end.ec != std::errc()) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  return true;
}

void AppendNumber(std::uint64_t number, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number);
  out.append(std::begin(digits), end.ptr);
}

}  // namespace

bool IsChainLine(std::string_view line) { return line.starts_with(kMark); }

bool AreRecordLines(std::string_view text) {
  if (text.empty() || text.size() > kGroupBytesMax || text.back() != '\n') {
    return false;
  }
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() < 2 || line.front() != '{' || line.back() != '}' || IsChainLine(line)) {
      return false;
    }
    text.remove_prefix(line.size() + 1);
  }
  return true;
}

Result<ChainLine> ParseChainLine(std::string_view line) {
  std::string_view rest = line;
  ChainLine chain;
  std::uint64_t format = 0;
  if (Skip(rest, kMark) && Number(rest, format) && format > 1) {
    return Fail(ErrorCode::kNewerFormat, "the chain line was written by a newer version");
  }
  rest = line;
  if (!Skip(rest, kOpening) || !Number(rest, chain.sequence) || !Skip(rest, kBytes) ||
      !Number(rest, chain.bytes)) {
    return Fail(ErrorCode::kMalformed, "the chain line is malformed");
  }
  chain.recovered = Skip(rest, kRecovered);
  chain.signed_text = line.substr(0, line.size() - rest.size());
  constexpr std::size_t kHexDigits = 2 * std::tuple_size_v<ChainValue>;
  if (!Skip(rest, kValue) || rest.size() != kHexDigits + kClosing.size() ||
      !HexDecodeInto(rest.substr(0, kHexDigits), chain.value) ||
      rest.substr(kHexDigits) != kClosing) {
    return Fail(ErrorCode::kMalformed, "the chain line is malformed");
  }
  return chain;
}

ChainValue ComputeChainValue(const crypto::Key256& key, const ChainValue& previous,
                             std::string_view lines, std::string_view signed_text) {
  const std::array<ByteView, 3> parts = {ByteView(previous), AsBytes(lines), AsBytes(signed_text)};
  return crypto::HmacSha256Parts(key.reveal(), parts);
}

bool Verifies(const crypto::Key256& key, const ChainValue& previous, std::string_view lines,
              const ChainLine& chain) {
  return chain.bytes == lines.size() &&
         crypto::ConstantTimeEquals(ComputeChainValue(key, previous, lines, chain.signed_text),
                                    chain.value);
}

ChainValue AppendChainLine(const crypto::Key256& key, const ChainStep& step, std::string& out) {
  const std::size_t start = out.size();
  out += kOpening;
  AppendNumber(step.sequence, out);
  out += kBytes;
  AppendNumber(step.lines.size(), out);
  if (step.recovered) {
    out += kRecovered;
  }
  const ChainValue value =
      ComputeChainValue(key, step.previous, step.lines, std::string_view(out).substr(start));
  out += kValue;
  HexAppend(value, out);
  out += kClosing;
  out += '\n';
  return value;
}

}  // namespace keyturn::trail
