// Access keys: making their identifiers and secrets in AWS's form.
// Source: IAM User Guide, "IAM identifiers" (AKIA...).
#pragma once

#include <string>

#include "base/random.h"
#include "service/entities.h"
#include "service/keyring.h"

namespace keyturn::service {

// NewAccessKey: the row to store, and the secret to show once.
struct NewAccessKey {
  store::AccessKeyRow row;
  SecretBytes secret;
};
// MakeAccessKey: "AKIA" and 16 characters, a secret of 40 characters (240 random bits).
NewAccessKey MakeAccessKey(const Keyring& keyring, const model::AccountId& account,
                           const std::string& user, TimePoint now, RandomSource& random);

}  // namespace keyturn::service
