#include "trail/copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "trail/file_ops.h"
#include "trail/files.h"
#include "trail/tail.h"

namespace keyturn::trail {
namespace {

constexpr std::size_t kCopyBytes = 1U << 20;

// CopySegment copies what the segment has now; what is appended meanwhile is left out.
Result<std::uint64_t> CopySegment(FileOps& ops, const Segment& from,
                                  const std::filesystem::path& to) {
  KT_ASSIGN(const File source, OpenForReading(from.path));
  KT_ASSIGN(const std::uint64_t size, SizeOf(source, from.path));
  const File target(ops.CreateForOverwriting(to.c_str()));
  if (target.fd() < 0) {
    return Fail(SystemError("cannot create", to, errno));
  }
  std::string block;
  for (std::uint64_t at = 0; at < size; at += block.size()) {
    block.clear();
    KT_TRY(ReadRange(source, from.path, at, std::min<std::uint64_t>(kCopyBytes, size - at), block));
    if (block.empty()) {
      return Fail(ErrorCode::kIo, from.path.string() + ": became shorter while it was copied");
    }
    KT_TRY(WriteAt(ops, target, to, block, at));
  }
  if (ops.DataSync(target.fd()) != 0) {
    return Fail(SystemError("cannot sync", to, errno));
  }
  return size;
}

// CutOpenEnd cuts the last segment behind its last chain line; returns how many bytes that were.
Result<std::uint64_t> CutOpenEnd(FileOps& ops, const std::vector<Segment>& segments,
                                 const crypto::Key256& chain_key) {
  KT_ASSIGN(const ChainEnd end, FindChainEnd(segments, chain_key));
  if (end.open.empty()) {
    return 0;
  }
  const auto& path = segments.back().path;
  const File file(ops.CreateForOverwriting(path.c_str()));
  if (file.fd() < 0) {
    return Fail(SystemError("cannot open", path, errno));
  }
  if (ops.Truncate(file.fd(), static_cast<off_t>(end.chained_size)) != 0 ||
      ops.DataSync(file.fd()) != 0) {
    return Fail(SystemError("cannot cut", path, errno));
  }
  return end.open.size();
}

}  // namespace

Result<std::uint64_t> CopyTrail(const std::filesystem::path& directory,
                                const std::filesystem::path& copy, const crypto::Key256& chain_key,
                                FileOps* given_ops) {
  FileOps& ops = given_ops != nullptr ? *given_ops : SystemFileOps();
  const auto to = copy / "trail";
  if (::mkdir(to.c_str(), 0700) != 0) {
    return errno == EEXIST ? Fail(ErrorCode::kConflict, to.string() + ": exists already")
                           : Fail(SystemError("cannot create", to, errno));
  }
  const File to_directory(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (to_directory.fd() < 0) {
    return Fail(SystemError("cannot open", to, errno));
  }
  auto listed = ListSegments(directory / "trail");
  if (!listed && listed.error().code != ErrorCode::kNotFound) {
    return Fail(listed.error());
  }
  auto segments = listed ? std::move(*listed) : std::vector<Segment>();  // never served: no trail
  std::uint64_t bytes = 0;
  for (Segment& segment : segments) {
    const auto path = SegmentPath(to, segment.first_sequence);
    KT_ASSIGN(const std::uint64_t copied, CopySegment(ops, segment, path));
    bytes += copied;
    segment.path = path;
  }
  if (!segments.empty()) {
    KT_ASSIGN(const std::uint64_t cut, CutOpenEnd(ops, segments, chain_key));
    bytes -= cut;
  }
  if (ops.DirectorySync(to_directory.fd()) != 0) {
    return Fail(SystemError("cannot sync", to, errno));
  }
  return bytes;
}

}  // namespace keyturn::trail
