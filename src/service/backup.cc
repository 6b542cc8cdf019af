#include "service/backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "service/files.h"
#include "service/keyring.h"
#include "service/meta.h"
#include "service/root_key.h"
#include "service/writer.h"
#include "store/store.h"
#include "trail/copy.h"

namespace keyturn::service {
namespace {

namespace fs = std::filesystem;

// What the server can do without, and the console cannot: its jobs and history.
constexpr const char* kConsoleDirectories[] = {"console-jobs", "console-history"};

// PartialDirectory has the copy until it is whole, and goes with it unless that came to pass.
class PartialDirectory {
 public:
  explicit PartialDirectory(fs::path path) : path_(std::move(path)) {}
  ~PartialDirectory() {
    if (made_) {
      std::error_code ignored;
      fs::remove_all(path_, ignored);
    }
  }
  PartialDirectory(const PartialDirectory&) = delete;
  PartialDirectory& operator=(const PartialDirectory&) = delete;

  Status Make() {
    if (::mkdir(path_.c_str(), 0700) != 0) {
      if (errno == EEXIST) {
        return Fail(ErrorCode::kConflict, path_.string() +
                                              ": another backup is being made, or one was "
                                              "interrupted; remove it in that case");
      }
      return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kReadOnly,
                  fmt::format("cannot make {}: {}", path_.string(),
                              std::generic_category().message(errno)));
    }
    made_ = true;
    return {};
  }
  Status Publish(const fs::path& as) {
    KT_TRY(PublishDirectory(path_, as));
    made_ = false;
    return {};
  }
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
  bool made_ = false;
};

// CopyDirectory copies the files of a directory of the console, in the order of their names: a job
// before its journal, so that the journal knows of everything that the job does.
Result<std::uint64_t> CopyDirectory(const fs::path& from, const fs::path& to) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file(error) && !error) names.push_back(entry->path().filename());
  }
  if (error == std::errc::no_such_file_or_directory) return 0;
  if (error) {
    return Fail(ErrorCode::kIo, fmt::format("cannot list {}: {}", from.string(), error.message()));
  }
  std::sort(names.begin(), names.end());
  if (::mkdir(to.c_str(), 0700) != 0) {
    return Fail(ErrorCode::kIo, fmt::format("cannot make {}: {}", to.string(),
                                            std::generic_category().message(errno)));
  }
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    const auto copied = CopyNewFile(from / name, to / name);
    if (!copied && copied.error().code == ErrorCode::kNotFound) continue;  // ended meanwhile
    KT_TRY(copied);
    bytes += *copied;
  }
  return bytes;
}

// CopiedDatabase: the copy, open.
struct CopiedDatabase {
  std::unique_ptr<store::Store> store;
  Keyring keyring;
  trail::Head head;
};

Result<CopiedDatabase> OpenCopy(const fs::path& directory, const crypto::Key256& root) {
  KT_ASSIGN(auto store, store::OpenSqlite(directory, {}));
  KT_ASSIGN(auto wrapped, store->ReadMeta(kDomainKeyMeta));
  KT_ASSIGN(const Bytes domain_key, DomainKeyOf(std::move(wrapped), directory));
  KT_ASSIGN(Keyring keyring, Keyring::Unwrap(root, domain_key));
  KT_ASSIGN(const auto head, store->ReadMeta(kTrailHeadMeta));
  return CopiedDatabase{std::move(store), std::move(keyring),
                        head ? DecodeTrailHead(*head) : trail::Head{}};
}

// OpenMaterials opens every material of the copy, and forgets it again.
Status OpenMaterials(const CopiedDatabase& copy, Backup& backup) {
  std::vector<keys::Key> keys;
  std::size_t at = 0;  // materials come in the order of the keys
  Status status;
  store::Visitors visitors;
  visitors.key = [&](store::KeyRow row) { keys.push_back(std::move(row.key)); };
  visitors.material = [&](const store::MaterialRow& row) {
    const auto is_of = [&](const keys::Key& key) {
      return key.id == row.key && key.region == row.region && key.account == row.account;
    };
    while (at < keys.size() && !is_of(keys[at])) ++at;
    if (!status || at == keys.size()) return;  // the store refuses a material without its key
    ++backup.materials;
    if (row.sealed.empty()) return;  // imported, and deleted or expired
    if (const auto opened = copy.keyring.OpenMaterialBytes(keys[at], row.id, row.sealed); !opened) {
      status = Fail(ErrorCode::kCorrupt,
                    fmt::format("material {} of {} does not open: {}", row.generation,
                                keys[at].arn(), opened.error().message));
    }
  };
  KT_TRY(copy.store->Load(visitors));
  KT_TRY(status);
  backup.keys = keys.size();
  return {};
}

Status CopyFiles(const BackupOptions& options, const fs::path& to, Backup& backup) {
  std::vector<std::string> names = {"region"};
  if (options.with_root_key) {
    names.insert(names.end(), {kRootKeyFile, "credentials"});
  }
  for (const std::string& name : names) {
    const auto copied = CopyNewFile(options.directory / name, to / name);
    if (!copied && copied.error().code == ErrorCode::kNotFound) continue;  // removed by its owner
    KT_TRY(copied);
    backup.bytes += *copied;
  }
  for (const char* name : kConsoleDirectories) {
    KT_ASSIGN(const std::uint64_t copied, CopyDirectory(options.directory / name, to / name));
    backup.bytes += copied;
  }
  return {};
}

}  // namespace

Result<Backup> BackUp(const BackupOptions& options) {
  KT_ASSIGN(const crypto::Key256 root, LoadRootKey(options.directory, options.passphrase));
  const fs::path target = fs::absolute(options.target).lexically_normal();
  const fs::path name = target.has_filename() ? target : target.parent_path();
  std::error_code error;
  if (fs::exists(fs::symlink_status(name, error))) {
    return Fail(ErrorCode::kConflict, name.string() + ": exists already");
  }
  PartialDirectory partial(name.string() + ".partial");
  KT_TRY(partial.Make());
  const fs::path& to = partial.path();
  Backup backup;
  KT_TRY(store::CopySqlite(options.directory, to / "keyturn.db"));
  {
    KT_ASSIGN(const CopiedDatabase copy, OpenCopy(to, root));
    KT_TRY(OpenMaterials(copy, backup));
    KT_ASSIGN(const std::uint64_t copied,
              trail::CopyTrail(options.directory, to, copy.keyring.TrailKey()));
    KT_ASSIGN(backup.trail, trail::Verify(to, copy.keyring.TrailKey(), copy.head));
    backup.bytes += copied;
  }
  backup.bytes += fs::file_size(to / "keyturn.db", error);
  KT_TRY(CopyFiles(options, to, backup));
  fs::remove(to / "keyturn.lock", error);
  KT_TRY(partial.Publish(name));
  return backup;
}

}  // namespace keyturn::service
