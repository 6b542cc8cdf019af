#include "trail/redo_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "base/hex.h"
#include "json/json.h"

namespace keyturn::trail {
namespace {

// A group begins on a page of its own: writing it never touches a page that holds a synced one.
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kHeaderBytesMax = 1024;
constexpr std::size_t kFillBytes = 1U << 20;
constexpr std::string_view kHeaderStart = R"({"keyturnRedo":1,)";

constexpr std::uint64_t Pages(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

// AppendHeader appends the line before a group. Its mac covers where the group stands and, by the
// chain value, what it is.
void AppendHeader(const crypto::Key256& redo_key, const RedoGroup& group, std::string& out) {
  const std::size_t start = out.size();
  fmt::format_to(std::back_inserter(out), R"({}"segment":{},"offset":{},"bytes":{},"previous":")",
                 kHeaderStart, group.segment, group.begin.offset, group.bytes.size());
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
  if (!text.starts_with(kHeaderStart)) {
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
  if (!segment || !offset || !bytes || !synced_offset || !synced_sequence ||
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
  if (group.bytes.empty()) {
    group.begin.sequence = group.synced.sequence;
    return group;
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

Status Fill(FileOps& ops, const File& file, const std::filesystem::path& path,
            std::uint64_t bytes) {
  const std::string zeros(kFillBytes, '\0');
  for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
    KT_TRY(WriteAt(ops, file, path, std::string_view(zeros).substr(0, bytes - at), at));
  }
  return {};
}

}  // namespace

bool HoldsMarkOnly(std::uint64_t log_bytes) { return log_bytes <= kHeaderBytesMax; }

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
                                                 std::uint64_t bytes, std::uint64_t segment,
                                                 const ChainPlace& synced) {
  const auto path = RedoLogPath(directory);
  File file(ops.CreateForOverwriting(path.c_str()));
  if (file.fd() < 0) {
    return Fail(SystemError("cannot create", path, errno));
  }
  std::unique_ptr<RedoLog> log(new RedoLog(ops, std::move(file), path, chain_key, bytes));
  Status made = Fill(ops, log->file_, path, 2 * log->half_bytes_);
  if (made) {
    made = log->WriteMark(segment, synced);
  }
  if (made && (ops.DataSync(log->fd()) != 0 || ops.DirectorySync(directory_fd) != 0)) {
    made = Fail(SystemError("cannot sync", path, errno));
  }
  if (!made) {
    (void)ops.Remove(path.c_str());  // a disk that is full needs the room
    return Fail(made.error());
  }
  return log;
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
  KT_TRY(WriteAt(ops_, file_, path_, buffer_, half_ * half_bytes_ + at_));
  at_ += takes;
  filled_[half_] = written;
  return outcome;
}

Status RedoLog::WriteMark(std::uint64_t segment, const ChainPlace& synced) {
  buffer_.clear();
  AppendRedoGroup(key_, {segment, synced, synced, synced.value, {}}, buffer_);
  buffer_.resize(kHeaderBytesMax, ' ');  // over a longer one
  return WriteAt(ops_, file_, path_, buffer_, 2 * half_bytes_);
}

void RedoLog::Mark(std::uint64_t segment, const ChainPlace& synced) {
  if (half_bytes_ == 0) {
    (void)WriteMark(segment, synced);
  }
}

crypto::Key256 RedoKey(const crypto::Key256& chain_key) {
  return crypto::DeriveKey(chain_key.reveal(), "keyturn trail redo log", {});
}

void AppendRedoGroup(const crypto::Key256& redo_key, const RedoGroup& group, std::string& out) {
  AppendHeader(redo_key, group, out);
  out += group.bytes;
}

bool IsNewerRedoLog(std::string_view text) {
  return text.starts_with(R"({"keyturnRedo":)") && !text.starts_with(kHeaderStart);
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
