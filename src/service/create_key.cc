#include "service/create_key.h"

#include <fmt/format.h>

#include "keys/rotation.h"
#include "model/arn.h"
#include "service/key_material.h"

namespace keyturn::service {

keys::Key AddKey(Txn& txn, const Environment& environment, keys::Key key,
                 std::shared_ptr<const KeyPolicy> policy, std::vector<store::Tag> tags,
                 TimePoint now, const SecretBytes* ready) {
  const bool external = key.origin == model::Origin::kExternal;
  const bool elsewhere = external || key.origin == model::Origin::kAwsCloudhsm;
  const auto material = elsewhere ? nullptr : NewMaterial(environment, key, 0, now, ready);
  key.creation_date = now;
  if (material) {
    key.current_material = material->id;
  } else if (external) {
    key.state = model::KeyState::kPendingImport;
  }
  KeyEntry entry;
  entry.key = key;
  entry.policy = std::move(policy);
  entry.tags = std::move(tags);
  entry.materials = std::make_shared<MaterialSet>();
  if (material) {
    entry.materials->Add(material);
    entry.current = material;
    txn.AddMaterial(key, *material);
  }
  txn.PutKey(std::move(entry));
  return key;
}

Result<keys::Key> AddAwsManagedKey(Txn& txn, const Environment& environment,
                                   const model::AccountId& account, model::Region region,
                                   const std::string& alias, TimePoint now) {
  constexpr std::string_view kPrefix = "alias/aws/";
  const std::string service = alias.starts_with(kPrefix) ? alias.substr(kPrefix.size()) : "";
  if (service.empty() || service.size() > 64 ||
      service.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    return Fail(
        ErrorCode::kValidationException,
        "an AWS managed key's alias is alias/aws/ and a service name, such as alias/aws/s3");
  }
  if (txn.FindAlias(account, region, alias)) {
    return Fail(ErrorCode::kAlreadyExistsException,
                fmt::format("An alias with the name {} already exists",
                            model::AliasArn(region, account, alias)));
  }
  keys::Key key;
  key.id = model::KeyId::New(environment.random, false);
  key.account = account;
  key.region = region;
  key.manager = model::KeyManager::kAws;
  key.description =
      fmt::format("Default key that protects my {} data when no other key is defined", service);
  key.rotation =
      keys::RotationSchedule{keys::kRotationPeriodDefault, now + keys::kRotationPeriodDefault};
  KT_ASSIGN(auto policy, environment.policies.Get(
                             policy::AwsManagedKeyPolicy(region.partition(), account, service)));
  key = AddKey(txn, environment, std::move(key), std::move(policy), {}, now);
  txn.PutAlias({account, region, alias, key.id, now, now});
  return key;
}

}  // namespace keyturn::service
