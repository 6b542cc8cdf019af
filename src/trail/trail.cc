#include "trail/trail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "json/json.h"
#include "trail/chain.h"
#include "trail/file_ops.h"
#include "trail/files.h"
#include "trail/tail.h"

namespace keyturn::trail {
namespace {

Head MakeHead(std::uint64_t sequence, const ChainValue& value) {
  return {sequence, sequence == 0 ? std::string() : HexEncode(value)};
}

// How far ahead blocks are reserved: for so many syncs like the last one, within bounds.
constexpr std::uint64_t kSyncsReserved = 16;
constexpr std::uint64_t kReserveBytesMin = 1ULL << 20;
constexpr std::uint64_t kReserveBytesMax = 64ULL << 20;

// AreLines: each line is one JSON object by its looks, and none could pass for a chain line.
bool AreLines(std::string_view text) {
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

class FileTrail final : public Trail {
 public:
  FileTrail(const Options& options, crypto::Key256 key)
      : directory_(options.directory / "trail"),
        sync_(options.sync),
        segment_bytes_max_(options.segment_bytes_max),
        sync_delay_(options.sync_delay),
        ops_(options.file_ops != nullptr ? *options.file_ops : SystemFileOps()),
        key_(std::move(key)) {}
  ~FileTrail() override;

  Status Start(const Head& at_least);

  Status Append(std::string_view lines) override;
  Status Sync() override;
  Head head() const override;
  Result<std::vector<std::string>> RecentEventIds(std::uint64_t bytes_max) const override;

 private:
  using FilePtr = std::shared_ptr<const File>;

  Status LockDirectory();
  Status Recover(const Segment& segment, const ChainEnd& end);
  Status SetAside(const Segment& segment, std::uint64_t offset, std::string_view torn);
  Result<FilePtr> OpenSegment(const std::filesystem::path& path);
  Status Rotate();
  // WriteGroup writes buffer_ at the end, or nothing; the caller holds write_mutex_ (or is Start).
  Status WriteGroup();
  Status CutBack(Error error);
  tl::unexpected<Error> Stop(Error error);
  Status SyncTo(std::uint64_t target);
  void ReserveAhead(std::uint64_t bytes_since_sync);
  void GiveBackReserve();
  void SyncLoop();

  const std::filesystem::path directory_;
  const SyncMode sync_;
  const std::uint64_t segment_bytes_max_;
  const Millis sync_delay_;
  FileOps& ops_;
  const crypto::Key256 key_;
  File lock_;  // the directory, locked

  // Lock order: sync_mutex_ before write_mutex_.
  mutable std::mutex write_mutex_;  // the members down to stopped_
  FilePtr file_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;      // of the segment
  std::uint64_t reserved_ = 0;  // of the segment: up to where blocks are set aside
  bool reserve_fails_ = false;  // not asked for again in this segment
  std::uint64_t sequence_ = 0;
  ChainValue value_ = kFirstPrevious;
  std::uint64_t written_ = 0;  // bytes ever appended by this object
  std::string buffer_;
  std::optional<Error> stopped_;

  std::mutex sync_mutex_;  // held during fdatasync; guards synced_
  std::uint64_t synced_ = 0;

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  std::atomic<bool> dirty_ = false;
  bool stop_ = false;
  std::thread syncer_;
};

FileTrail::~FileTrail() {
  if (syncer_.joinable()) {
    {
      const std::lock_guard lock(wake_mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    syncer_.join();
  }
  if (file_ != nullptr) {
    if (const Status synced = Sync(); !synced) {
      LogError("audit trail: not synced at the end: {}", synced.error().message);
    }
    GiveBackReserve();
  }
}

// --- opening -------------------------------------------------------------------------------------

Status FileTrail::LockDirectory() {
  std::error_code error;
  std::filesystem::create_directories(directory_.parent_path(), error);
  if (!error && ::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(SystemError("cannot create", directory_, errno));
  }
  if (error) {
    return Fail(SystemError("cannot create", directory_.parent_path(), error.value()));
  }
  lock_ = File(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock_.fd() < 0) {
    return Fail(SystemError("cannot open", directory_, errno));
  }
  if (::flock(lock_.fd(), LOCK_EX | LOCK_NB) != 0) {
    return Fail(SystemError("cannot lock", directory_, errno));
  }
  return {};
}

Status FileTrail::Start(const Head& at_least) {
  KT_TRY(LockDirectory());
  KT_ASSIGN(const auto segments, ListSegments(directory_));
  ChainEnd end;
  if (!segments.empty()) {
    KT_ASSIGN(end, FindChainEnd(segments, key_));
  }
  const Head found = MakeHead(end.sequence, end.value);
  if (found.sequence < at_least.sequence ||
      (found.sequence == at_least.sequence && !at_least.mac_hex.empty() &&
       found.mac_hex != at_least.mac_hex)) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: the trail ends at sequence {}, but is known to have reached {}: "
                            "its end is missing or was replaced",
                            directory_.string(), found.sequence, at_least.sequence));
  }
  sequence_ = end.sequence;
  value_ = end.value;
  size_ = end.chained_size;
  path_ = segments.empty() ? SegmentPath(directory_, 1) : segments.back().path;
  KT_ASSIGN(file_, OpenSegment(path_));
  if (!end.open.empty()) {
    KT_TRY(Recover(segments.back(), end));
  }
  // What an earlier process wrote may be in the page cache only.
  if (ops_.DataSync(file_->fd()) != 0) {
    return Fail(SystemError("cannot sync", path_, errno));
  }
  if (sync_ == SyncMode::kPeriodic) {
    syncer_ = std::thread([this] { SyncLoop(); });
  }
  return {};
}

Status FileTrail::Recover(const Segment& segment, const ChainEnd& end) {
  const std::size_t keep = KeepableBytes(end.open);
  const std::uint64_t kept_size = end.chained_size + keep;
  if (keep < end.open.size()) {
    KT_TRY(SetAside(segment, kept_size, std::string_view(end.open).substr(keep)));
    if (ops_.Truncate(file_->fd(), static_cast<off_t>(kept_size)) != 0) {
      return Fail(SystemError("cannot truncate", path_, errno));
    }
  }
  if (keep > 0) {
    // Only the chain line is new; size_ stands behind the lines, so that a failure keeps them.
    buffer_.clear();
    const ChainStep step{value_, sequence_ + 1, std::string_view(end.open).substr(0, keep), true};
    const ChainValue value = AppendChainLine(key_, step, buffer_);
    size_ = kept_size;
    KT_TRY(WriteGroup());
    value_ = value;
    sequence_ = step.sequence;
  }
  LogWarning(
      "audit trail: {} ended in {} bytes without a chain line; {} of them are kept as "
      "recovered records",
      path_.string(), end.open.size(), keep);
  return {};
}

// SetAside keeps what is no whole record in a file of its own: it may be evidence.
Status FileTrail::SetAside(const Segment& segment, std::uint64_t offset, std::string_view torn) {
  for (int attempt = 0;; ++attempt) {
    auto path = segment.path;
    path.replace_extension(attempt == 0 ? fmt::format(".{}.torn", offset)
                                        : fmt::format(".{}.{}.torn", offset, attempt));
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
      continue;
    }
    const File file(ops_.Create(path.c_str()));
    if (file.fd() < 0) {
      return Fail(SystemError("cannot create", path, errno));
    }
    if (ops_.Write(file.fd(), torn.data(), torn.size()) != static_cast<ssize_t>(torn.size()) ||
        ops_.DataSync(file.fd()) != 0 || ops_.DirectorySync(lock_.fd()) != 0) {
      return Fail(SystemError("cannot write", path, errno));
    }
    return {};
  }
}

Result<FileTrail::FilePtr> FileTrail::OpenSegment(const std::filesystem::path& path) {
  auto file = std::make_shared<const File>(ops_.Create(path.c_str()));
  if (file->fd() < 0) {
    return Fail(SystemError("cannot open", path, errno));
  }
  if (ops_.DirectorySync(lock_.fd()) != 0) {
    return Fail(SystemError("cannot sync", directory_, errno));
  }
  return FilePtr(std::move(file));
}

// --- writing -------------------------------------------------------------------------------------

tl::unexpected<Error> FileTrail::Stop(Error error) {
  error.message = "the audit trail has stopped and must be opened again: " + error.message;
  LogError("{}", error.message);
  stopped_ = error;
  return Fail(std::move(error));
}

Status FileTrail::CutBack(Error error) {
  reserved_ = 0;  // the cut takes the blocks behind it, too
  if (ops_.Truncate(file_->fd(), static_cast<off_t>(size_)) != 0) {
    return Stop(std::move(error));
  }
  return Fail(std::move(error));
}

Status FileTrail::Rotate() {
  // The old segment is not looked at again, so its bytes must be safe before it is left.
  if (ops_.DataSync(file_->fd()) != 0) {
    return Stop(SystemError("cannot sync", path_, errno));
  }
  const auto path = SegmentPath(directory_, sequence_ + 1);
  KT_ASSIGN(FilePtr file, OpenSegment(path));
  KT_ASSIGN(const std::uint64_t size, SizeOf(*file, path));
  if (size != 0) {
    return Stop({ErrorCode::kCorrupt, fmt::format("{} exists already", path.string()), {}});
  }
  GiveBackReserve();
  file_ = std::move(file);
  path_ = path;
  size_ = 0;
  return {};
}

Status FileTrail::WriteGroup() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t wrote = ops_.Write(file_->fd(), rest.data(), rest.size());
    if (wrote > 0) {
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (wrote == 0 || errno != EINTR) {
      return CutBack(SystemError("cannot write", path_, wrote == 0 ? EIO : errno));
    }
  }
  size_ += buffer_.size();
  written_ += buffer_.size();
  return {};
}

Status FileTrail::Append(std::string_view lines) {
  if (!AreLines(lines)) {
    return Fail(ErrorCode::kInternal, "the audit trail takes whole lines of JSON objects only");
  }
  std::uint64_t written = 0;
  {
    const std::lock_guard lock(write_mutex_);
    if (stopped_) {
      return Fail(*stopped_);
    }
    if (size_ > 0 && size_ + lines.size() + kChainLineBytesMax > segment_bytes_max_) {
      KT_TRY(Rotate());
    }
    buffer_.assign(lines);
    const ChainStep step{value_, sequence_ + 1, lines, false};
    const ChainValue value = AppendChainLine(key_, step, buffer_);
    KT_TRY(WriteGroup());
    value_ = value;
    sequence_ = step.sequence;
    written = written_;
  }
  if (sync_ == SyncMode::kAlways) {
    return SyncTo(written);
  }
  if (!dirty_.exchange(true)) {
    const std::lock_guard lock(wake_mutex_);
    wake_.notify_one();
  }
  return {};
}

// SyncTo: whoever waits for sync_mutex_ while another syncs finds its bytes synced already, or
// syncs for everybody who wrote in the meantime. So concurrent appends share calls of fdatasync.
Status FileTrail::SyncTo(std::uint64_t target) {
  const std::lock_guard sync_lock(sync_mutex_);
  FilePtr file;
  std::uint64_t reached = 0;
  {
    const std::lock_guard lock(write_mutex_);
    if (stopped_) {
      return Fail(*stopped_);
    }
    if (synced_ >= target) {
      return {};
    }
    file = file_;
    reached = written_;
  }
  if (ops_.DataSync(file->fd()) != 0) {
    const int error_number = errno;
    const std::lock_guard lock(write_mutex_);
    return Stop(SystemError("cannot sync", path_, error_number));
  }
  ReserveAhead(reached - std::exchange(synced_, reached));
  return {};
}

// ReserveAhead has blocks set aside for what the next syncs will write. Otherwise the file system
// looks for them while it writes out, and an append at that moment waits, some milliseconds each
// time. That a file system cannot do it, or is full, is no error: appends then do as well as they
// can.
void FileTrail::ReserveAhead(std::uint64_t bytes_since_sync) {
  const std::lock_guard lock(write_mutex_);
  const std::uint64_t ahead =
      std::clamp(kSyncsReserved * bytes_since_sync, kReserveBytesMin, kReserveBytesMax);
  const std::uint64_t from = std::max(size_, reserved_);
  if (stopped_ || reserve_fails_ || from >= std::min(size_ + ahead / 2, segment_bytes_max_)) {
    return;  // not to be had, or enough
  }
  const std::uint64_t until = std::min(size_ + ahead, segment_bytes_max_);
  reserve_fails_ =
      ops_.Reserve(file_->fd(), static_cast<off_t>(from), static_cast<off_t>(until - from)) != 0;
  reserved_ = until;
}

// GiveBackReserve frees the blocks behind the end of a segment that is left.
void FileTrail::GiveBackReserve() {
  if (!stopped_ && reserved_ > size_) {
    (void)ops_.Truncate(file_->fd(), static_cast<off_t>(size_));
  }
  reserved_ = 0;
  reserve_fails_ = false;  // a disk that was full may not be any more
}

Status FileTrail::Sync() {
  std::uint64_t written = 0;
  {
    const std::lock_guard lock(write_mutex_);
    written = written_;
  }
  return SyncTo(written);
}

void FileTrail::SyncLoop() {
  std::unique_lock lock(wake_mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return stop_ || dirty_.load(); });
    wake_.wait_for(lock, sync_delay_, [this] { return stop_; });
    dirty_ = false;
    lock.unlock();
    (void)Sync();  // a failure stops the trail, which Append reports
    lock.lock();
  }
}

Head FileTrail::head() const {
  const std::lock_guard lock(write_mutex_);
  return MakeHead(sequence_, value_);
}

// --- reading -------------------------------------------------------------------------------------

Result<std::vector<std::string>> FileTrail::RecentEventIds(std::uint64_t bytes_max) const {
  std::string text;
  {
    // No append may come in between, or its half-written line would be taken for a short one.
    const std::lock_guard lock(write_mutex_);
    KT_ASSIGN(const auto segments, ListSegments(directory_));
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

}  // namespace

Result<std::unique_ptr<Trail>> Trail::Open(const Options& options, crypto::Key256 chain_key,
                                           const Head& at_least) {
  auto trail = std::make_unique<FileTrail>(options, std::move(chain_key));
  KT_TRY(trail->Start(at_least));
  return std::unique_ptr<Trail>(std::move(trail));
}

}  // namespace keyturn::trail
