#include "trail/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "trail/redo_log.h"
#include "trail/tail.h"

namespace keyturn::trail {
namespace {

// No redo log is longer; what claims to be one is not read.
constexpr std::uint64_t kLogBytesMax = 256ULL << 20;
// More of a segment is never without a sync: it is not read.
constexpr std::uint64_t kUnsyncedBytesMax = 512ULL << 20;

// ReadLog returns nullopt when there is none.
Result<std::optional<std::string>> ReadLog(const std::filesystem::path& path) {
  const Result<File> file = OpenForReading(path);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    return std::nullopt;
  }
  if (!file) {
    return Fail(file.error());
  }
  KT_ASSIGN(const std::uint64_t size, SizeOf(*file, path));
  if (size > kLogBytesMax) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: longer than any server writes it", path.string()));
  }
  std::string text;
  KT_TRY(ReadRange(*file, path, 0, size, text));
  return text;
}

// FirstChainLine: where the first whole chain line in the text begins and ends.
struct LineRange {
  std::size_t begin = 0;
  std::size_t end = 0;  // of its LF
};
std::optional<LineRange> FirstChainLine(std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', begin)) {
    if (IsChainLine(text.substr(begin, end - begin))) {
      return LineRange{begin, end};
    }
    begin = end + 1;
  }
  return std::nullopt;
}

// EndOfGroup: where the group ends that begins at a place, with the text that the segment has
// there; nullopt when it is not whole. kNewerFormat when it was written by a newer version.
Result<std::optional<ChainPlace>> EndOfGroup(const crypto::Key256& chain_key,
                                             const ChainPlace& begin, std::string_view text) {
  const auto line = FirstChainLine(text);
  if (!line) {
    return std::nullopt;
  }
  const auto chain = ParseChainLine(text.substr(line->begin, line->end - line->begin));
  if (!chain && chain.error().code == ErrorCode::kNewerFormat) {
    return Fail(chain.error());
  }
  if (!chain || chain->sequence != begin.sequence + 1 ||
      !Verifies(chain_key, begin.value, text.substr(0, line->begin), *chain)) {
    return std::nullopt;
  }
  return ChainPlace{begin.offset + line->end + 1, chain->sequence, chain->value};
}

// Plan: what a segment has to have from a place on.
struct Plan {
  std::string text;         // up to the end of the chain
  std::size_t missing = 0;  // how many of its groups the segment lacks
  ChainPlace end;           // where the chain ends
  // Behind that end, in the segment: an append without its chain line, or what is to be cut off.
  std::string_view rest;
  bool cut = false;
};

// PlanRepair follows the chain from a place on. text is what the segment has from there. kCorrupt
// when the segment has another group where the log has one.
Result<Plan> PlanRepair(const crypto::Key256& chain_key, const ChainPlace& from,
                        std::string_view text, const std::vector<RedoGroup>& groups) {
  Plan plan;
  plan.end = from;
  for (;;) {
    plan.rest = text.substr(std::min(plan.text.size(), text.size()));
    KT_ASSIGN(const auto end, EndOfGroup(chain_key, plan.end, plan.rest));
    const auto logged = std::find_if(groups.begin(), groups.end(), [&](const RedoGroup& group) {
      return !group.bytes.empty() && group.begin.sequence == plan.end.sequence &&
             group.begin.offset == plan.end.offset && group.begin.value == plan.end.value;
    });
    if (logged != groups.end()) {
      if (end && end->value != logged->value) {
        return Fail(ErrorCode::kCorrupt, "the segment went on without it");
      }
      plan.text += logged->bytes;
      plan.missing += end ? 0 : 1;
      plan.end = logged->end();
    } else if (end) {
      plan.text += plan.rest.substr(0, end->offset - plan.end.offset);
      plan.end = *end;
    } else {
      plan.cut = FirstChainLine(plan.rest).has_value() ||
                 plan.rest.size() > kGroupBytesMax + kChainLineBytesMax;
      return plan;
    }
  }
}

bool BeginsBefore(const RedoGroup& a, const RedoGroup& b) {
  return a.begin.sequence < b.begin.sequence;
}

ChainPlace FurthestSynced(const std::vector<RedoGroup>& groups) {
  return std::max_element(groups.begin(), groups.end(),
                          [](const RedoGroup& a, const RedoGroup& b) {
                            return a.synced.offset < b.synced.offset;
                          })
      ->synced;
}

// ReadUnsynced reads what a segment has from a place on, up to which it was synced. kCorrupt when
// it is shorter, or longer than a server leaves it.
Status ReadUnsynced(const Segment& segment, const ChainPlace& from, std::string& text) {
  KT_ASSIGN(const File file, OpenForReading(segment.path));
  KT_ASSIGN(const std::uint64_t size, SizeOf(file, segment.path));
  if (size < from.offset || size - from.offset > kUnsyncedBytesMax) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} has {} bytes, of which {} were on stable storage",
                            segment.path.filename().string(), size, from.offset));
  }
  return ReadRange(file, segment.path, from.offset, size - from.offset, text);
}

// CutOff moves the end of a segment, which does not continue the chain, to a file beside it.
Status CutOff(FileOps& ops, const Segment& segment, const File& file, std::uint64_t offset,
              std::string_view rest, int directory_fd) {
  KT_TRY(SetAside(ops, segment, offset, rest, directory_fd));
  if (ops.Truncate(file.fd(), static_cast<off_t>(offset)) != 0) {
    return Fail(SystemError("cannot truncate", segment.path, errno));
  }
  LogWarning(
      "audit trail: {} bytes at the end of {} do not continue the chain, as after a power failure, "
      "and are set aside",
      rest.size(), segment.path.string());
  return {};
}

// Apply writes also what can be read already: after a sync that failed, it may be in the page cache
// only, and no later sync would write it.
Status Apply(FileOps& ops, const Plan& plan, const Segment& segment, int directory_fd) {
  const auto& path = segment.path;
  const File file(ops.CreateForOverwriting(path.c_str()));
  if (file.fd() < 0) {
    return Fail(SystemError("cannot open", path, errno));
  }
  KT_TRY(WriteAt(ops, file, path, plan.text, plan.end.offset - plan.text.size()));
  if (plan.cut) {
    KT_TRY(CutOff(ops, segment, file, plan.end.offset, plan.rest, directory_fd));
  } else {
    KT_TRY(WriteAt(ops, file, path, plan.rest, plan.end.offset));
  }
  if (plan.missing > 0) {
    LogWarning("audit trail: {} appends were missing in {} and are written again from its redo log",
               plan.missing, path.string());
  }
  return ops.DataSync(file.fd()) == 0 ? Status() : Fail(SystemError("cannot sync", path, errno));
}

}  // namespace

Status RepairSegment(FileOps& ops, const std::filesystem::path& directory, int directory_fd,
                     const std::vector<Segment>& segments, const crypto::Key256& chain_key,
                     const Head& at_least) {
  const auto log_path = RedoLogPath(directory);
  KT_ASSIGN(const std::optional<std::string> log, ReadLog(log_path));
  if (log && IsNewerRedoLog(*log)) {
    return Fail(ErrorCode::kNewerFormat,
                fmt::format("{}: written by a newer version", log_path.string()));
  }
  std::vector<RedoGroup> groups = log ? FindRedoGroups(*log, chain_key) : std::vector<RedoGroup>();
  if (groups.empty()) {
    return {};  // no log, or its server died before it had made it; or it is another trail's
  }
  const bool has_marks_only = std::all_of(
      groups.begin(), groups.end(), [](const RedoGroup& group) { return group.bytes.empty(); });
  // A log that does not fit may hold what was answered; a mark holds nothing.
  const auto misfit = [&](std::string_view what) -> Status {
    if (has_marks_only) {
      LogWarning("audit trail: {}: {}; it is not used", log_path.string(), what);
      return {};
    }
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: {} (if this is a copy that was made while the server ran, or the "
                            "segments are right without it, move it away)",
                            log_path.string(), what));
  };
  const RedoGroup newest = *std::max_element(groups.begin(), groups.end(), BeginsBefore);
  const std::uint64_t last_segment = segments.empty() ? 0 : segments.back().first_sequence;
  // A segment is synced before the next one is begun.
  const bool is_past = newest.segment < last_segment && newest.end().sequence < last_segment;
  if (!is_past && newest.segment != last_segment) {
    return misfit(fmt::format("the last segment must be {}, to which it holds appends",
                              SegmentPath(directory, newest.segment).filename().string()));
  }
  std::erase_if(groups, [&](const RedoGroup& group) { return group.segment != last_segment; });
  ChainPlace from;
  if (!is_past) {
    from = FurthestSynced(groups);
  } else if (segments.size() > 1) {
    KT_ASSIGN(const ChainEnd before,
              FindChainEnd({segments.begin(), segments.end() - 1}, chain_key));
    from = {0, before.sequence, before.value};
  }
  const Segment& segment = segments.back();
  std::string text;
  const Status read = ReadUnsynced(segment, from, text);
  const auto plan = read ? PlanRepair(chain_key, from, text, groups) : tl::unexpected(read.error());
  if (!plan) {
    return plan.error().code == ErrorCode::kCorrupt ? misfit(plan.error().message)
                                                    : Fail(plan.error());
  }
  if (!Reaches(plan->end.sequence, plan->end.value, at_least)) {
    return misfit(
        fmt::format("with it the trail ends at sequence {}, but it is known to have "
                    "reached {}: its end is missing or was replaced",
                    plan->end.sequence, at_least.sequence));
  }
  return Apply(ops, *plan, segment, directory_fd);
}

}  // namespace keyturn::trail
