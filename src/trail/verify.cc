#include "trail/verify.h"

#include <fmt/format.h>

#include "base/hex.h"
#include "trail/files.h"
#include "trail/redo_log.h"

namespace keyturn::trail {
namespace {

constexpr std::size_t kReadBytes = 1U << 20;

}  // namespace

ChainVerifier::ChainVerifier(const crypto::Key256& key, Head at_least)
    : key_(key), at_least_(std::move(at_least)) {}

tl::unexpected<Error> ChainVerifier::Corrupt(std::string_view what) const {
  return Fail(ErrorCode::kCorrupt, fmt::format("{}:{}: {}", name_, line_, what));
}

Status ChainVerifier::StartSegment(std::string_view name, std::uint64_t first_sequence) {
  name_ = name;
  line_ = 0;
  group_lines_ = 0;
  pending_.clear();
  line_start_ = 0;
  if (first_sequence != result_.head.sequence + 1) {
    return Corrupt(
        fmt::format("the segment starts at sequence {}, expected was {}: a segment is "
                    "missing or renamed",
                    first_sequence, result_.head.sequence + 1));
  }
  ++result_.segments;
  return {};
}

Status ChainVerifier::Feed(std::string_view bytes) {
  std::size_t scan = pending_.size();
  std::size_t group_start = 0;
  pending_ += bytes;
  for (std::size_t end = pending_.find('\n', scan); end != std::string::npos;
       end = pending_.find('\n', scan)) {
    const std::string_view text = pending_;
    const std::string_view line = text.substr(line_start_, end - line_start_);
    ++line_;
    if (IsChainLine(line)) {
      KT_TRY(TakeChainLine(text.substr(group_start, line_start_ - group_start), line));
      group_start = end + 1;
      group_lines_ = 0;
    } else {
      ++group_lines_;
    }
    scan = line_start_ = end + 1;
  }
  pending_.erase(0, group_start);
  line_start_ -= group_start;
  if (pending_.size() > kGroupBytesMax + kChainLineBytesMax) {
    return Corrupt("more bytes without a chain line than any append writes");
  }
  return {};
}

Status ChainVerifier::TakeChainLine(std::string_view lines, std::string_view line) {
  const auto chain = ParseChainLine(line);
  if (!chain) {
    if (chain.error().code == ErrorCode::kNewerFormat) {
      return Fail(chain.error());
    }
    return Corrupt(chain.error().message);
  }
  if (chain->sequence != result_.head.sequence + 1) {
    return Corrupt(fmt::format("sequence {} follows {}: appends are missing or out of order",
                               chain->sequence, result_.head.sequence));
  }
  if (chain->bytes != lines.size()) {
    return Corrupt(fmt::format(
        "the records before this chain line have {} bytes, {} were written: records were added, "
        "removed or changed",
        lines.size(), chain->bytes));
  }
  const ChainValue expected = ComputeChainValue(key_, value_, lines, chain->signed_text);
  if (!crypto::ConstantTimeEquals(expected, chain->value)) {
    return Corrupt(
        "the chain value does not match: records were changed, added, removed or reordered, or "
        "the key is not this trail's");
  }
  value_ = chain->value;
  result_.head = {chain->sequence, HexEncode(value_)};
  result_.records += group_lines_;
  result_.recovered += chain->recovered ? 1 : 0;
  if (chain->sequence == at_least_.sequence && !at_least_.mac_hex.empty() &&
      at_least_.mac_hex != result_.head.mac_hex) {
    return Corrupt("the chain value is not the one that was recorded for this sequence");
  }
  return {};
}

Status ChainVerifier::FinishSegment(bool last) {
  if (last) {
    result_.open_bytes = pending_.size();
    return {};
  }
  if (line_ == 0 && pending_.empty()) {
    return Corrupt("the segment is empty");
  }
  if (!pending_.empty()) {
    return Corrupt("the segment ends in lines without a chain line");
  }
  return {};
}

Result<Verification> ChainVerifier::Finish() const {
  if (result_.head.sequence < at_least_.sequence) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("the trail ends at sequence {}, but had reached {}: its end is missing",
                            result_.head.sequence, at_least_.sequence));
  }
  return result_;
}

namespace {

Result<Verification> VerifySegments(const std::filesystem::path& directory,
                                    const crypto::Key256& chain_key, const Head& at_least) {
  KT_ASSIGN(const auto segments, ListSegments(directory / "trail"));
  ChainVerifier verifier(chain_key, at_least);
  std::string chunk;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& path = segments[i].path;
    KT_TRY(verifier.StartSegment(path.string(), segments[i].first_sequence));
    KT_ASSIGN(const File file, OpenForReading(path));
    std::uint64_t offset = 0;
    do {
      chunk.clear();
      KT_TRY(ReadRange(file, path, offset, kReadBytes, chunk));
      KT_TRY(verifier.Feed(chunk));
      offset += chunk.size();
    } while (!chunk.empty());
    KT_TRY(verifier.FinishSegment(i + 1 == segments.size()));
  }
  return verifier.Finish();
}

}  // namespace

Result<Verification> Verify(const std::filesystem::path& directory, const crypto::Key256& chain_key,
                            const Head& at_least) {
  auto result = VerifySegments(directory, chain_key, at_least);
  std::error_code ignored;
  const auto log_bytes = std::filesystem::file_size(RedoLogPath(directory / "trail"), ignored);
  const bool is_there = !ignored;
  if (result) {
    result->has_redo_log = is_there && !HoldsMarkOnly(log_bytes);
  } else if (is_there && result.error().code == ErrorCode::kCorrupt) {
    Error error = result.error();
    error.message +=
        " (redo.log is there: if the machine lost its power while the server ran, copy the "
        "directory, "
        "start the server once, and verify then)";
    return Fail(std::move(error));
  }
  return result;
}

}  // namespace keyturn::trail
