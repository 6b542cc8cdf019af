#include "service/access_keys.h"

#include <array>

#include "base/base64.h"
#include "model/arn.h"

namespace keyturn::service {
namespace {

// RandomBase32 appends count characters of A-Z2-7.
void RandomBase32(RandomSource& random, std::size_t count, std::string& out) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::array<std::uint8_t, 32> bytes{};
  random.Fill(MutableByteView(bytes).first(count));
  for (std::size_t i = 0; i < count; ++i) out += kAlphabet[bytes[i] & 31];
}

}  // namespace

std::string NewUserId(RandomSource& random) {
  std::string id = "AIDA";
  RandomBase32(random, 17, id);
  return id;
}

NewAccessKey MakeAccessKey(const Keyring& keyring, const model::AccountId& account,
                           const std::string& user, TimePoint now, RandomSource& random) {
  NewAccessKey made;
  made.row.id = "AKIA";
  RandomBase32(random, 16, made.row.id);
  made.row.account = account;
  made.row.user = user;
  made.row.created = now;
  SecretBytes bytes(30);
  random.Fill(bytes.reveal_mutable());
  std::string text = Base64Encode(bytes.reveal());
  made.secret = SecretBytes::CopyOf(AsBytes(text));
  WipeMemory(text.data(), text.size());
  made.row.sealed_secret = keyring.SealAccessKeySecret(made.row.id, made.secret.reveal(), random);
  return made;
}

Result<UserPtr> MakeUser(store::UserRow row) {
  auto user = std::make_shared<User>();
  for (const store::NamedPolicy& policy : row.policies) {
    KT_ASSIGN(policy::PolicyPtr compiled,
              policy::Compile(policy.text, policy::Kind::kIdentityPolicy));
    user->policies.push_back(std::move(compiled));
  }
  user->arn = model::UserArn("aws", row.account, row.name);
  user->row = std::move(row);
  return UserPtr(std::move(user));
}

}  // namespace keyturn::service
