#include "trail/redo_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "json/json.h"
#include "trail/tail.h"

namespace keyturn::trail {
namespace {

// A group begins on a page of its own: writing it never touches a page that holds a synced one.
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kHeaderBytesMax = 1024;
constexpr std::size_t kFillBytes = 1U << 20;
// No redo log is longer; what claims to be one is not read.
constexpr std::uint64_t kLogBytesMax = 256ULL << 20;
// More of a segment is never without a sync: it is not read.
constexpr std::uint64_t kUnsyncedBytesMax = 512ULL << 20;
constexpr std::string_view kAnyHeaderMark = R"({"keyturnRedo":)";
constexpr std::string_view kHeaderMark = R"({"keyturnRedo":1,)";

constexpr std::uint64_t Pages(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

// AppendHeader appends the line before a group. Its mac covers where the group stands and, by the
// chain value, what it is.
void AppendHeader(const crypto::Key256& redo_key, const RedoGroup& group, std::string& out) {
  const std::size_t start = out.size();
  fmt::format_to(std::back_inserter(out), R"({}"segment":{},"offset":{},"bytes":{},"previous":")",
                 kHeaderMark, group.segment, group.begin.offset, group.bytes.size());
  HexAppend(group.begin.value, out);
  out += R"(","value":")";
  HexAppend(group.value, out);
  fmt::format_to(std::back_inserter(out),
                 R"(","syncedOffset":{},"syncedSequence":{},"syncedValue":")", group.synced.offset,
                 group.synced.sequence);
  HexAppend(group.synced.value, out);
  const auto mac =
      crypto::HmacSha256(redo_key.reveal(), AsBytes(std::string_view(out).substr(start)));
  out += R"(","mac":")";
  HexAppend(mac, out);
  out += "\"}\n";
}

// ReadNumber: a member that is an integer from 0 on.
std::optional<std::uint64_t> ReadNumber(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  const auto number = member ? member->AsInt() : std::nullopt;
  return number && *number >= 0 ? std::optional<std::uint64_t>(*number) : std::nullopt;
}

bool ReadValue(const json::Value& object, std::string_view name, ChainValue& out) {
  const auto member = object.Find(name);
  const auto text = member ? member->AsString() : std::nullopt;
  return text && HexDecodeInto(*text, out);
}

// ReadGroup takes the group whose header starts the text, if there is one and all of it is there.
std::optional<RedoGroup> ReadGroup(std::string_view text, json::Parser& parser,
                                   const crypto::Key256& redo_key,
                                   const crypto::Key256& chain_key) {
  if (!text.starts_with(kHeaderMark)) {
    return std::nullopt;
  }
  const std::size_t line_end = text.substr(0, kHeaderBytesMax).find('\n');
  if (line_end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto header = parser.Parse(text.substr(0, line_end));
  if (!header) {
    return std::nullopt;
  }
  RedoGroup group;
  const auto segment = ReadNumber(*header, "segment");
  const auto offset = ReadNumber(*header, "offset");
  const auto bytes = ReadNumber(*header, "bytes");
  const auto synced_offset = ReadNumber(*header, "syncedOffset");
  const auto synced_sequence = ReadNumber(*header, "syncedSequence");
  if (!segment || !offset || !bytes || !synced_offset || !synced_sequence || *bytes == 0 ||
      *bytes > text.size() - line_end - 1 || !ReadValue(*header, "previous", group.begin.value) ||
      !ReadValue(*header, "value", group.value) ||
      !ReadValue(*header, "syncedValue", group.synced.value)) {
    return std::nullopt;
  }
  group.segment = *segment;
  group.begin.offset = *offset;
  group.synced.offset = *synced_offset;
  group.synced.sequence = *synced_sequence;
  group.bytes = text.substr(line_end + 1, *bytes);
  std::string expected;
  AppendHeader(redo_key, group, expected);
  if (!crypto::ConstantTimeEquals(AsBytes(expected), AsBytes(text.substr(0, line_end + 1)))) {
    return std::nullopt;
  }
  // What stands behind the header may be cut short, or left of an older group.
  const std::string_view lines = group.bytes.substr(0, group.bytes.size() - 1);
  const std::size_t chain_begin = lines.rfind('\n') + 1;  // npos + 1 is 0
  const auto chain = ParseChainLine(lines.substr(chain_begin));
  const std::string_view records = lines.substr(0, chain_begin);
  if (group.bytes.back() != '\n' || !chain || chain->value != group.value ||
      !Verifies(chain_key, group.begin.value, records, *chain)) {
    return std::nullopt;
  }
  group.begin.sequence = chain->sequence - 1;
  return group;
}

Status WriteAt(FileOps& ops, const File& file, const std::filesystem::path& path,
               std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        ops.WriteAt(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      offset += static_cast<std::uint64_t>(wrote);
    } else if (wrote == 0 || errno != EINTR) {
      return Fail(SystemError("cannot write", path, wrote == 0 ? EIO : errno));
    }
  }
  return {};
}

Status Fill(FileOps& ops, const File& file, const std::filesystem::path& path,
            std::uint64_t bytes) {
  const std::string zeros(kFillBytes, '\0');
  for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
    KT_TRY(WriteAt(ops, file, path, std::string_view(zeros).substr(0, bytes - at), at));
  }
  return ops.DataSync(file.fd()) == 0 ? Status() : Fail(SystemError("cannot sync", path, errno));
}

Result<std::string> ReadLog(const std::filesystem::path& path) {
  const Result<File> file = OpenForReading(path);
  if (!file) {
    return file.error().code == ErrorCode::kNotFound ? Result<std::string>(std::string())
                                                     : Fail(file.error());
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

// Repair: what a segment has to have from a place on.
struct Repair {
  std::string text;         // up to the end of the chain
  std::size_t missing = 0;  // how many of its groups the segment lacks
  ChainPlace end;           // where the chain ends
  // Behind that end, in the segment: an append without its chain line, or what is to be cut off.
  std::string_view rest;
  bool cut = false;
};

// PlanRepair follows the chain from a place on. text is what the segment has from there. kCorrupt
// when the segment has another group where the log has one.
Result<Repair> PlanRepair(const crypto::Key256& chain_key, const ChainPlace& from,
                          std::string_view text, const std::vector<RedoGroup>& groups) {
  Repair repair;
  repair.end = from;
  for (;;) {
    repair.rest = text.substr(std::min(repair.text.size(), text.size()));
    KT_ASSIGN(const auto end, EndOfGroup(chain_key, repair.end, repair.rest));
    const auto logged = std::find_if(groups.begin(), groups.end(), [&](const RedoGroup& group) {
      return group.begin.sequence == repair.end.sequence &&
             group.begin.offset == repair.end.offset && group.begin.value == repair.end.value;
    });
    if (logged != groups.end()) {
      if (end && end->value != logged->value) {
        return Fail(ErrorCode::kCorrupt, "the segment went on without it");
      }
      repair.text += logged->bytes;
      repair.missing += end ? 0 : 1;
      repair.end = logged->end();
    } else if (end) {
      repair.text += repair.rest.substr(0, end->offset - repair.end.offset);
      repair.end = *end;
    } else {
      repair.cut = FirstChainLine(repair.rest).has_value();
      return repair;
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

// Apply writes also what can be read already: after a sync that failed, it may be in the page cache
// only, and no later sync would write it.
Status Apply(FileOps& ops, const Repair& repair, const Segment& segment, int directory_fd) {
  const auto& path = segment.path;
  const File file(ops.CreateForOverwriting(path.c_str()));
  if (file.fd() < 0) {
    return Fail(SystemError("cannot open", path, errno));
  }
  KT_TRY(WriteAt(ops, file, path, repair.text, repair.end.offset - repair.text.size()));
  if (!repair.cut) {
    KT_TRY(WriteAt(ops, file, path, repair.rest, repair.end.offset));
  } else {
    KT_TRY(SetAside(ops, segment, repair.end.offset, repair.rest, directory_fd));
    if (ops.Truncate(file.fd(), static_cast<off_t>(repair.end.offset)) != 0) {
      return Fail(SystemError("cannot truncate", path, errno));
    }
    LogWarning("audit trail: {} bytes at the end of {}, of calls without an answer, are set aside",
               repair.rest.size(), path.string());
  }
  if (repair.missing > 0) {
    LogWarning("audit trail: {} appends were missing in {} and are written again from its redo log",
               repair.missing, path.string());
  }
  return ops.DataSync(file.fd()) == 0 ? Status() : Fail(SystemError("cannot sync", path, errno));
}

}  // namespace

std::filesystem::path RedoLogPath(const std::filesystem::path& directory) {
  return directory / "redo.log";
}

RedoLog::RedoLog(FileOps& ops, File file, std::filesystem::path path,
                 const crypto::Key256& chain_key, std::uint64_t bytes)
    : ops_(ops),
      file_(std::move(file)),
      path_(std::move(path)),
      key_(RedoKey(chain_key)),
      half_bytes_(bytes / 2 / kPageBytes * kPageBytes) {}

Result<std::unique_ptr<RedoLog>> RedoLog::Create(FileOps& ops,
                                                 const std::filesystem::path& directory,
                                                 int directory_fd, const crypto::Key256& chain_key,
                                                 std::uint64_t bytes) {
  const auto path = RedoLogPath(directory);
  File file(ops.CreateForOverwriting(path.c_str()));
  if (file.fd() < 0) {
    return Fail(SystemError("cannot create", path, errno));
  }
  const Status filled = Fill(ops, file, path, bytes);
  if (!filled || ops.DirectorySync(directory_fd) != 0) {
    Error error = filled ? SystemError("cannot sync", directory, errno) : filled.error();
    (void)ops.Remove(path.c_str());  // a disk that is full needs the room
    return Fail(std::move(error));
  }
  return std::unique_ptr<RedoLog>(new RedoLog(ops, std::move(file), path, chain_key, bytes));
}

Result<RedoLog::Outcome> RedoLog::Write(const RedoGroup& group, std::uint64_t written,
                                        std::uint64_t in_segments) {
  if (group.bytes.size() >= half_bytes_) {
    return Outcome::kNoRoom;
  }
  buffer_.clear();
  AppendRedoGroup(key_, group, buffer_);
  const std::uint64_t takes = Pages(buffer_.size());
  Outcome outcome = Outcome::kWritten;
  if (at_ + takes > half_bytes_) {
    const std::size_t other = 1 - half_;
    if (takes > half_bytes_ || filled_[other] > in_segments) {
      return Outcome::kNoRoom;
    }
    half_ = other;
    at_ = 0;
    outcome = Outcome::kHalfFilled;
  }
  KT_TRY(trail::WriteAt(ops_, file_, path_, buffer_, half_ * half_bytes_ + at_));
  at_ += takes;
  filled_[half_] = written;
  return outcome;
}

crypto::Key256 RedoKey(const crypto::Key256& chain_key) {
  return crypto::DeriveKey(chain_key.reveal(), "keyturn trail redo log", {});
}

void AppendRedoGroup(const crypto::Key256& redo_key, const RedoGroup& group, std::string& out) {
  AppendHeader(redo_key, group, out);
  out += group.bytes;
}

std::vector<RedoGroup> FindRedoGroups(std::string_view text, const crypto::Key256& chain_key) {
  const crypto::Key256 redo_key = RedoKey(chain_key);
  json::Parser parser(json::Limits{.bytes_max = kHeaderBytesMax, .depth_max = 2});
  std::vector<RedoGroup> groups;
  for (std::uint64_t at = 0; at < text.size();) {
    const auto group = ReadGroup(text.substr(at), parser, redo_key, chain_key);
    at = group ? Pages(static_cast<std::uint64_t>(group->bytes.end() - text.begin()))
               : at + kPageBytes;
    if (group) {
      groups.push_back(*group);
    }
  }
  return groups;
}

Status Redo(FileOps& ops, const std::filesystem::path& directory, int directory_fd,
            const std::vector<Segment>& segments, const crypto::Key256& chain_key,
            std::uint64_t sequence_min) {
  const auto log_path = RedoLogPath(directory);
  const auto corrupt = [&](std::string_view what) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: {} (if this is a copy that was made while the server ran, or the "
                            "segments are right without it, move it away)",
                            log_path.string(), what));
  };
  KT_ASSIGN(const std::string log, ReadLog(log_path));
  if (log.starts_with(kAnyHeaderMark) && !log.starts_with(kHeaderMark)) {
    return Fail(ErrorCode::kNewerFormat,
                fmt::format("{}: written by a newer version", log_path.string()));
  }
  std::vector<RedoGroup> groups = FindRedoGroups(log, chain_key);
  if (groups.empty()) {
    return {};
  }
  const RedoGroup newest = *std::max_element(groups.begin(), groups.end(), BeginsBefore);
  const std::uint64_t last_segment = segments.empty() ? 0 : segments.back().first_sequence;
  if (newest.segment < last_segment && newest.end().sequence < last_segment) {
    return {};  // a segment is synced before the next one is begun
  }
  if (newest.segment != last_segment) {
    return corrupt(fmt::format("the last segment must be {}, to which it holds appends",
                               SegmentPath(directory, newest.segment).filename().string()));
  }
  std::erase_if(groups, [&](const RedoGroup& group) { return group.segment != last_segment; });
  const ChainPlace from = FurthestSynced(groups);
  const Segment& segment = segments.back();
  std::string text;
  {
    KT_ASSIGN(const File file, OpenForReading(segment.path));
    KT_ASSIGN(const std::uint64_t size, SizeOf(file, segment.path));
    if (size < from.offset || size - from.offset > kUnsyncedBytesMax) {
      return corrupt(fmt::format("{} has {} bytes, and had {} on stable storage",
                                 segment.path.filename().string(), size, from.offset));
    }
    KT_TRY(ReadRange(file, segment.path, from.offset, size - from.offset, text));
  }
  const auto repair = PlanRepair(chain_key, from, text, groups);
  if (!repair) {
    return repair.error().code == ErrorCode::kCorrupt ? corrupt(repair.error().message)
                                                      : Fail(repair.error());
  }
  if (repair->end.sequence < sequence_min) {
    return corrupt(
        fmt::format("with it the trail ends at sequence {}, but it is known to have "
                    "reached {}",
                    repair->end.sequence, sequence_min));
  }
  return Apply(ops, *repair, segment, directory_fd);
}

Status RemoveRedoLog(FileOps& ops, const std::filesystem::path& directory, int directory_fd) {
  const auto path = RedoLogPath(directory);
  if (ops.Remove(path.c_str()) != 0) {
    return errno == ENOENT ? Status() : Fail(SystemError("cannot remove", path, errno));
  }
  if (ops.DirectorySync(directory_fd) != 0) {
    return Fail(SystemError("cannot sync", directory, errno));
  }
  return {};
}

}  // namespace keyturn::trail
