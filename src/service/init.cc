// Making a data directory.
#include <fmt/format.h>
#include <sys/stat.h>

#include "crypto/seal.h"
#include "model/arn.h"
#include "service/access_keys.h"
#include "service/files.h"
#include "service/meta.h"
#include "service/principals.h"
#include "service/root_key.h"
#include "service/service.h"

namespace keyturn::service {
namespace {

constexpr std::string_view kAdministratorPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Sid":"AdministratorAccess","Effect":"Allow",)"
    R"("Action":"*","Resource":"*"}]})";

// CheckUnused refuses a directory that holds something of what is made here, and says what to do.
// Nothing is removed: a root key without its database may be a backup that is being restored.
Status CheckUnused(const std::filesystem::path& directory) {
  const std::string name = directory.string();
  const auto holds = [&](std::string_view file) {
    std::error_code error;
    return std::filesystem::exists(directory / file, error);
  };
  const bool has_root_key = holds(kRootKeyFile);
  if (holds("keyturn.db")) {
    if (!has_root_key) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("{} holds a database, but not the root key that opens it: restore {} "
                              "from its backup",
                              name, kRootKeyFile));
    }
    const std::string keys[] = {kDomainKeyMeta};
    const auto stored = store::ReadMetaInUse(directory, keys);
    if (stored && !stored->front()) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("{} is not initialised: an earlier `keyturn init` did not finish; "
                              "remove the directory and run it again",
                              name));
    }
    return Fail(ErrorCode::kConflict, fmt::format("{} is initialised already", name));
  }
  if (has_root_key) {
    return Fail(ErrorCode::kConflict,
                fmt::format("{0} holds a root key, but no database (keyturn.db). If an earlier "
                            "`keyturn init` was interrupted, nothing is encrypted under that root "
                            "key: remove {0}/{1} and run init again. If this is a backup, restore "
                            "its database, too",
                            name, kRootKeyFile));
  }
  for (const char* file : {"region", "credentials"}) {
    if (holds(file)) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("{}/{} is there already, and init does not replace it", name, file));
    }
  }
  return {};
}

Status WriteCredentials(const InitOptions& options, const NewAccessKey& access_key) {
  std::string text = fmt::format("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                                 access_key.row.id, AsText(access_key.secret.reveal()));
  Status written = WriteNewFile(options.directory / "credentials", text);
  WipeMemory(text.data(), text.size());
  return written;
}

}  // namespace

Status InitDataDirectory(const InitOptions& options, const Clock& clock, RandomSource& random) {
  KT_TRY(CheckPrincipalName("the administrator's name", options.admin_user));
  std::error_code error;
  const bool made = std::filesystem::create_directories(options.directory, error);
  if (error) {
    return Fail(ErrorCode::kReadOnly,
                fmt::format("cannot make {}: {}", options.directory.string(), error.message()));
  }
  if (made) ::chmod(options.directory.c_str(), 0700);
  KT_TRY(CheckUnused(options.directory));
  KT_ASSIGN(const crypto::Key256 root,
            CreateRootKey(options.directory, options.passphrase, random));
  const Keyring keyring = Keyring::Create(random);
  KT_ASSIGN(const auto store, store::OpenSqlite(options.directory, {.create = true}));

  const TimePoint now = clock.Now();
  store::UserRow user;
  user.account = options.account;
  user.name = options.admin_user;
  user.user_id = NewPrincipalId("AIDA", random);
  user.created = now;
  user.policies = {{"AdministratorAccess", std::string(kAdministratorPolicy)}};
  NewAccessKey access_key =
      MakeAccessKey(keyring, options.account, options.admin_user, now, random);
  if (!options.access_key_id.empty() && options.secret_access_key) {
    access_key.row.id = options.access_key_id;
    access_key.secret = SecretBytes::CopyOf(options.secret_access_key->reveal());
    access_key.row.sealed_secret =
        keyring.SealAccessKeySecret(access_key.row.id, access_key.secret.reveal(), random);
  }
  const ByteView region = AsBytes(options.region);
  const ByteView account = AsBytes(options.account.text());
  store::Change change;
  change.put_users = {user};
  change.put_access_keys = {access_key.row};
  change.put_meta = {{kDomainKeyMeta, keyring.Wrap(root, random)},
                     {"region", {region.begin(), region.end()}},
                     {"account", {account.begin(), account.end()}}};
  // The commit is last: a database with its domain key has everything beside it.
  KT_TRY(WriteNewFile(options.directory / "region", options.region + "\n"));
  KT_TRY(WriteCredentials(options, access_key));
  return store->Commit({&change, 1});
}

}  // namespace keyturn::service
