#include "trail/lookup.h"

#include <algorithm>
#include <string>

#include "trail/chain.h"
#include "trail/files.h"

namespace keyturn::trail {
namespace {

constexpr std::size_t kBlockBytes = 256 << 10;

// SegmentReader reads one segment's lines from an offset towards its beginning.
class SegmentReader {
 public:
  SegmentReader(const Segment& segment, const File& file, std::uint64_t end)
      : segment_(segment), file_(file), begin_(end) {}

  // Previous returns the line that ends at the current end (of which the '\n' is cut), or nothing
  // at the segment's beginning.
  Result<std::optional<std::string_view>> Previous() {
    for (;;) {
      // The last line's own '\n' is the last character.
      const std::size_t body = left_ == 0 ? 0 : left_ - 1;
      const std::size_t cut = body == 0 ? std::string::npos : text_.rfind('\n', body - 1);
      if (cut != std::string::npos || (begin_ == 0 && left_ > 0)) {
        const std::size_t from = cut == std::string::npos ? 0 : cut + 1;
        const std::string_view line = std::string_view(text_).substr(from, body - from);
        left_ = from;
        return line;
      }
      if (begin_ == 0) return std::nullopt;
      KT_TRY(ReadBlock());
    }
  }
  // Whether the next line is at hand: Previous() would not read.
  bool HasLine() const {
    if (left_ == 0) return false;
    return begin_ == 0 || (left_ > 1 && text_.rfind('\n', left_ - 2) != std::string::npos);
  }
  // offset of the beginning of the line that was returned last.
  std::uint64_t offset() const { return begin_ + left_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  Status ReadBlock() {
    const std::size_t size = std::min<std::uint64_t>(begin_, kBlockBytes);
    std::string block;
    KT_TRY(ReadRange(file_, segment_.path, begin_ - size, size, block));
    if (block.size() != size) return Fail(ErrorCode::kIo, "the trail was cut while it was read");
    text_.resize(left_);
    text_.insert(0, block);
    left_ += size;
    begin_ -= size;
    bytes_read_ += size;
    return {};
  }

  const Segment& segment_;
  const File& file_;
  std::uint64_t begin_;  // of text_ in the file
  std::string text_;
  std::size_t left_ = 0;  // of text_: not returned yet
  std::uint64_t bytes_read_ = 0;
};

// WholeEnd: size cut back to the last line that is whole.
Result<std::uint64_t> WholeEnd(const Segment& segment, const File& file, std::uint64_t size) {
  std::string block;
  for (std::uint64_t end = size; end > 0;) {
    const std::size_t take = std::min<std::uint64_t>(end, kBlockBytes);
    block.clear();
    KT_TRY(ReadRange(file, segment.path, end - take, take, block));
    const std::size_t cut = block.rfind('\n');
    if (cut != std::string::npos) return end - take + cut + 1;
    end -= take;
  }
  return 0;
}

}  // namespace

Result<std::optional<Place>> ReadBackwards(const std::filesystem::path& data_directory,
                                           const std::optional<Place>& before,
                                           std::uint64_t bytes_max, const RecordVisitor& visit) {
  KT_ASSIGN(const auto segments, ListSegments(data_directory / "trail"));
  std::uint64_t bytes_read = 0;
  bool found = !before;
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (!found && segment->first_sequence != before->first_sequence) continue;
    KT_ASSIGN(const File file, OpenForReading(segment->path));
    KT_ASSIGN(const std::uint64_t size, SizeOf(file, segment->path));
    std::uint64_t end = size;
    if (!found) {
      if (before->offset > size) break;
      end = before->offset;
    }
    found = true;
    KT_ASSIGN(const std::uint64_t whole, WholeEnd(*segment, file, end));
    SegmentReader reader(*segment, file, whole);
    for (;;) {
      KT_ASSIGN(const auto line, reader.Previous());
      if (!line) break;
      const Place place{segment->first_sequence, reader.offset()};
      if (!line->empty() && !IsChainLine(*line) && !visit(*line, place)) return place;
      // What was read is visited to its end: a small limit does not read a block for each line.
      if (bytes_read + reader.bytes_read() > bytes_max && !reader.HasLine()) return place;
    }
    bytes_read += reader.bytes_read();
  }
  if (!found) return Fail(ErrorCode::kUsage, "no such place in the trail");
  return std::nullopt;
}

}  // namespace keyturn::trail
