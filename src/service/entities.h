// Entities: what the server holds in memory. Snapshots are immutable and shared: a request keeps
// the one it found while the next change makes a new one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "crypto/asymmetric.h"
#include "crypto/digest.h"
#include "keys/imports.h"
#include "keys/key.h"
#include "model/ids.h"
#include "policy/policy.h"
#include "service/last_usage.h"
#include "store/store.h"

namespace keyturn::service {

// ImportFacts: what imported material has beyond other material.
struct ImportFacts {
  std::optional<TimePoint> valid_to;
  std::string description;
};

// Material: one generation of key material. It stays sealed until it is first used.
struct Material {
  model::MaterialId id;
  std::uint32_t generation = 0;
  TimePoint created;
  Bytes sealed;                               // empty: imported material whose bytes are gone
  std::unique_ptr<const ImportFacts> import;  // null: not imported
  // key is the opened material, or null before the first use. Set once, by Keyring::Reveal.
  mutable std::atomic<const crypto::HmacKey*> key{nullptr};
  // pair is the same for a key pair. Set once, by Keyring::RevealPair.
  mutable std::atomic<const crypto::AsymmetricKey*> pair{nullptr};

  Material() = default;
  Material(const Material&) = delete;
  Material& operator=(const Material&) = delete;
  ~Material() {
    delete key.load();
    delete pair.load();
  }
  bool present() const { return !sealed.empty(); }
};
using MaterialPtr = std::shared_ptr<const Material>;

// Rotation: when and how a generation became current.
struct Rotation {
  model::RotationType type = model::RotationType::kAutomatic;
  TimePoint date;
};

// MaterialSet: all generations of one key, shared by the key's snapshots. Only grows while the key
// lives, so that every ciphertext finds its material in the same time however many there are. A
// generation above the key's current one is prepared: durable, but nothing is encrypted with it.
// Imported material comes and goes: such a key's snapshots share a set only until it changes, and
// the change is made to a Copy. Thread-safe.
class MaterialSet {
 public:
  void Add(MaterialPtr material);
  // DropLast removes a prepared material that does not open.
  void DropLast();
  std::shared_ptr<MaterialSet> Copy() const;
  // Replace puts material in the place of the one with its generation and id.
  void Replace(MaterialPtr material);
  std::vector<MaterialPtr> All() const;
  // NoteRotation notes how generation becomes current. It counts once the key has that generation.
  void NoteRotation(std::uint32_t generation, Rotation rotation);
  std::optional<Rotation> RotationOf(std::uint32_t generation) const;
  MaterialPtr Find(const model::MaterialId& id) const;
  MaterialPtr At(std::uint32_t generation) const;
  std::uint32_t size() const;
  UsageSlot& usage() const { return usage_; }

 private:
  // Below this many, looking at each is faster and smaller than an index.
  static constexpr std::size_t kIndexFrom = 4;
  mutable std::mutex mutex_;
  std::vector<MaterialPtr> by_generation_;
  std::vector<Rotation> rotations_;  // of generation 1, 2, ...
  // By id; null below kIndexFrom.
  std::unique_ptr<std::unordered_map<model::MaterialId, MaterialPtr>> index_;
  mutable UsageSlot usage_;
};

// KeyPolicy: a policy text and its compiled form, shared by all keys that have the same text.
struct KeyPolicy {
  std::shared_ptr<const std::string> text;
  policy::PolicyPtr compiled;
};

struct KeyEntry {
  keys::Key key;
  std::shared_ptr<const KeyPolicy> policy;
  std::vector<store::Tag> tags;
  std::shared_ptr<MaterialSet> materials;
  MaterialPtr current;  // encrypts; null only before the first import
};
using KeyPtr = std::shared_ptr<const KeyEntry>;

// ImportsOf: the materials of a key of origin EXTERNAL as keys/imports.h sees them.
std::vector<keys::ImportedMaterial> ImportsOf(const KeyEntry& entry);

struct User {
  store::UserRow row;
  std::string arn;
  std::vector<policy::PolicyPtr> policies;  // compiled, in the order of row.policies
  policy::PolicyPtr boundary;               // or null
};
using UserPtr = std::shared_ptr<const User>;

struct Group {
  store::GroupRow row;
  std::vector<policy::PolicyPtr> policies;
};
using GroupPtr = std::shared_ptr<const Group>;

struct Role {
  store::RoleRow row;
  std::string arn;
  policy::PolicyPtr trust;
  std::vector<policy::PolicyPtr> policies;
  policy::PolicyPtr boundary;  // or null
};
using RolePtr = std::shared_ptr<const Role>;

using ProviderPtr = std::shared_ptr<const store::ProviderRow>;

// Session: temporary credentials, as their token says (service/sessions.h). role_id is the id that
// the role had: a role made anew under the same name does not revive them.
struct Session {
  std::string access_key_id;  // ASIA...
  SecretBytes secret;
  model::AccountId account;
  std::string user;     // of GetSessionToken; else empty
  std::string user_id;  // likewise
  std::string role;     // name; else empty
  std::string role_id;  // likewise
  std::string name;     // RoleSessionName
  std::string arn;      // of a role's session
  std::string issuer;   // the provider of AssumeRoleWithWebIdentity
  std::string source_identity;
  TimePoint issued;
  TimePoint expires;
  std::string policy_text;  // session policy, or empty
  policy::PolicyPtr policy;
  std::vector<store::Tag> tags;
  std::vector<std::string> transitive_tags;
};
using SessionPtr = std::shared_ptr<const Session>;

struct AccessKey {
  store::AccessKeyRow row;
  SecretBytes secret;
};
using AccessKeyPtr = std::shared_ptr<const AccessKey>;

// CustomKeyStore: a token, or an external key store proxy.
struct CustomKeyStore {
  store::CustomKeyStoreRow row;
  std::string access_key_id;  // of a proxy; else empty
  SecretBytes secret;         // the token's PIN, or the proxy's secret access key

  bool is_token() const { return row.type == model::CustomKeyStoreType::kAwsCloudhsm; }
  // state: as DescribeCustomKeyStores shows it.
  model::ConnectionStateType state() const {
    if (!row.settles) return row.state;
    return row.state == model::ConnectionStateType::kDisconnected
               ? model::ConnectionStateType::kDisconnecting
               : model::ConnectionStateType::kConnecting;
  }
  bool connected() const { return state() == model::ConnectionStateType::kConnected; }
};
using CustomKeyStorePtr = std::shared_ptr<const CustomKeyStore>;

}  // namespace keyturn::service
