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
#include "trail/chain.h"
#include "trail/file_ops.h"
#include "trail/files.h"
#include "trail/redo_log.h"
#include "trail/repair.h"
#include "trail/tail.h"

namespace keyturn::trail {
namespace {

// How far ahead blocks are reserved: for so many syncs like the last one, within bounds.
constexpr std::uint64_t kSyncsReserved = 16;
constexpr std::uint64_t kReserveBytesMin = 1ULL << 20;
constexpr std::uint64_t kReserveBytesMax = 64ULL << 20;

class FileTrail final : public Trail {
 public:
  FileTrail(const Options& options, crypto::Key256 key)
      : directory_(options.directory / "trail"),
        sync_(options.sync),
        segment_bytes_max_(options.segment_bytes_max),
        sync_delay_(options.sync_delay),
        redo_log_bytes_(options.redo_log_bytes),
        ops_(options.file_ops != nullptr ? *options.file_ops : SystemFileOps()),
        key_(std::move(key)) {}
  ~FileTrail() override;

  Status Start(const Head& at_least);

  Status Append(std::string_view lines) override;
  Status Sync() override;
  Head head() const override;
  std::uint64_t appended_bytes() const override;
  Result<std::vector<std::string>> RecentEventIds(std::uint64_t bytes_max) const override;

 private:
  using FilePtr = std::shared_ptr<const File>;

  Status LockDirectory();
  Status OpenRedoLog();
  ChainPlace Here() const { return {size_, sequence_, value_}; }
  void NoteSynced(const ChainPlace& place);
  Status Recover(const Segment& segment, const ChainEnd& end);
  Result<FilePtr> OpenSegment(const std::filesystem::path& path);
  Status Rotate();
  // WriteGroup writes buffer_, which ends in the chain line of that value, at the end, or nothing;
  // the caller holds write_mutex_ (or is Start).
  Status WriteGroup(const ChainValue& value);
  Status LogGroup(const ChainValue& value);
  Status CutBack(Error error);
  tl::unexpected<Error> Stop(Error error);
  Status SyncTo(std::uint64_t target);
  Result<std::uint64_t> SyncSegment();
  void ReserveAhead(std::uint64_t bytes_since_sync);
  void WakeSyncer(bool at_once);
  void GiveBackReserve();
  void SyncLoop();

  const std::filesystem::path directory_;
  const SyncMode sync_;
  const std::uint64_t segment_bytes_max_;
  const Millis sync_delay_;
  const std::uint64_t redo_log_bytes_;
  FileOps& ops_;
  const crypto::Key256 key_;
  File lock_;  // the directory, locked

  // Lock order: sync_mutex_, segment_sync_mutex_, write_mutex_, wake_mutex_.
  mutable std::mutex write_mutex_;  // the members down to stopped_
  FilePtr file_;
  std::filesystem::path path_;
  std::uint64_t segment_ = 0;   // the first sequence in it
  std::uint64_t size_ = 0;      // of the segment
  std::uint64_t reserved_ = 0;  // of the segment: up to where blocks are set aside
  bool reserve_fails_ = false;  // not asked for again in this segment
  std::uint64_t sequence_ = 0;
  ChainValue value_ = kFirstPrevious;
  std::uint64_t written_ = 0;      // bytes ever appended by this object
  std::uint64_t in_segments_ = 0;  // of these, synced in their segments
  ChainPlace synced_place_;        // up to where this segment is
  std::unique_ptr<RedoLog> redo_;  // null if it could not be made
  std::uint64_t unlogged_ = 0;     // of written_, up to where redo_ does not have all
  std::string buffer_;
  std::optional<Error> stopped_;

  std::mutex sync_mutex_;  // held during the fdatasync that appends wait for; guards synced_
  std::uint64_t synced_ = 0;

  // Held while a segment is synced and until it is known how that ended: of two at once, one only
  // would be told of a failure.
  std::mutex segment_sync_mutex_;

  std::mutex wake_mutex_;  // guards hurry_ and stop_
  std::condition_variable wake_;
  std::atomic<bool> dirty_ = false;
  bool hurry_ = false;
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
  if (file_ == nullptr) {
    return;
  }
  if (const auto synced = SyncSegment(); !synced) {
    LogError("audit trail: not synced at the end: {}", synced.error().message);
  } else if (const Status removed = RemoveRedoLog(ops_, directory_, lock_.fd()); !removed) {
    LogWarning("audit trail: {}", removed.error().message);
  }
  GiveBackReserve();
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
  KT_TRY(RepairSegment(ops_, directory_, lock_.fd(), segments, key_, at_least));
  ChainEnd end;
  if (!segments.empty()) {
    KT_ASSIGN(end, FindChainEnd(segments, key_));
  }
  if (!Reaches(end.sequence, end.value, at_least)) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: the trail ends at sequence {}, but is known to have reached {}: "
                            "its end is missing or was replaced",
                            directory_.string(), end.sequence, at_least.sequence));
  }
  sequence_ = end.sequence;
  value_ = end.value;
  size_ = end.chained_size;
  segment_ = segments.empty() ? 1 : segments.back().first_sequence;
  path_ = SegmentPath(directory_, segment_);
  KT_ASSIGN(file_, OpenSegment(path_));
  if (!end.open.empty()) {
    KT_TRY(Recover(segments.back(), end));
  }
  // What an earlier process wrote may be in the page cache only.
  if (ops_.DataSync(file_->fd()) != 0) {
    return Stop(SystemError("cannot sync", path_, errno));
  }
  KT_TRY(RemoveRedoLog(ops_, directory_, lock_.fd()));
  if (const Status opened = OpenRedoLog(); !opened) {
    LogWarning("audit trail: after a power failure, a start may refuse it: {}",
               opened.error().message);
  }
  syncer_ = std::thread([this] { SyncLoop(); });
  return {};
}

Status FileTrail::OpenRedoLog() {
  synced_place_ = Here();
  const auto create = [this](std::uint64_t bytes) {
    return RedoLog::Create(ops_, directory_, lock_.fd(), key_, bytes, segment_, synced_place_);
  };
  auto log = create(sync_ == SyncMode::kAlways ? redo_log_bytes_ : 0);
  if (!log && sync_ == SyncMode::kAlways) {
    LogWarning("audit trail: without a redo log each append waits for its segment: {}",
               log.error().message);
    log = create(0);
  }
  KT_ASSIGN(redo_, std::move(log));
  return {};
}

// NoteSynced: the caller holds write_mutex_.
void FileTrail::NoteSynced(const ChainPlace& place) {
  synced_place_ = place;
  if (redo_ != nullptr) {
    redo_->Mark(segment_, place);
  }
}

Status FileTrail::Recover(const Segment& segment, const ChainEnd& end) {
  const std::size_t keep = KeepableBytes(end.open);
  const std::uint64_t kept_size = end.chained_size + keep;
  if (keep < end.open.size()) {
    KT_TRY(SetAside(ops_, segment, kept_size, std::string_view(end.open).substr(keep), lock_.fd()));
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
    KT_TRY(WriteGroup(value));
  }
  LogWarning(
      "audit trail: {} ended in {} bytes without a chain line; {} of them are kept as "
      "recovered records",
      path_.string(), end.open.size(), keep);
  return {};
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

// Rotate: the caller holds segment_sync_mutex_ and write_mutex_.
Status FileTrail::Rotate() {
  // The old segment is not looked at again, so its bytes must be safe before it is left.
  if (ops_.DataSync(file_->fd()) != 0) {
    return Stop(SystemError("cannot sync", path_, errno));
  }
  const auto path = SegmentPath(directory_, sequence_ + 1);
  auto file = OpenSegment(path);
  const auto size = file ? SizeOf(**file, path) : tl::unexpected(file.error());
  if (!size) {
    std::error_code error;
    // Once its file is there, no append may go to the segment before it.
    const bool is_there = std::filesystem::exists(path, error) || error;
    return is_there ? Stop(size.error()) : Fail(size.error());
  }
  if (*size != 0) {
    return Stop({ErrorCode::kCorrupt, fmt::format("{} exists already", path.string()), {}});
  }
  GiveBackReserve();
  in_segments_ = written_;
  file_ = std::move(*file);
  path_ = path;
  segment_ = sequence_ + 1;
  size_ = 0;
  NoteSynced(Here());
  return {};
}

Status FileTrail::WriteGroup(const ChainValue& value) {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t wrote = ops_.Write(file_->fd(), rest.data(), rest.size());
    if (wrote > 0) {
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (wrote == 0 || errno != EINTR) {
      return CutBack(SystemError("cannot write", path_, wrote == 0 ? EIO : errno));
    }
  }
  if (redo_ != nullptr) {
    KT_TRY(LogGroup(value));
  }
  size_ += buffer_.size();
  written_ += buffer_.size();
  value_ = value;
  ++sequence_;
  return {};
}

Status FileTrail::LogGroup(const ChainValue& value) {
  const RedoGroup group{segment_, Here(), synced_place_, value, buffer_};
  const std::uint64_t written = written_ + buffer_.size();
  const auto outcome = redo_->Write(group, written, in_segments_);
  if (!outcome) {
    // What was written of it must not meet another group of the same sequence at a restart.
    (void)CutBack(outcome.error());
    return Stop(outcome.error());
  }
  if (*outcome == RedoLog::Outcome::kNoRoom) {
    unlogged_ = written;
  } else if (*outcome == RedoLog::Outcome::kHalfFilled) {
    WakeSyncer(true);
  }
  return {};
}

Status FileTrail::Append(std::string_view lines) {
  if (lines.size() > kGroupBytesMax) {
    return Fail(ErrorCode::kInternal, fmt::format("the audit trail takes {} bytes at once, not {}",
                                                  kGroupBytesMax, lines.size()));
  }
  if (!AreRecordLines(lines)) {
    return Fail(ErrorCode::kInternal, "the audit trail takes whole lines of JSON objects only");
  }
  std::uint64_t written = 0;
  {
    std::unique_lock<std::mutex> sync_lock;
    std::unique_lock lock(write_mutex_);
    const auto is_full = [&] {
      return size_ > 0 && size_ + lines.size() + kChainLineBytesMax > segment_bytes_max_;
    };
    if (is_full()) {
      lock.unlock();
      sync_lock = std::unique_lock(segment_sync_mutex_);
      lock.lock();
    }
    if (stopped_) {
      return Fail(*stopped_);
    }
    if (sync_lock.owns_lock() && is_full()) {  // nobody came first
      KT_TRY(Rotate());
    }
    buffer_.assign(lines);
    const ChainStep step{value_, sequence_ + 1, lines, false};
    const ChainValue value = AppendChainLine(key_, step, buffer_);
    KT_TRY(WriteGroup(value));
    written = written_;
  }
  if (!dirty_.exchange(true)) {
    WakeSyncer(false);
  }
  return sync_ == SyncMode::kAlways ? SyncTo(written) : Status();
}

// SyncTo: whoever waits for sync_mutex_ while another syncs finds its bytes synced already, or
// syncs for everybody who wrote in the meantime. So concurrent appends share calls of fdatasync.
Status FileTrail::SyncTo(std::uint64_t target) {
  const std::lock_guard sync_lock(sync_mutex_);
  std::uint64_t reached = 0;
  bool logged = false;
  {
    const std::lock_guard lock(write_mutex_);
    if (stopped_) {
      return Fail(*stopped_);
    }
    if (std::max(synced_, in_segments_) >= target) {
      return {};
    }
    logged = redo_ != nullptr && unlogged_ <= in_segments_;
    reached = written_;
  }
  if (!logged) {
    KT_ASSIGN(synced_, SyncSegment());
    return {};
  }
  if (ops_.DataSync(redo_->fd()) != 0) {
    const int error_number = errno;
    const std::lock_guard lock(write_mutex_);
    return Stop(SystemError("cannot sync", RedoLogPath(directory_), error_number));
  }
  synced_ = reached;
  return {};
}

// SyncSegment syncs what is in segments so far; returns how many bytes that are.
Result<std::uint64_t> FileTrail::SyncSegment() {
  const std::lock_guard sync_lock(segment_sync_mutex_);
  FilePtr file;
  std::filesystem::path path;
  std::uint64_t reached = 0;
  ChainPlace place;
  {
    const std::lock_guard lock(write_mutex_);
    if (stopped_) {
      return Fail(*stopped_);
    }
    file = file_;
    path = path_;
    reached = written_;
    place = Here();
  }
  const int result = ops_.DataSync(file->fd());
  const int error_number = errno;
  const std::lock_guard lock(write_mutex_);
  if (result != 0) {
    return Stop(SystemError("cannot sync", path, error_number));
  }
  if (reached > in_segments_) {
    ReserveAhead(reached - in_segments_);
    in_segments_ = reached;
    NoteSynced(place);
  }
  return reached;
}

// ReserveAhead has blocks set aside for what the next syncs will write. Otherwise the file system
// looks for them while it writes out, and an append at that moment waits, some milliseconds each
// time. That a file system cannot do it, or is full, is no error: appends then do as well as they
// can. The caller holds write_mutex_.
void FileTrail::ReserveAhead(std::uint64_t bytes_since_sync) {
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

void FileTrail::WakeSyncer(bool at_once) {
  const std::lock_guard lock(wake_mutex_);
  hurry_ |= at_once;
  wake_.notify_one();
}

void FileTrail::SyncLoop() {
  std::unique_lock lock(wake_mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return stop_ || dirty_.load(); });
    wake_.wait_for(lock, sync_delay_, [this] { return stop_ || hurry_; });
    dirty_ = false;
    hurry_ = false;
    lock.unlock();
    (void)SyncSegment();  // a failure stops the trail, which Append reports
    lock.lock();
  }
}

Head FileTrail::head() const {
  const std::lock_guard lock(write_mutex_);
  return {sequence_, sequence_ == 0 ? std::string() : HexEncode(value_)};
}

std::uint64_t FileTrail::appended_bytes() const {
  const std::lock_guard lock(write_mutex_);
  return written_;
}

// --- reading -------------------------------------------------------------------------------------

Result<std::vector<std::string>> FileTrail::RecentEventIds(std::uint64_t bytes_max) const {
  // No append may come in between, or its half-written line would be taken for a short one.
  const std::lock_guard lock(write_mutex_);
  KT_ASSIGN(const auto segments, ListSegments(directory_));
  return EventIdsAtEnd(segments, bytes_max);
}

}  // namespace

Status AppendAll(Trail& trail, std::string_view lines) {
  while (lines.size() > kGroupBytesMax) {
    const std::size_t end = lines.rfind('\n', kGroupBytesMax - 1);
    if (end == std::string_view::npos) break;  // a line that no group takes
    KT_TRY(trail.Append(lines.substr(0, end + 1)));
    lines.remove_prefix(end + 1);
  }
  return trail.Append(lines);
}

Result<std::unique_ptr<Trail>> Trail::Open(const Options& options, crypto::Key256 chain_key,
                                           const Head& at_least) {
  auto trail = std::make_unique<FileTrail>(options, std::move(chain_key));
  KT_TRY(trail->Start(at_least));
  return std::unique_ptr<Trail>(std::move(trail));
}

}  // namespace keyturn::trail
