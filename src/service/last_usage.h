// LastUsage: when and for what a key was last used in a cryptographic operation, as
// GetKeyLastUsage tells it. It lives beside the key's materials, shared by the key's snapshots;
// the clockwork stores what has changed (Service::SaveUsage), so that no request waits for it.
//
// Thread-safety: UsageSlot and UsageLog are thread-safe. Noting a use takes one exchange on the
// slot and no lock that waits.
// Source: KMS Developer Guide, "Determine past usage of a KMS key"; API model, GetKeyLastUsage
// (which operations are tracked).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "model/ids.h"

namespace keyturn::service {

struct LastUsage {
  std::string_view operation;  // a literal
  TimePoint date;
  UuidText event_id{};    // of its trail record
  UuidText request_id{};  // as answered
};

// TrackedUsage: the name under which uses by an operation are tracked; empty: they are not.
constexpr std::string_view TrackedUsage(std::string_view operation) {
  constexpr std::string_view kTracked[] = {
      "Decrypt",
      "DeriveSharedSecret",
      "Encrypt",
      "GenerateDataKey",
      "GenerateDataKeyPair",
      "GenerateDataKeyPairWithoutPlaintext",
      "GenerateDataKeyWithoutPlaintext",
      "GenerateMac",
      "ReEncrypt",
      "Sign",
      "Verify",
      "VerifyMac",
  };
  for (const std::string_view tracked : kTracked) {
    if (tracked == operation) return tracked;
  }
  return {};
}

class UsageSlot {
 public:
  UsageSlot() = default;
  ~UsageSlot() { delete state_.load(); }
  UsageSlot(const UsageSlot&) = delete;
  UsageSlot& operator=(const UsageSlot&) = delete;

  // Note keeps usage; true when nothing else was unsaved, so that the key has to be queued. Of uses
  // in the same instant by several threads one stays.
  bool Note(const LastUsage& usage);
  // Restore keeps what was stored before.
  void Restore(const LastUsage& usage);
  std::optional<LastUsage> Read() const;
  // TakeUnsaved returns what was noted since the last call, if anything.
  std::optional<LastUsage> TakeUnsaved();
  // CopyFrom takes over what another slot holds; a snapshot's materials are copied with it.
  void CopyFrom(const UsageSlot& other);

 private:
  struct State {
    std::atomic<bool> busy{false};
    bool unsaved = false;
    LastUsage last;
  };
  State& Made();

  mutable std::atomic<State*> state_{nullptr};  // null: never used, which most keys of a fleet are
};

// UsageLog: the keys whose last use is not stored yet.
class UsageLog {
 public:
  struct Name {
    model::Region region;
    model::KeyId id;
  };
  void Add(Name name);
  // Take removes and returns up to limit names.
  std::vector<Name> Take(std::size_t limit);

 private:
  std::mutex mutex_;
  std::vector<Name> names_;
};

}  // namespace keyturn::service
