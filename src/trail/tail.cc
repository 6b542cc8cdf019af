#include "trail/tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/hex.h"
#include "json/json.h"

namespace keyturn::trail {
namespace {

constexpr std::uint64_t kFirstWindowBytes = 64U << 10;

struct FoundLine {
  std::size_t begin = 0;
  std::size_t end = 0;  // behind the '\n'
};

// Window: the end of a segment, from the start of a line on, with its last two chain lines.
struct Window {
  std::string text;
  std::uint64_t offset = 0;  // of text in the segment
  std::optional<FoundLine> last;
  std::optional<FoundLine> previous;
};

tl::unexpected<Error> Corrupt(const Segment& segment, std::string_view what) {
  return Fail(ErrorCode::kCorrupt, fmt::format("{}: {}", segment.path.string(), what));
}

void FindChainLines(Window& window) {
  const std::string_view text = window.text;
  window.last.reset();
  window.previous.reset();
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', begin)) {
    if (IsChainLine(text.substr(begin, end - begin))) {
      window.previous = window.last;
      window.last = FoundLine{begin, end + 1};
    }
    begin = end + 1;
  }
}

// ReadWindow reads as much of the end as it takes to see two chain lines, or all.
Result<Window> ReadWindow(const Segment& segment) {
  KT_ASSIGN(const File file, OpenForReading(segment.path));
  KT_ASSIGN(const std::uint64_t size, SizeOf(file, segment.path));
  Window window;
  for (std::uint64_t bytes = kFirstWindowBytes;; bytes *= 4) {
    const std::uint64_t want = std::min(bytes, size);
    window.offset = size - want;
    window.text.clear();
    KT_TRY(ReadRange(file, segment.path, window.offset, want, window.text));
    if (window.offset > 0) {  // begin with a whole line
      const std::size_t cut = window.text.find('\n');
      const std::size_t drop = cut == std::string::npos ? window.text.size() : cut + 1;
      window.text.erase(0, drop);
      window.offset += drop;
    }
    FindChainLines(window);
    if (window.previous || want == size) {
      return window;
    }
    if (want > 2 * kGroupBytesMax + (1U << 20)) {
      return Corrupt(segment, "more bytes without a chain line than any append writes");
    }
  }
}

Result<ChainLine> Parse(const Segment& segment, const Window& window, const FoundLine& line) {
  auto chain =
      ParseChainLine(std::string_view(window.text).substr(line.begin, line.end - 1 - line.begin));
  if (!chain && chain.error().code == ErrorCode::kMalformed) {
    return Corrupt(segment, chain.error().message);
  }
  return chain;
}

// EndOf finds the end of the chain within segments[index], which must have a chain line.
Result<ChainEnd> EndOf(const std::vector<Segment>& segments, std::size_t index, Window window,
                       const crypto::Key256& key) {
  const Segment& segment = segments[index];
  if (!window.last) {
    return Corrupt(segment, "the segment has no chain line");
  }
  KT_ASSIGN(const ChainLine last, Parse(segment, window, *window.last));
  ChainLine before;  // sequence 0 and kFirstPrevious
  std::size_t lines_begin = 0;
  if (window.previous) {
    KT_ASSIGN(before, Parse(segment, window, *window.previous));
    lines_begin = window.previous->end;
  } else if (index > 0) {
    KT_ASSIGN(const Window earlier, ReadWindow(segments[index - 1]));
    if (!earlier.last) {
      return Corrupt(segments[index - 1], "the segment has no chain line");
    }
    KT_ASSIGN(before, Parse(segments[index - 1], earlier, *earlier.last));
    before.signed_text = {};  // a view into the window that ends here
  }
  const std::string_view lines =
      std::string_view(window.text).substr(lines_begin, window.last->begin - lines_begin);
  if (last.sequence != before.sequence + 1 || !Verifies(key, before.value, lines, last)) {
    return Corrupt(segment,
                   "the last chain line does not verify: records before it were changed, or the "
                   "key is not this trail's");
  }
  if (!window.previous && last.sequence != segment.first_sequence) {
    return Corrupt(segment, "the segment does not start with the sequence of its name");
  }
  ChainEnd end{last.sequence, last.value, window.offset + window.last->end, {}};
  end.open = window.text.substr(window.last->end);
  return end;
}

}  // namespace

Result<ChainEnd> FindChainEnd(const std::vector<Segment>& segments, const crypto::Key256& key) {
  const std::size_t index = segments.size() - 1;
  KT_ASSIGN(Window window, ReadWindow(segments[index]));
  ChainEnd end;
  if (window.last) {
    KT_ASSIGN(end, EndOf(segments, index, std::move(window), key));
  } else {
    // A crash came between the segment's creation and its first chain line.
    if (index > 0) {
      KT_ASSIGN(Window earlier, ReadWindow(segments[index - 1]));
      KT_ASSIGN(end, EndOf(segments, index - 1, std::move(earlier), key));
      if (!end.open.empty()) {
        return Corrupt(segments[index - 1], "the segment ends in lines without a chain line");
      }
    }
    if (segments[index].first_sequence != end.sequence + 1) {
      return Corrupt(segments[index], fmt::format("a segment is missing before this one: the chain "
                                                  "ends at sequence {}",
                                                  end.sequence));
    }
    end.chained_size = 0;
    end.open = std::move(window.text);
  }
  if (end.open.size() > kGroupBytesMax + kChainLineBytesMax) {
    return Corrupt(segments[index], "more bytes without a chain line than any append writes");
  }
  return end;
}

bool Reaches(std::uint64_t sequence, const ChainValue& value, const Head& at_least) {
  return sequence > at_least.sequence ||
         (sequence == at_least.sequence &&
          (at_least.mac_hex.empty() || HexEncode(value) == at_least.mac_hex));
}

std::size_t KeepableBytes(std::string_view open) {
  json::Parser parser(json::Limits{.bytes_max = kGroupBytesMax, .depth_max = 64});
  std::size_t keep = 0;
  for (std::size_t end = open.find('\n'); end != std::string_view::npos;
       end = open.find('\n', keep)) {
    const auto value = parser.Parse(open.substr(keep, end - keep));
    if (!value || value->type() != json::Type::kObject) {
      break;
    }
    keep = end + 1;
  }
  return keep;
}

Result<std::vector<std::string>> EventIdsAtEnd(const std::vector<Segment>& segments,
                                               std::uint64_t bytes_max) {
  std::string text;
  std::uint64_t left = bytes_max;
  for (auto segment = segments.rbegin(); segment != segments.rend() && left > 0; ++segment) {
    KT_ASSIGN(const File file, OpenForReading(segment->path));
    KT_ASSIGN(const std::uint64_t size, SizeOf(file, segment->path));
    const std::uint64_t want = std::min(left, size);
    std::string part;
    KT_TRY(ReadRange(file, segment->path, size - want, want, part));
    if (want < size) {  // begin with a whole line
      const std::size_t cut = part.find('\n');
      part.erase(0, cut == std::string::npos ? part.size() : cut + 1);
    }
    text.insert(0, part);
    left -= want;
  }
  std::vector<std::string> ids;
  json::Parser parser(json::Limits{.bytes_max = kGroupBytesMax, .depth_max = 64});
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (IsChainLine(line)) {
      continue;
    }
    const auto record = parser.Parse(line);
    const auto id = record ? record->Find("eventID") : std::nullopt;
    if (const auto id_text = id ? id->AsString() : std::nullopt) {
      ids.emplace_back(*id_text);
    }
  }
  return ids;
}

Status SetAside(FileOps& ops, const Segment& segment, std::uint64_t offset, std::string_view torn,
                int directory_fd) {
  for (int attempt = 0;; ++attempt) {
    auto path = segment.path;
    path.replace_extension(attempt == 0 ? fmt::format(".{}.torn", offset)
                                        : fmt::format(".{}.{}.torn", offset, attempt));
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
      continue;
    }
    const File file(ops.Create(path.c_str()));
    if (file.fd() < 0) {
      return Fail(SystemError("cannot create", path, errno));
    }
    if (ops.Write(file.fd(), torn.data(), torn.size()) != static_cast<ssize_t>(torn.size()) ||
        ops.DataSync(file.fd()) != 0 || ops.DirectorySync(directory_fd) != 0) {
      const Error failed = SystemError("cannot write", path, errno);
      (void)ops.Remove(path.c_str());
      return Fail(failed);
    }
    return {};
  }
}

}  // namespace keyturn::trail
