// Service: a data directory in use: store, keys in memory, trail, the writer, and the clockwork
// that rotates and destroys keys when their time has come.
//
// Thread-safety: as its parts; Tick is called by one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "service/call.h"
#include "service/writer.h"
#include "trail/trail.h"

namespace keyturn::service {

struct InitOptions {
  std::filesystem::path directory;
  model::AccountId account;
  std::string region = "us-east-1";  // only for the credentials file and `keyturn env`
  std::string admin_user = "admin";
  std::optional<SecretBytes> passphrase;
  // access_key_id, secret_access_key: given ones (development); else made.
  std::string access_key_id;
  std::optional<SecretBytes> secret_access_key;
};

// InitDataDirectory makes root key, database, account, the first administrator with an access key,
// and directory/credentials (AWS shared-credentials form, 0600). kConflict when the directory holds
// one already, or what an interrupted call has left; the message says what to do. Until the last
// step the directory does not count as initialised.
Status InitDataDirectory(const InitOptions& options, const Clock& clock, RandomSource& random);

struct OpenOptions {
  std::filesystem::path directory;
  std::optional<SecretBytes> passphrase;
  trail::SyncMode trail_sync = trail::SyncMode::kPeriodic;
  Millis settle_delay = {};  // Environment::settle_delay
  Quotas quotas = {};
  std::string attestation_roots = {};  // PEM; empty: Recipient is refused
  bool notifies = false;               // Environment::notifies
  bool aws_managed_keys_on_first_use = false;
  std::shared_ptr<Outside> outside = {};
};

// OpenTrailAccess: what `keyturn trail verify` needs of a data directory, also beside the server
// that has it open: the chain has then come at least as far as it says.
struct TrailAccess {
  crypto::Key256 key;
  trail::Head at_least;
};
Result<TrailAccess> OpenTrailAccess(const OpenOptions& options);

// TickResult: what one turn of the clockwork did.
struct TickResult {
  std::size_t rotated = 0;
  std::size_t destroyed = 0;
  std::size_t expired = 0;  // imported materials
  std::size_t settled = 0;  // keys and custom key stores that left a transient state
  std::size_t failed = 0;
  std::size_t changed() const { return rotated + destroyed + expired + settled; }
};

class Service {
 public:
  // Open loads everything; nothing is changed when it fails. Errors: kNotFound (not initialised),
  // kLocked, kCorrupt, kNewerFormat, kUsage (passphrase), kReadOnly.
  static Result<std::unique_ptr<Service>> Open(const OpenOptions& options, const Clock& clock,
                                               RandomSource& random);
  ~Service();

  const Environment& environment() const { return *environment_; }
  Tables& tables() { return tables_; }
  Writer& writer() { return *writer_; }
  trail::Trail& trail() { return *trail_; }
  trail::SyncMode trail_sync() const { return trail_sync_; }
  const std::filesystem::path& directory() const { return directory_; }
  // operator_account may administer the users of every account; others their own only.
  const model::AccountId& operator_account() const { return operator_account_; }

  // Reconnect makes the links of connected custom key stores again. Blocks for what is outside.
  void Reconnect();

  // Tick does what is due: it destroys keys whose waiting period has ended, deletes imported
  // material that has expired, ends transient states, and rotates. Blocks until that is durable. A
  // failed rotation is logged and tried again at the next tick.
  TickResult Tick();

  // SaveUsage stores the last uses of keys that are not stored yet. Tick does it now and then; what
  // a crash takes is at most what happened since.
  void SaveUsage();

 private:
  Service() = default;
  Status Load();
  Status StartUsageTracking(const Clock& clock);
  void DestroyInTokens(const std::vector<KeyPtr>& destroyed);

  std::filesystem::path directory_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Keyring> keyring_;
  Tables tables_;
  PolicyPool policies_;
  std::unique_ptr<trail::Trail> trail_;
  std::vector<store::TrailRow> pending_trail_;
  trail::Head trail_head_;
  trail::SyncMode trail_sync_ = trail::SyncMode::kPeriodic;
  model::AccountId operator_account_;
  TimePoint usage_since_;
  TimePoint usage_saved_;  // of the clockwork's thread
  std::unique_ptr<RequestLimiter> limiter_;
  std::unique_ptr<crypto::AttestationRoots> attestation_roots_;
  std::shared_ptr<Outside> outside_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<Writer> writer_;  // last: it stops first
};

}  // namespace keyturn::service
