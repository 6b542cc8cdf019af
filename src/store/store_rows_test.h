// Rows for tests of a store and of what stands on it: keys by number, with their materials, and all
// that a load shows as one value.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace keyturn::store {

// Everything that a store holds.
struct Contents {
  std::map<std::string, Bytes> meta;
  std::vector<UserRow> users;
  std::vector<AccessKeyRow> access_keys;
  std::vector<KeyRow> keys;
  std::vector<MaterialRow> materials;
  std::vector<RotationRow> rotations;
  std::vector<UsageRow> usage;
  std::vector<AliasRow> aliases;
  std::vector<TrailRow> trail;
  std::vector<GroupRow> groups;
  std::vector<RoleRow> roles;
  std::vector<ProviderRow> providers;
  std::vector<GrantRow> grants;
  std::vector<CustomKeyStoreRow> custom_key_stores;
};

inline Visitors CollectInto(Contents& out) {
  Visitors v;
  v.meta = [&out](std::string key, Bytes value) { out.meta.emplace(key, value); };
  v.user = [&out](UserRow row) { out.users.push_back(std::move(row)); };
  v.access_key = [&out](AccessKeyRow row) { out.access_keys.push_back(std::move(row)); };
  v.key = [&out](KeyRow row) { out.keys.push_back(std::move(row)); };
  v.material = [&out](MaterialRow row) { out.materials.push_back(std::move(row)); };
  v.rotation = [&out](RotationRow row) { out.rotations.push_back(std::move(row)); };
  v.usage = [&out](UsageRow row) { out.usage.push_back(std::move(row)); };
  v.alias = [&out](AliasRow row) { out.aliases.push_back(std::move(row)); };
  v.group = [&out](GroupRow row) { out.groups.push_back(std::move(row)); };
  v.role = [&out](RoleRow row) { out.roles.push_back(std::move(row)); };
  v.provider = [&out](ProviderRow row) { out.providers.push_back(std::move(row)); };
  v.grant = [&out](GrantRow row) { out.grants.push_back(std::move(row)); };
  v.custom_key_store = [&out](CustomKeyStoreRow row) {
    out.custom_key_stores.push_back(std::move(row));
  };
  v.trail = [&out](TrailRow row) { out.trail.push_back(std::move(row)); };
  return v;
}

inline Contents ContentsOf(Store& store) {
  Contents out;
  const Status loaded = store.Load(CollectInto(out));
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  return out;
}

inline const model::AccountId kTestAccount = *model::AccountId::Parse("111122223333");

inline model::Region TestRegion(const char* name = "us-east-1") {
  return *model::Region::Intern(name);
}

// KeyNumber: a key id that sorts by its number.
inline model::KeyId KeyNumber(unsigned n) {
  std::string text = std::to_string(n);
  return *model::KeyId::Parse("00000000-0000-4000-8000-" + std::string(12 - text.size(), '0') +
                              text);
}

inline model::MaterialId MaterialNumber(unsigned key, unsigned generation) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[0] = static_cast<std::uint8_t>(key);
  bytes[1] = static_cast<std::uint8_t>(key >> 8);
  bytes[2] = static_cast<std::uint8_t>(generation);
  bytes[31] = 0x5a;
  return model::MaterialId(bytes);
}

inline KeyRow TestKey(unsigned n, const std::string& policy = "{\"policy\":1}") {
  KeyRow row;
  row.key.id = KeyNumber(n);
  row.key.account = kTestAccount;
  row.key.region = TestRegion();
  row.key.creation_date = FromEpochMillis(1'800'000'000'000 + n);
  row.key.current_material = MaterialNumber(n, 0);
  row.key.description = "key number " + std::to_string(n);
  row.policy_text = std::make_shared<const std::string>(policy);
  return row;
}

inline KeyRef RefOf(const KeyRow& row) { return {row.key.account, row.key.region, row.key.id}; }

inline MaterialRow TestMaterial(const KeyRow& row, unsigned key, unsigned generation) {
  MaterialRow material;
  material.id = MaterialNumber(key, generation);
  material.key = row.key.id;
  material.account = row.key.account;
  material.region = row.key.region;
  material.generation = generation;
  material.created = FromEpochMillis(1'800'000'000'000);
  material.sealed = Bytes(60, static_cast<std::uint8_t>(0xa0 + generation));
  return material;
}

inline RotationRow TestRotation(const KeyRow& row, unsigned generation) {
  return {row.key.id,
          row.key.account,
          row.key.region,
          generation,
          model::RotationType::kOnDemand,
          FromEpochMillis(1'800'000'000'000 + generation)};
}

inline AliasRow TestAlias(const std::string& name, const KeyRow& row) {
  return {row.key.account, row.key.region,         "alias/" + name,
          row.key.id,      FromEpochMillis(1'000), FromEpochMillis(2'000)};
}

inline GrantRow TestGrant(const KeyRow& row, char digit) {
  GrantRow grant;
  grant.account = row.key.account;
  grant.region = row.key.region;
  grant.key = row.key.id;
  grant.id = std::string(64, digit);
  grant.created = FromEpochMillis(3'000);
  grant.name = "name";
  grant.grantee = "arn:aws:iam::111122223333:user/ada";
  grant.retiring_principal = "arn:aws:iam::111122223333:role/Ops";
  grant.issuing_account = *model::AccountId::Parse("444455556666");
  grant.operations = {model::GrantOperation::kDecrypt, model::GrantOperation::kReEncryptTo};
  grant.context_equals.emplace();
  grant.context_subset = {{"a", "1"}, {"", "x"}};
  return grant;
}

inline CustomKeyStoreRow TestCustomKeyStore(char digit) {
  CustomKeyStoreRow row;
  row.id = "cks-" + std::string(17, digit);
  row.account = kTestAccount;
  row.region = TestRegion();
  row.name = std::string("store ") + digit;
  row.type = model::CustomKeyStoreType::kExternalKeyStore;
  row.created = FromEpochMillis(4'000);
  row.uri_endpoint = "https://xks.example.com";
  row.uri_path = "/kms/xks/v1";
  row.sealed_secret = Bytes(70, 0x77);
  return row;
}

// TestExternalKey: a key of TestCustomKeyStore(digit).
inline KeyRow TestExternalKey(unsigned n, char digit, const std::string& external_key) {
  KeyRow row = TestKey(n);
  row.key.origin = model::Origin::kExternalKeyStore;
  row.key.custody = std::make_shared<const keys::Custody>(
      keys::Custody{.store = "cks-" + std::string(17, digit), .external_key = external_key});
  return row;
}

inline Change CreateKey(const KeyRow& row, unsigned n) {
  Change change;
  change.put_keys.push_back(row);
  change.insert_materials.push_back(TestMaterial(row, n, 0));
  return change;
}

inline Status CommitOne(Store& store, const Change& change) {
  return store.Commit(std::span<const Change>(&change, 1));
}

inline ErrorCode CodeOfFailure(const Status& status) {
  return status ? ErrorCode::kInternal : status.error().code;
}

}  // namespace keyturn::store
