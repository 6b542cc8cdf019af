#include "service/access_keys.h"

#include "base/base64.h"
#include "service/principals.h"

namespace keyturn::service {

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

}  // namespace keyturn::service
